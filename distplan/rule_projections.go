package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// mergeProjections drops projections that give their input unchanged, and lets one that only picks columns pick them from
// the projection below. Readers of a plan then see each computation once.
func mergeProjections(n operator.Node) (operator.Node, error) {
	n, err := rewriteChildren(n, mergeProjections)
	if err != nil {
		return nil, err
	}
	p, ok := n.(*operator.Project)
	if !ok {
		return n, nil
	}
	picked := make([]int, len(p.Exprs))
	times := map[int]int{}
	for i, e := range p.Exprs {
		r, ok := e.(*expr.Ref)
		if !ok {
			return n, nil
		}
		picked[i] = r.Index
		times[r.Index]++
	}
	if sameInts(picked, operator.Pick(nil, len(p.Child.Types()))) {
		return p.Child, nil
	}
	below, ok := p.Child.(*operator.Project)
	if !ok {
		return n, nil
	}
	merged := *p
	merged.Child = below.Child
	merged.Exprs = make([]expr.Expr, len(picked))
	for i, c := range picked {
		if _, column := below.Exprs[c].(*expr.Ref); !column && times[c] > 1 {
			return n, nil // it would be computed twice, and differently if it is volatile
		}
		merged.Exprs[i] = below.Exprs[c]
	}
	return &merged, nil
}
