package distplan

import (
	"sort"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var (
	ruleGroupsLie = newRule("aggregate: groups that lie in one task each stay there")
	ruleRawGroups = newRule("aggregate: raw rows go by group")
)

// aggregate distributes GROUP BY. In this order:
//   - rows that are in one task, or lie so that no group spans tasks, are aggregated where they are;
//   - functions that can be split are computed in part below a hash exchange on the groups (a gather without groups), and
//     finished above it, unless there would be nearly as many parts as rows (rule_skip_partial.go);
//   - else the raw rows go by group to the task that aggregates them once; without groups to a single task.
func (d *distributor) aggregate(n *operator.Aggregate) placed {
	child := d.place(n.Child)
	over := func(c placed, out delivered) placed {
		whole := *n
		whole.Child = c.node
		return placed{&whole, out}
	}
	if child.partitioning == single {
		return over(child, delivered{})
	}
	if n.Plain() {
		child = d.groupedByRanges(child, someColumns(n.Groups), d.sizes.bytes(n))
	}
	if out, ok := groupsHold(n, child.delivered); ok {
		d.fired(ruleGroupsLie)
		return over(child, out)
	}
	if parts, reason := splitAggregates(n); reason == "" {
		if d.skipsPartial(n, child, parts) {
			d.fired(ruleSkipPartial)
			return d.byGroup(n, child)
		}
		return d.twoPhases(n, child, parts)
	} else if len(n.Groups) == 0 || !n.Plain() {
		d.because("%s", reason)
		return over(d.gather(narrow(n, child)), delivered{})
	}
	d.fired(ruleRawGroups)
	return d.byGroup(n, child)
}

// groupsHold reports whether the input's keys are all among the groups, so that no group spans two tasks, and how the
// groups then lie.
func groupsHold(n *operator.Aggregate, p delivered) (delivered, bool) {
	if !p.keyed() || !n.Plain() || len(n.Groups) == 0 {
		return delivered{}, false
	}
	out := p.through(func(c int) int { return refPosition(n.Groups, c) })
	return out, out.keyed()
}

// byGroup sends the columns that the aggregate reads, led by its groups, through a hash exchange on the groups.
func (d *distributor) byGroup(n *operator.Aggregate, child placed) placed {
	groups := len(n.Groups)
	pre := append([]expr.Expr(nil), n.Groups...)
	types := child.node.Types()
	at := map[int]int{} // input column → column of pre
	for i, g := range n.Groups {
		if r, ok := g.(*expr.Ref); ok {
			at[r.Index] = i
		}
	}
	for _, c := range readBy(n.Aggregates) {
		if _, ok := at[c]; !ok {
			at[c] = len(pre)
			pre = append(pre, &expr.Ref{Index: c, Result: types[c]})
		}
	}
	projected := placed{
		&operator.Project{Estimated: estimated(child.node), Child: child.node, Exprs: pre},
		delivered{partitioning: arbitrary},
	}
	keys := operator.Pick(nil, groups)
	exchanged := d.exchange(projected, keys)
	out := *n
	out.Child = exchanged.node
	out.Groups = refsTo(0, groupTypes(n))
	out.Aggregates = moveRefs(n.Aggregates, at)
	return placed{&out, exchanged.delivered}
}

// narrow drops the columns that a gathered aggregate does not read, so that they do not travel.
func narrow(n *operator.Aggregate, child placed) placed {
	types := child.node.Types()
	read := map[int]bool{}
	for _, c := range readBy(n.Aggregates) {
		read[c] = true
	}
	for _, g := range n.Groups {
		for _, c := range expr.Refs(g) {
			read[c] = true
		}
	}
	if len(read) == len(types) {
		return child
	}
	// Positions must stay for the aggregate above: what is not read becomes a NULL, which costs nothing to send.
	pre := make([]expr.Expr, len(types))
	for c, t := range types {
		if read[c] {
			pre[c] = &expr.Ref{Index: c, Result: t}
		} else {
			pre[c] = &expr.Const{SQL: "CAST(NULL AS TINYINT)", Null: true, Result: table.Of(table.TinyInt)}
		}
	}
	return placed{&operator.Project{Estimated: estimated(child.node), Child: child.node, Exprs: pre}, child.delivered}
}

func groupTypes(n *operator.Aggregate) []table.Type {
	types := make([]table.Type, len(n.Groups))
	for i, g := range n.Groups {
		types[i] = g.Type()
	}
	return types
}

// readBy lists the input columns that aggregates read, ascending.
func readBy(list []*expr.Aggregate) []int {
	seen := map[int]bool{}
	var all []int
	for _, a := range list {
		for _, c := range expr.Refs(a) {
			if !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	sort.Ints(all)
	return all
}

func moveRefs(list []*expr.Aggregate, at map[int]int) []*expr.Aggregate {
	moved := make([]*expr.Aggregate, len(list))
	for i, a := range list {
		moved[i] = expr.MapRefs(a, func(r *expr.Ref) expr.Expr {
			return &expr.Ref{Index: at[r.Index], Result: r.Result}
		}).(*expr.Aggregate)
	}
	return moved
}
