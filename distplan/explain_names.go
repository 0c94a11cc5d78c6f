package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// names gives an operator's output columns the names that a reader of the plan knows: a table's column where a column
// comes through unchanged, else "" (printed as #position).
func (x *explainer) names(n operator.Node) []string {
	names := make([]string, len(n.Types()))
	copyFrom := func(from []string, project []int) {
		for i, c := range operator.Pick(project, len(from)) {
			names[i] = from[c]
		}
	}
	exprNames := func(list []expr.Expr, from []string) {
		for i, e := range list {
			if r, ok := e.(*expr.Ref); ok {
				names[i] = from[r.Index]
			}
		}
	}
	switch n := n.(type) {
	case *operator.Scan:
		for i, c := range n.Columns {
			if c >= 0 {
				names[i] = n.Table.Columns[c].Name
			}
		}
	case *operator.Filter:
		copyFrom(x.names(n.Child), n.Project)
	case *operator.Order:
		copyFrom(x.names(n.Child), n.Project)
	case *operator.Project:
		exprNames(n.Exprs, x.names(n.Child))
	case *operator.Aggregate:
		exprNames(n.Groups, x.names(n.Child))
	case *operator.Distinct, *operator.TopN, *operator.Limit, *operator.SetOp, *operator.Window:
		copyFrom(x.names(n.Children()[0]), nil)
	case *operator.Join:
		x.joinNames(n, names)
	case *operator.DelimJoin:
		x.joinNames(&n.Join, names)
	case *operator.Cross:
		copy(names, append(x.names(n.Left), x.names(n.Right)...))
	case *operator.CTE:
		copyFrom(x.names(n.Body), nil)
	case *operator.Input:
		for _, in := range x.stage.Inputs {
			if in.Name == n.Name {
				return stageNames(x.plan, x.plan.Stages[in.From])
			}
		}
	}
	return names
}

func (x *explainer) joinNames(n *operator.Join, names []string) {
	at := 0
	take := func(from []string, project []int) {
		for _, c := range operator.Pick(project, len(from)) {
			names[at] = from[c]
			at++
		}
	}
	if n.Kind != operator.RightSemi && n.Kind != operator.RightAnti {
		take(x.names(n.Left), n.LeftProject)
	}
	if n.Kind != operator.Semi && n.Kind != operator.Anti && n.Kind != operator.Mark {
		take(x.names(n.Right), n.RightProject)
	}
}

// stageNames gives the names of a stage's output columns.
func stageNames(p *Plan, s *Stage) []string {
	if s.Body == nil {
		return make([]string, len(s.Types))
	}
	x := explainer{plan: p, stage: s}
	return x.names(s.Body)[:len(s.Types)]
}
