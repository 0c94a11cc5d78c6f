package frontend

import (
	"context"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Definition reads the columns of a CREATE TABLE.
func (f *Frontend) Definition(ctx context.Context, w *Write) (columns []table.Column, err error) {
	err = f.withDeadline(ctx, &Request{}, f.cfg.BindDeadline, func(in *plandb.Instance) (func(), error) {
		got, err := in.Columns(w.Definition)
		return func() { columns = got }, err
	})
	return columns, faultError(err)
}

// from names the table, as statements over it do.
func (w *Write) from() string {
	name := w.Name[len(w.Name)-1]
	if w.Alias != "" {
		return table.Quote(name) + " AS " + table.Quote(w.Alias)
	}
	return table.Quote(name)
}

// column finds a column by its name.
func column(columns []table.Column, name string) (int, error) {
	names := make([]string, len(columns))
	for i, c := range columns {
		if table.Fold(c.Name) == table.Fold(name) {
			return i, nil
		}
		names[i] = c.Name
	}
	return 0, qerr.New(qerr.User, "Binder Error: the table has no column %q; it has: %s", name, strings.Join(names, ", "))
}

// InsertSQL is the query whose rows INSERT adds, in the table's columns. given is how many columns w.Query has; it does not
// matter for VALUES.
func (w *Write) InsertSQL(columns []table.Column, given int) (string, error) {
	named := make([]int, 0, len(columns)) // the table's columns in the order in which they are given
	for i := range columns {
		named = append(named, i)
	}
	if w.Columns != nil {
		named = named[:0]
		for _, name := range w.Columns {
			i, err := column(columns, name)
			if err != nil {
				return "", err
			}
			named = append(named, i)
		}
	}
	place := make([]int, len(columns)) // where each column's value is; -1: nowhere
	for i := range place {
		place[i] = -1
	}
	for at, i := range named {
		if place[i] >= 0 {
			return "", qerr.New(qerr.User, "Binder Error: column %q is named twice", columns[i].Name)
		}
		place[i] = at
	}
	value := func(of func(at int) string) string {
		list := make([]string, len(columns))
		for i, c := range columns {
			expression := "NULL"
			if at := place[i]; at >= 0 && of(at) != "" {
				expression = of(at)
			}
			list[i] = "CAST(" + expression + " AS " + c.Type.SQL() + ")"
		}
		return strings.Join(list, ", ")
	}
	mismatch := func(n int) error {
		return qerr.New(qerr.User, "Binder Error: table %s takes %d values here, and %d were supplied", w.Name[len(w.Name)-1], len(named), n)
	}
	if w.Rows == nil {
		if given != len(named) {
			return "", mismatch(given)
		}
		names := make([]string, given)
		for at := range names {
			names[at] = "v" + itoa(at)
		}
		return "SELECT " + value(func(at int) string { return "v.v" + itoa(at) }) + " FROM (" + w.Query + ") AS v(" + strings.Join(names, ", ") + ")", nil
	}
	rows := make([]string, len(w.Rows))
	for n, row := range w.Rows {
		if len(row) != len(named) {
			return "", mismatch(len(row))
		}
		rows[n] = "(" + value(func(at int) string { return row[at] }) + ")"
	}
	return "VALUES " + strings.Join(rows, ", "), nil
}

// DeleteSQL is the query of the rows that stay; "" when none does.
func (w *Write) DeleteSQL() string {
	if w.Where == "" {
		return ""
	}
	return "SELECT * FROM " + w.from() + " WHERE ((" + w.Where + ")) IS NOT TRUE"
}

// CountSQL is the query of how many rows an UPDATE or DELETE is about.
func (w *Write) CountSQL() string {
	if w.Where == "" {
		return "SELECT count(*) FROM " + w.from()
	}
	return "SELECT count(*) FROM " + w.from() + " WHERE (" + w.Where + ")"
}

// UpdateSQL is the query of all rows as they are after an UPDATE.
func (w *Write) UpdateSQL(columns []table.Column) (string, error) {
	set := map[int]string{}
	for _, s := range w.Sets {
		i, err := column(columns, s[0])
		if err != nil {
			return "", err
		}
		if _, twice := set[i]; twice {
			return "", qerr.New(qerr.User, "Binder Error: column %q is set twice", columns[i].Name)
		}
		set[i] = s[1]
		if strings.EqualFold(s[1], "default") {
			set[i] = "NULL"
		}
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = table.Quote(c.Name)
		if expression, ok := set[i]; ok {
			list[i] = "CAST((" + expression + ") AS " + c.Type.SQL() + ")"
			if w.Where != "" {
				list[i] = "CASE WHEN (" + w.Where + ") THEN " + list[i] + " ELSE " + table.Quote(c.Name) + " END"
			}
			list[i] += " AS " + table.Quote(c.Name)
		}
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + w.from(), nil
}

// CreateSQL is the query of the rows of a CREATE TABLE AS, given what columns it has; a column of NULLs becomes one of INTEGER,
// as DuckDB has it.
func (w *Write) CreateSQL(columns []table.Column) (string, error) {
	list, seen, same := make([]string, len(columns)), map[string]bool{}, true
	names := make([]string, len(columns))
	for i, c := range columns {
		if key := table.Fold(c.Name); seen[key] {
			return "", qerr.New(qerr.User, "Catalog Error: column %q would be there twice; give one of them another name", c.Name)
		}
		seen[table.Fold(c.Name)] = true
		names[i] = table.Quote(c.Name)
		list[i] = names[i]
		if c.Type.ID == table.Null {
			list[i], same = "CAST("+list[i]+" AS INTEGER) AS "+list[i], false
		}
	}
	if same {
		return w.Query, nil
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM (" + w.Query + ") AS v(" + strings.Join(names, ", ") + ")", nil
}
