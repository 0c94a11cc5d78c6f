package distplan

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// validateTree checks that every reference names a column that is there and has the type it says, that projections are in
// range, and that the inputs of a set operation agree.
func validateTree(n operator.Node) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%T: %s", n, fmt.Sprintf(format, args...))
	}
	for _, c := range n.Children() { // first: an operator's own check asks its inputs for their types
		if c == nil {
			return fail("input is missing")
		}
		if err := validateTree(c); err != nil {
			return err
		}
	}
	if err := checkOwn(n); err != nil {
		return fail("%v", err)
	}
	return nil
}

func checkOwn(n operator.Node) error {
	switch n := n.(type) {
	case *operator.Scan:
		if n.Table == nil {
			return fmt.Errorf("no table")
		}
		for _, c := range n.Columns {
			if c >= len(n.Table.Columns) {
				return fmt.Errorf("column %d of %d", c, len(n.Table.Columns))
			}
		}
		return nil
	case *operator.Values:
		for _, row := range n.Rows {
			if len(row) != len(n.Result) {
				return fmt.Errorf("row of %d columns among %d", len(row), len(n.Result))
			}
			if err := checkRefs(row, nil); err != nil {
				return err
			}
		}
		return nil
	case *operator.Filter:
		return first(checkRefs(n.Conditions, n.Child.Types()), checkProject(n.Project, n.Child))
	case *operator.Order:
		return first(checkRefs(operator.Exprs(n), n.Child.Types()), checkProject(n.Project, n.Child))
	case *operator.Aggregate:
		if err := checkSets(n); err != nil {
			return err
		}
		return checkRefs(operator.Exprs(n), n.Child.Types())
	case *operator.Join:
		return checkJoin(n)
	case *operator.DelimJoin:
		kept := n.Left
		if n.Flipped {
			kept = n.Right
		}
		return first(checkJoin(&n.Join), checkRefs(n.Columns, kept.Types()))
	case *operator.SetOp:
		if len(n.Inputs) == 0 {
			return fmt.Errorf("no inputs")
		}
		for _, in := range n.Inputs[1:] {
			if len(in.Types()) != len(n.Types()) {
				return fmt.Errorf("inputs of %d and %d columns", len(n.Types()), len(in.Types()))
			}
		}
		return nil
	case *operator.Exchange:
		return checkProject(n.Keys, n.Child)
	}
	if children := n.Children(); len(children) == 1 {
		return checkRefs(operator.Exprs(n), children[0].Types())
	}
	return nil
}

func checkSets(n *operator.Aggregate) error {
	for _, list := range [][][]int{n.Sets, n.GroupingCalls} {
		for _, set := range list {
			for _, g := range set {
				if g < 0 || g >= len(n.Groups) {
					return fmt.Errorf("grouping set names group %d of %d", g, len(n.Groups))
				}
			}
		}
	}
	return nil
}

func checkJoin(n *operator.Join) error {
	left, right := n.Left.Types(), n.Right.Types()
	for _, c := range n.Conditions {
		if err := first(checkRefs([]expr.Expr{c.Left}, left), checkRefs([]expr.Expr{c.Right}, right)); err != nil {
			return err
		}
	}
	if n.Predicate != nil {
		both := append(append([]table.Type(nil), left...), right...)
		if err := checkRefs([]expr.Expr{n.Predicate}, both); err != nil {
			return err
		}
	}
	return first(checkProject(n.LeftProject, n.Left), checkProject(n.RightProject, n.Right))
}

func checkProject(project []int, child operator.Node) error {
	if project == nil {
		return nil
	}
	n := len(child.Types())
	for _, c := range project {
		if c < 0 || c >= n {
			return fmt.Errorf("picks column %d of %d", c, n)
		}
	}
	return nil
}

func checkRefs(list []expr.Expr, types []table.Type) error {
	for _, e := range list {
		var fault error
		expr.Walk(e, func(e expr.Expr) bool {
			r, ok := e.(*expr.Ref)
			if !ok {
				return true
			}
			if r.Index < 0 || r.Index >= len(types) {
				fault = fmt.Errorf("reads column %d of %d", r.Index, len(types))
			} else if !r.Result.Equal(types[r.Index]) {
				fault = fmt.Errorf("reads column %d as %s, it is %s", r.Index, r.Result.SQL(), types[r.Index].SQL())
			}
			return fault == nil
		})
		if fault != nil {
			return fault
		}
	}
	return nil
}

func first(faults ...error) error {
	for _, f := range faults {
		if f != nil {
			return f
		}
	}
	return nil
}
