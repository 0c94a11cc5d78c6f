package distplan

import (
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// fallback runs n in one task over gathered inputs, which are distributed themselves.
func (d *distributor) fallback(n operator.Node, reason string) placed {
	d.because("%s", reason)
	children := append([]operator.Node(nil), n.Children()...)
	for i, c := range children {
		children[i] = d.gather(d.place(c)).node
	}
	return placed{node: n.WithChildren(children)}
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
	name := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", n), "*operator."))
	return name + " runs in one task: no rule distributes it"
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
