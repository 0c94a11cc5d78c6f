package frontend

import (
	"errors"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/frontend/planjson"
)

// columns binds the statement and returns its result columns, named as in the text that the client wrote.
func columns(in *plandb.Instance, st *statement) ([]table.Column, error) {
	d, err := in.Describe(st.sql)
	if err != nil {
		return nil, err
	}
	if st.sql == st.r.SQL {
		return d.Columns, nil
	}
	if o := described(in, st.r); o != nil && len(o.Columns) == len(d.Columns) {
		for i := range o.Columns {
			d.Columns[i].Name = o.Columns[i].Name
		}
	}
	return d.Columns, nil
}

// described binds a request's own text as Describe does, nil when that fails.
func described(in *plandb.Instance, r *Request) *plandb.Description {
	data, err := in.Syntax(r.SQL)
	if err != nil {
		return nil
	}
	s, err := parseSyntax(data)
	if err != nil {
		return nil
	}
	d, err := describeOn(in, &statement{r: r, sql: r.SQL, syntax: s, facts: s.facts()})
	if err != nil {
		return nil
	}
	return d
}

// optimise plans the statement and reads its tree. A reason why the tree cannot be used is no error.
func optimise(in *plandb.Instance, st *statement) (p *Planned, unread string, err error) {
	if err := bindable(in, st); err != nil {
		return nil, "", err
	}
	p = &Planned{}
	if p.Columns, err = columns(in, st); err != nil {
		return nil, "", err
	}
	p.Statement.Columns = p.Columns
	plan, err := in.Plan(st.sql)
	if err != nil {
		// What binds but cannot be planned fails (or not) when it runs.
		return nil, "the optimiser failed: " + firstLine(err.Error()), nil
	}
	tree, err := planjson.Decode(plan, in.Stub)
	if err != nil {
		return nil, err.Error(), nil
	}
	if len(operator.Scans(tree)) > 0 {
		// Estimates decide between plans only: without them the statement still runs.
		if explain, err := in.Explain(st.sql); err == nil {
			planjson.Estimates(tree, explain)
		}
	}
	sql, err := rebind(in, tree, p.Columns)
	if err != nil {
		return nil, err.Error(), nil
	}
	p.Statement.Tree = tree
	if len(operator.Scans(tree)) == 0 {
		p.Local, p.LocalSQL = true, sql
	}
	return p, "", nil
}

// rebind prints a tree as a worker would run it and has it bound again: it must give the columns that the statement has.
func rebind(in *plandb.Instance, tree operator.Node, columns []table.Column) (string, error) {
	sql, err := sqltext.SelectOver(tree, overStub)
	if err != nil {
		return "", err
	}
	d, err := in.Describe(sql)
	if err != nil {
		return "", errors.New("the printed tree does not bind: " + firstLine(err.Error()))
	}
	types := tree.Types()
	if len(d.Columns) != len(columns) || len(types) != len(columns) {
		return "", errors.New("the printed tree has another number of columns")
	}
	same := true
	for i, c := range columns {
		if !d.Columns[i].Type.Equal(types[i]) {
			return "", errors.New("the printed tree's column " + c.Name + " is " + d.Columns[i].Type.SQL() + ", not " + types[i].SQL())
		}
		same = same && types[i].Equal(c.Type)
	}
	if !same {
		sql = sqltext.SelectText(sql, columns)
	}
	return sql, nil
}

// overStub names a scan by the view over its stub.
func overStub(s *operator.Scan) (string, error) {
	list := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		list[i] = "CAST(NULL AS BIGINT)"
		if c >= 0 {
			list[i] = table.Quote(s.Table.Columns[c].Name)
		}
		list[i] += " AS c" + itoa(i)
	}
	if len(list) == 0 {
		list = []string{"NULL AS none"}
	}
	n := s.Table.Name
	return "(SELECT " + strings.Join(list, ", ") + " FROM " + table.Quote(n.Catalog) + "." + table.Quote(n.Schema) + "." + table.Quote(n.Table) + ")", nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
