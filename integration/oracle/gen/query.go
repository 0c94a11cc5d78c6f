package gen

import "fmt"

// query makes a query with everything around a SELECT: set operations, ORDER BY, LIMIT. See selectBody for want.
func (g *Generator) query(want []Class, outer *scope, depth int, outermost bool) (*Node, []Class) {
	if depth > 0 && g.budget > 1 && g.percent(14) {
		return g.setOperation(want, outer, depth)
	}
	n, classes := g.selectBody(want, outer, depth, outermost)
	if !outermost && g.percent(12) && !n.closed {
		n = &Node{role: query, parts: nodes([]any{n, optional(g.totalOrder(len(classes)), g.limit())})}
	}
	return n, classes
}

func contains(classes []Class, c Class) bool {
	for _, k := range classes {
		if k == c {
			return true
		}
	}
	return false
}

// setOperation combines queries whose columns have the same classes.
func (g *Generator) setOperation(want []Class, outer *scope, depth int) (*Node, []Class) {
	if want == nil {
		for range 1 + g.Intn(3) {
			want = append(want, pick(g.random, Int, Int, Text, Text, Date, Dec, Dbl, Bool, Wide))
		}
	}
	branch := func() *Node {
		n, _ := g.selectBody(want, outer, depth-1, false)
		return n
	}
	n := branch()
	for range pick(g.random, 1, 1, 1, 2) {
		op := pick(g.random, " UNION ALL ", " UNION ALL ", " UNION ALL ", " UNION ALL ", " UNION ", " UNION ", " UNION ", " INTERSECT ", " EXCEPT ", " EXCEPT ", " INTERSECT ALL ", " EXCEPT ALL ", " EXCEPT ALL ")
		n = &Node{role: query, parts: nodes([]any{"(", n, ")" + op + "(", branch(), ")"})}
	}
	return n, want
}

// totalOrder orders by every one of n output columns.
func (g *Generator) totalOrder(n int) *Node {
	keys := make([]*Node, n)
	for i, at := range g.Perm(n) {
		keys[i] = txt(fmt.Sprintf("%d%s", at+1, g.direction()))
	}
	return seq(" ORDER BY ", listed(n, ", ", keys))
}

func (g *Generator) limit() *Node {
	limit := optional(fmt.Sprintf(" LIMIT %d", pick(g.random, 1, 1, 2, 3, 4, 5, 7, 10, 10, 20, 100, 0)))
	if g.percent(12) {
		return seq(limit, optional(fmt.Sprintf(" OFFSET %d", pick(g.random, 0, 1, 2, 7))))
	}
	return limit
}

// with makes the common table expressions of a statement; from then on they are in reach.
func (g *Generator) with() *Node {
	var all []*Node
	for range pick(g.random, 1, 1, 2, 2, 3) { // later ones may read earlier ones
		inner, classes := g.query(nil, nil, 1, false)
		rel := relation{name: g.alias(), classes: classes}
		names := ""
		for i := range classes {
			rel.names = append(rel.names, fmt.Sprintf("c%d", i))
			names += fmt.Sprintf(", c%d", i)
		}
		all = append(all, seq(rel.name+"("+names[2:]+") AS "+pick(g.random, "", "", "MATERIALIZED ", "MATERIALIZED ", "NOT MATERIALIZED ")+"(", inner, ")"))
		g.ctes = append(g.ctes, rel)
	}
	return optional("WITH ", listed(1, ", ", all), " ")
}

// recursive is a common table expression that reads itself, over the rows of a source.
func (g *Generator) recursive() *Node {
	source, columns := g.source(0)
	from, s := seq(" FROM ", source), &scope{columns: columns}
	rel := relation{name: g.alias(), names: []string{"c0", "c1"}, classes: []Class{Int, Int}}
	g.ctes = append(g.ctes, rel)
	first := seq("SELECT ", g.expr(Int, s, 0), ", 0", from)
	op := pick(g.random, " UNION ALL ", " UNION ")
	return seq("WITH RECURSIVE "+rel.name+"(c0, c1) AS (", first, op, "SELECT c0, c1 + 1 FROM "+rel.name+fmt.Sprintf(" WHERE c1 < %d) ", 1+g.Intn(3)))
}
