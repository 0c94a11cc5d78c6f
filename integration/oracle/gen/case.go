package gen

import "strings"

// A Case is a statement in two forms that must have one answer. Plain DuckDB runs Want, the system under test Have.
type Case struct {
	Want, Have *Node
	// Ordered are the output columns of ORDER BY, in its order: in them rows must agree position by position. Nil when
	// the order is free.
	Ordered []int
	// Kind names how the case was made.
	Kind string
}

// The kinds of cases.
const (
	KindPlain = "plain"
	KindTLP   = "tlp"
	KindNoREC = "norec"
	KindFault = "fault"
)

// sourcesMax is how many tables and subqueries a statement may name.
const sourcesMax = 7

// Case makes the next case.
func (g *Generator) Case() Case {
	g.ctes, g.aliases, g.budget, g.large = nil, 0, sourcesMax, false
	switch at := g.Intn(100); {
	case at < 6:
		return g.partitioned()
	case at < 12:
		return g.unoptimised()
	case at < 15:
		return g.fault()
	}
	return g.plain()
}

func (g *Generator) plain() Case {
	head := txt("")
	switch at := g.Intn(100); {
	case at < 20:
		head = g.with()
		g.budget = max(g.budget, 5)
	case at < 22:
		head = g.recursive()
	}
	var n *Node
	var classes []Class
	if g.percent(14) {
		n, classes = g.stacked()
	} else {
		n, classes = g.query(nil, nil, 2, true)
	}
	c := Case{Kind: KindPlain}
	tail := txt("")
	if !n.closed && !contains(classes, Loose) && g.percent(45) {
		c.Ordered, tail = g.order(len(classes))
	}
	c.Want = &Node{role: query, parts: nodes([]any{head, n, tail})}
	c.Have = c.Want
	return c
}

// order makes ORDER BY for the outermost query: all columns with a LIMIT, or some of them without.
func (g *Generator) order(n int) ([]int, *Node) {
	perm := g.Perm(n)
	if g.percent(40) {
		perm = perm[:1+g.Intn(n)]
		return perm, optional(" ORDER BY ", g.ordinals(perm))
	}
	return perm, optional(" ORDER BY ", g.ordinals(perm), g.limit())
}

func (g *Generator) ordinals(perm []int) *Node {
	keys := make([]*Node, len(perm))
	for i, at := range perm {
		keys[i] = txt(ordinal(at) + g.direction())
	}
	return listed(len(keys), ", ", keys)
}

func ordinal(i int) string { return string(rune('1' + i)) }

// partitioned is ternary logic partitioning: the rows of a query are those for which any condition is true, those for which
// it is false, and those for which it is NULL.
func (g *Generator) partitioned() Case {
	from, s := g.from(nil, 1)
	g.budget = 1
	condition := g.condition(s, 2)
	items, _ := g.items(nil, &scope{columns: s.columns})
	for i, n := range items {
		if hasWindow(n) {
			items[i] = g.expr(pick(g.random, computable...), s, 1)
		}
	}
	part := func(where ...any) *Node { return body("SELECT ", items, append([]any{from}, where...)...) }
	have := seq("(", part(" WHERE ", condition), ") UNION ALL (", part(" WHERE NOT ", condition), ") UNION ALL (", part(" WHERE (", condition, ") IS NULL"), ")")
	return Case{Want: part(), Have: have, Kind: KindTLP}
}

func hasWindow(n *Node) bool {
	found := false
	n.walk(func(n *Node) { found = found || strings.Contains(n.text, " OVER (") })
	return found
}

// unoptimised counts the rows of a condition in a way that no filter can be pushed down, and in the plain way.
func (g *Generator) unoptimised() Case {
	from, s := g.from(nil, 1)
	condition := g.condition(s, 2)
	want := seq("SELECT count(*) AS n", from, " WHERE ", condition)
	have := seq("SELECT CAST(coalesce(sum(CASE WHEN ", condition, " THEN 1 ELSE 0 END), 0) AS BIGINT) AS n", from)
	if g.percent(50) {
		want, have = have, want
	}
	return Case{Want: want, Have: have, Kind: KindNoREC}
}

// fault makes a statement that DuckDB refuses or fails for every plan: where all rows are looked at.
func (g *Generator) fault() Case {
	t := pick(g.random, g.tables...)
	var n *Node
	switch g.Intn(9) {
	case 0:
		n = seq("SELECT nope FROM ", t.name)
	case 1:
		n = seq("SELECT * FROM ", t.name, "_nope")
	case 2:
		n = seq("SELECT sum(k) FROM ", t.name, " GROUP BY nope(k)")
	case 3:
		n = seq("SELECT k, count(*) FROM ", t.name)
	case 4:
		n = seq("SELECT CAST('x' || k AS INTEGER) AS v FROM ", t.name, " WHERE k IS NOT NULL")
	case 5:
		n = seq("SELECT count(CAST('x' || k AS DATE)) AS v FROM ", t.name)
	case 6:
		n = seq("SELECT (SELECT k FROM ", t.name, ") AS v FROM ", pick(g.random, g.tables...).name)
	case 7:
		n = seq("SELECT k, error('no ' || k) AS v FROM ", t.name)
	default:
		n = seq("SELECT sum(9223372036854775807::BIGINT + length(k::VARCHAR)) AS v FROM ", t.name)
	}
	return Case{Want: n, Have: n, Kind: KindFault}
}
