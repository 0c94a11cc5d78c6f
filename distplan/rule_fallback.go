package distplan

import (
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// fallback runs n in one task over gathered inputs. Inputs are distributed as far as they stand on their own: one that
// reads a CTE or correlated columns bound above it stays in the same task, and its own inputs are tried instead.
func (d *distributor) fallback(n operator.Node, reason string) placed {
	d.because("%s", reason)
	return placed{node: d.collect(n)}
}

func (d *distributor) collect(n operator.Node) operator.Node {
	old := n.Children()
	if len(old) == 0 {
		return n
	}
	children := make([]operator.Node, len(old))
	for i, c := range old {
		if standsAlone(c) {
			children[i] = d.gather(d.place(c)).node
		} else {
			children[i] = d.collect(c)
		}
	}
	return n.WithChildren(children)
}

// standsAlone reports whether every CTERef and DelimGet below n is bound below n.
func standsAlone(n operator.Node) bool {
	return bound(n, map[int]bool{}, map[int]bool{})
}

func bound(n operator.Node, ctes, delims map[int]bool) bool {
	with := func(scope map[int]bool, id int, n operator.Node) bool {
		had := scope[id]
		scope[id] = true
		ok := bound(n, ctes, delims)
		scope[id] = had
		return ok
	}
	switch n := n.(type) {
	case *operator.CTERef:
		return ctes[n.ID]
	case *operator.DelimGet:
		return delims[n.ID]
	case *operator.CTE:
		return bound(n.Definition, ctes, delims) && with(ctes, n.ID, n.Body)
	case *operator.DelimJoin:
		kept, other := n.Left, n.Right
		if n.Flipped {
			kept, other = other, kept
		}
		return bound(kept, ctes, delims) && with(delims, n.ID, other)
	}
	for _, c := range n.Children() {
		if !bound(c, ctes, delims) {
			return false
		}
	}
	return true
}

// fallbackReason says for EXPLAIN why an operator without a rule runs in one task.
func fallbackReason(n operator.Node) string {
	const tail = " runs in one task: no rule distributes it"
	switch n := n.(type) {
	case *operator.DelimJoin:
		return "correlated subquery (" + strings.ToLower(string(n.Kind)) + " join)" + tail
	case *operator.CTE, *operator.CTERef:
		return "shared subquery (WITH … AS MATERIALIZED)" + tail
	case *operator.DelimGet:
		return "correlated columns" + tail
	}
	return fmt.Sprintf("%s"+tail, strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", n), "*operator.")))
}

// position returns where a projection (nil = all) puts input column c, < 0 when nowhere.
func position(project []int, c int) int {
	if project == nil {
		return c
	}
	for at, p := range project {
		if p == c {
			return at
		}
	}
	return -1
}

// refPosition returns which of the expressions is bare column c, < 0 when none.
func refPosition(exprs []expr.Expr, c int) int {
	for at, e := range exprs {
		if r, ok := e.(*expr.Ref); ok && r.Index == c {
			return at
		}
	}
	return -1
}
