package gen

import (
	"fmt"
	"strings"
)

// from makes " FROM …" and what is in reach behind it. Subqueries in it are at most depth deep.
func (g *Generator) from(outer *scope, depth int) (*Node, *scope) {
	source, columns := g.joined(outer, depth)
	return seq(" FROM ", source), &scope{columns: columns, outer: outer}
}

// joined makes a source and joins others to it.
func (g *Generator) joined(outer *scope, depth int) (*Node, []column) {
	left, columns := g.source(depth)
	joins := 0
	if depth > 0 {
		joins = pick(g.random, 0, 0, 1, 1, 1, 2, 2, 3)
	} else if g.percent(20) {
		joins = 1
	}
	for ; joins > 0 && g.budget > 0; joins-- {
		left, columns = g.join(left, columns, outer, depth)
	}
	return left, columns
}

// source makes one thing to select from.
func (g *Generator) source(depth int) (*Node, []column) {
	g.budget--
	switch {
	case len(g.ctes) > 0 && g.percent(55): // several times, mostly
		return g.named(pick(g.random, g.ctes...))
	case depth > 0 && g.percent(22):
		inner, classes := g.query(nil, nil, depth-1, false)
		return g.derived("(", inner, classes)
	case g.percent(4):
		return g.values()
	case g.percent(3):
		a := g.alias()
		return &Node{role: source, parts: nodes([]any{fmt.Sprintf("range(%d) AS %s(c0)", g.Intn(8), a)})}, []column{{a + ".c0", Int}}
	}
	for {
		t := pick(g.random, g.tables...)
		if t.large && (g.large || g.percent(30)) || (t.small || t.system) && g.percent(70) {
			continue
		}
		g.large = g.large || t.large
		return g.named(t)
	}
}

func (g *Generator) named(t relation) (*Node, []column) {
	a := g.alias()
	columns := make([]column, len(t.classes))
	for i, c := range t.classes {
		columns[i] = column{a + "." + t.names[i], c}
	}
	return &Node{role: source, parts: nodes([]any{t.name + " AS " + a})}, columns
}

// derived makes a query in brackets a source; open is "(" or "LATERAL (".
func (g *Generator) derived(open string, inner *Node, classes []Class) (*Node, []column) {
	a := g.alias()
	columns, names := make([]column, len(classes)), make([]string, len(classes))
	for i, c := range classes {
		names[i] = fmt.Sprintf("c%d", i)
		columns[i] = column{a + "." + names[i], c}
	}
	return &Node{role: source, parts: nodes([]any{open, inner, ") AS " + a + "(" + strings.Join(names, ", ") + ")"})}, columns
}

func (g *Generator) values() (*Node, []column) {
	classes := []Class{Int, Text, pick(g.random, computable...)}
	rows := make([]*Node, 1+g.Intn(4))
	for i := range rows {
		cells := make([]string, len(classes))
		for k, c := range classes {
			cells[k] = g.literal(c, 5)
		}
		rows[i] = txt("(" + strings.Join(cells, ", ") + ")")
	}
	return g.derived("(VALUES ", listed(1, ", ", rows), classes)
}

// join joins one more source to the left one.
func (g *Generator) join(left *Node, columns []column, outer *scope, depth int) (*Node, []column) {
	joinedTo := func(op string, right *Node, on *Node) *Node {
		return &Node{role: source, parts: nodes([]any{left, op, right, on})}
	}
	if depth > 0 && g.percent(8) {
		return g.lateral(left, columns, outer)
	}
	right, others := g.source(depth)
	both := append(append([]column(nil), columns...), others...)
	if !g.large && g.percent(5) {
		return joinedTo(pick(g.random, " CROSS JOIN ", ", "), right, txt("")), both
	}
	if c := columns[0]; g.percent(5) && strings.HasSuffix(c.ref, ".k") && strings.HasSuffix(others[0].ref, ".k") &&
		c.class == others[0].class && len(left.parts) == 1 {
		return joinedTo(pick(g.random, " JOIN ", " LEFT JOIN ", " FULL JOIN "), right, txt(" USING (k)")), both
	}
	on := g.on(columns, others)
	kind := pick(g.random, " JOIN ", " JOIN ", " JOIN ", " JOIN ", " LEFT JOIN ", " LEFT JOIN ", " LEFT JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " RIGHT JOIN ",
		" FULL JOIN ", " FULL JOIN ", " SEMI JOIN ", " SEMI JOIN ", " ANTI JOIN ", " ANTI JOIN ")
	if kind == " SEMI JOIN " || kind == " ANTI JOIN " {
		both = columns
	}
	return joinedTo(kind, right, seq(" ON ", on)), both
}

// on makes a join condition: mostly equalities, seldom something more or something else.
func (g *Generator) on(left, right []column) *Node {
	l, r := &scope{columns: left}, &scope{columns: right}
	var all []*Node
	for range pick(g.random, 1, 1, 1, 1, 1, 1, 2, 3) {
		if tie := g.tie(l, r); tie != nil {
			all = append(all, tie)
		}
	}
	if len(all) == 0 {
		all = append(all, txt("true"))
	}
	if g.percent(12) {
		both := &scope{columns: append(append([]column(nil), left...), right...)}
		budget := g.budget
		g.budget = 0 // not every kind of join takes subqueries in its condition
		all = append(all, g.condition(both, 1))
		g.budget = budget
	}
	return listed(1, " AND ", all)
}

// lateral joins a subquery that reads the row to its left.
func (g *Generator) lateral(left *Node, columns []column, outer *scope) (*Node, []column) {
	around := &scope{columns: columns, outer: outer}
	from, inner := g.from(around, 0)
	where := g.correlation(around, inner)
	var items []*Node
	var classes []Class
	if g.percent(50) {
		for range 1 + g.Intn(2) {
			n := g.aggregate(g.aggregateClass(), &scope{columns: inner.columns}, false)
			items, classes = append(items, n), append(classes, n.class)
		}
	} else {
		for range 1 + g.Intn(2) {
			n := columnRef(pick(g.random, inner.columns...))
			items, classes = append(items, n), append(classes, n.class)
		}
	}
	tail := txt("")
	if g.percent(30) {
		tail = optional(g.totalOrder(len(items)), fmt.Sprintf(" LIMIT %d", 1+g.Intn(3)))
	}
	body := &Node{role: query, parts: nodes([]any{"SELECT ", listed(len(items), ", ", items), from, where, tail})}
	source_, others := g.derived("LATERAL (", body, classes)
	kind, on := pick(g.random, ", ", " CROSS JOIN ", " LEFT JOIN "), ""
	if kind == " LEFT JOIN " {
		on = " ON true"
	}
	return &Node{role: source, parts: nodes([]any{left, kind, source_, on})}, append(append([]column(nil), columns...), others...)
}
