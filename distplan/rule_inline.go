package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// inlineTables replaces scans of tables that have rows instead of files (the sys tables, taken at submit) by those rows:
// no worker could read them.
func inlineTables(n operator.Node) (operator.Node, error) {
	if s, ok := n.(*operator.Scan); ok {
		return inlineScan(s)
	}
	return rewriteChildren(n, inlineTables)
}

func inlineScan(s *operator.Scan) (operator.Node, error) {
	if s.Table.Inline == nil {
		return s, nil
	}
	values := &operator.Values{Estimated: operator.Estimated{Rows: float64(len(s.Table.Inline))}, Result: s.Types()}
	if len(s.Columns) == 0 {
		return nil, qerr.New(qerr.Internal, "scan of %s without columns", s.Table.Name)
	}
	for _, row := range s.Table.Inline {
		cells := make([]expr.Expr, len(s.Columns))
		for k, c := range s.Columns {
			t := values.Result[k]
			literal := "NULL"
			if c >= 0 {
				if c >= len(row) {
					return nil, qerr.New(qerr.Internal, "row of %s has %d columns", s.Table.Name, len(row))
				}
				literal = row[c]
			}
			cells[k] = &expr.Const{SQL: "CAST(" + literal + " AS " + t.SQL() + ")", Null: literal == "NULL", Result: t}
		}
		values.Rows = append(values.Rows, cells)
	}
	return values, nil
}

// rewriteChildren returns n over rewritten inputs, or n itself when none changed.
func rewriteChildren(n operator.Node, rewrite func(operator.Node) (operator.Node, error)) (operator.Node, error) {
	old := n.Children()
	children := make([]operator.Node, len(old))
	changed := false
	for i, c := range old {
		r, err := rewrite(c)
		if err != nil {
			return nil, err
		}
		children[i] = r
		changed = changed || r != c
	}
	if !changed {
		return n, nil
	}
	return n.WithChildren(children), nil
}

// estimated carries a node's estimate to one that replaces it.
func estimated(n operator.Node) operator.Estimated { return operator.Estimated{Rows: n.Estimate()} }

// refsTo returns references to columns first … first+len(types)-1.
func refsTo(first int, types []table.Type) []expr.Expr {
	refs := make([]expr.Expr, len(types))
	for i, t := range types {
		refs[i] = &expr.Ref{Index: first + i, Result: t}
	}
	return refs
}
