package frontend

import (
	"errors"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func itoa(i int) string { return strconv.Itoa(i) }

// asText plans a statement without its tree: the syntax tree printed back, each table replaced by a derived table over a
// named input whose columns are c0 … cn. The result must bind to the same columns.
func asText(in *plandb.Instance, st *statement) (*Planned, error) {
	if err := bindable(in, st); err != nil {
		return nil, err
	}
	p := &Planned{}
	var err error
	if p.Columns, err = columns(in, st); err != nil {
		return nil, err
	}
	scans, err := replaceTables(in, st)
	if err != nil {
		return nil, err
	}
	sql, err := printed(in, st.syntax)
	if err != nil {
		return nil, err
	}
	if err := bindsAlike(in, sql, scans, p.Columns); err != nil {
		return nil, err
	}
	p.Statement = distplan.Statement{Columns: p.Columns, Text: sql, TextScans: scans}
	if len(scans) == 0 {
		p.Local, p.LocalSQL = true, sqltext.SelectText(sql, p.Columns)
	}
	return p, nil
}

// inPlace begins the names of inputs that workers write where the name stands, and not into a WITH clause before the statement
// (see worker/bind): DuckDB decorrelates most subqueries over tables and over derived tables, but few over names of a WITH.
const inPlace = "arbalest_table_"

// replaceTables changes the syntax tree; each distinct table with files becomes one input.
func replaceTables(in *plandb.Instance, st *statement) ([]distplan.ScanInput, error) {
	var scans []distplan.ScanInput
	names := map[*table.Table]string{}
	said := strings.ToLower(st.sql)
	for _, t := range st.res.tables {
		if t.Inline != nil {
			said += strings.ToLower(inlineSQL(t))
		}
	}
	for _, t := range st.res.tables {
		if t.Inline != nil {
			continue
		}
		name := inPlace + itoa(len(scans)) + "_"
		for strings.Contains(said, name) {
			name += "_"
		}
		all := make([]int, len(t.Columns))
		for i := range all {
			all[i] = i
		}
		scans = append(scans, distplan.ScanInput{Name: name, Table: t, Columns: all})
		names[t] = name
	}
	unqualify(st)
	for _, ref := range st.facts.tables {
		t := st.res.of[ref]
		from := inlineSQL(t)
		if t.Inline == nil {
			from = inputSQL(t, names[t])
		}
		derived, err := fromItem(in, from)
		if err != nil {
			return nil, err
		}
		old := ref.node
		if alias := text(old, "alias"); alias != "" {
			derived["alias"] = alias
		} else {
			derived["alias"] = ref.table
		}
		derived["column_name_alias"], derived["sample"], derived["query_location"] = old["column_name_alias"], old["sample"], old["query_location"]
		if at := old["at_clause"]; at != nil {
			return nil, qerr.New(qerr.Unsupported, "AT (time travel) on table %s is not supported", ref)
		}
		replace(old, derived)
	}
	return scans, nil
}

// fromItem parses a derived table.
func fromItem(in *plandb.Instance, sql string) (node, error) {
	data, err := in.Syntax("SELECT * FROM (" + sql + ") AS t")
	if err != nil {
		return nil, err
	}
	s, err := parseSyntax(data)
	if err != nil {
		return nil, err
	}
	query, _ := s.statement()["node"].(node)
	from, ok := query["from_table"].(node)
	if !ok {
		return nil, qerr.New(qerr.Internal, "a derived table has no syntax tree")
	}
	return from, nil
}

// inputSQL gives an input's columns the table's names.
func inputSQL(t *table.Table, input string) string {
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		list[i] = "c" + itoa(i) + " AS " + table.Quote(c.Name)
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + input
}

// inlineSQL prints the rows of a table without files.
func inlineSQL(t *table.Table) string {
	list := make([]string, len(t.Columns))
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = "v" + itoa(i)
		list[i] = "CAST(v." + names[i] + " AS " + c.Type.SQL() + ") AS " + table.Quote(c.Name)
	}
	rows := make([]string, 0, len(t.Inline))
	for _, r := range t.Inline {
		rows = append(rows, "("+strings.Join(r, ", ")+")")
	}
	where := ""
	if len(rows) == 0 {
		rows = []string{"(" + strings.TrimSuffix(strings.Repeat("NULL, ", len(t.Columns)), ", ") + ")"}
		where = " WHERE false"
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM (VALUES " + strings.Join(rows, ", ") + ") AS v(" + strings.Join(names, ", ") + ")" + where
}

// unqualify shortens column references that name a table with its schema: a derived table has an alias only.
func unqualify(st *statement) {
	st.syntax.walk(func(n node, _ *ctes) bool {
		if text(n, "class") != "COLUMN_REF" && text(n, "class") != "STAR" {
			return true
		}
		parts, _ := n["column_names"].([]any)
		for _, ref := range st.facts.tables {
			if skip := qualifiers(parts, ref, st.res.of[ref]); skip > 0 {
				n["column_names"] = parts[skip:]
				return true
			}
		}
		return true
	})
}

// qualifiers counts the leading parts of a column reference that are the schema (and catalog) of a table.
func qualifiers(parts []any, ref *reference, t *table.Table) int {
	if text(ref.node, "alias") != "" || t == nil {
		return 0
	}
	is := func(i int, name string) bool {
		s, ok := parts[i].(string)
		return ok && strings.EqualFold(s, name)
	}
	switch {
	case len(parts) >= 4 && is(0, t.Name.Catalog) && is(1, t.Name.Schema) && is(2, ref.table):
		return 2
	case len(parts) >= 3 && (is(0, t.Name.Schema) || is(0, t.Name.Catalog)) && is(1, ref.table):
		return 1
	}
	return 0
}

// bindsAlike binds the printed text over the stubs, its inputs given as a worker gives them.
func bindsAlike(in *plandb.Instance, sql string, scans []distplan.ScanInput, columns []table.Column) error {
	bound := sqltext.SelectText(sql, columns)
	for _, s := range scans {
		names, list := make([]string, len(s.Columns)), make([]string, len(s.Columns))
		for k := range s.Columns {
			names[k] = "c" + itoa(k)
			list[k] = table.Quote(s.Table.Columns[k].Name)
		}
		n := s.Table.Name
		bound = strings.ReplaceAll(bound, s.Name, "(SELECT "+strings.Join(list, ", ")+" FROM "+
			table.Quote(n.Catalog)+"."+table.Quote(n.Schema)+"."+table.Quote(n.Table)+") AS "+s.Name+"("+strings.Join(names, ", ")+")")
	}
	d, err := in.Describe(bound)
	if err != nil {
		var fault *plandb.Fault
		if errors.As(err, &fault) {
			return qerr.New(qerr.Unsupported, "this statement cannot be distributed, nor printed back as text: %s", firstLine(fault.Message))
		}
		return err
	}
	if len(d.Columns) != len(columns) {
		return qerr.New(qerr.Unsupported, "this statement cannot be distributed, and printing it back as text changed its columns")
	}
	return nil
}
