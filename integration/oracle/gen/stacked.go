package gen

import "fmt"

// stacked makes a query over rows that were grouped by a key, and looks at them by that key again: in a plan they lie by it
// already, which is to be made use of, or must not be taken for granted.
func (g *Generator) stacked() (*Node, []Class) {
	left, columns := g.perKey()
	key := columnRef(columns[0])
	from := seq(" FROM ", left)
	last := columnRef(columns[len(columns)-1])
	switch g.Intn(6) {
	case 0:
		over := seq(" OVER (PARTITION BY ", key, ")")
		items := []*Node{key, val(Int, "count(*)", over), val(last.class, "max(", last, ")", over)}
		if last.class.opaque() {
			items = items[:2]
		}
		return body("SELECT ", items, from), classes(items)
	case 1:
		return g.distinctOn(from, txt(""), key, last)
	case 2:
		items := []*Node{key, val(Int, "count(*)"), val(Int, "count(", last, ")")}
		return body("SELECT ", items, from, " GROUP BY ", key), classes(items)
	case 3:
		return g.headCount()
	}
	// A join by the key, with rows that lie by theirs too or with others.
	right, others := g.perKey()
	if g.percent(40) {
		right, others = g.source(0)
	}
	for i := 0; !joins(columns[0].class, others[0].class); i++ {
		if right, others = g.source(0); i == shapesTried {
			right, others = left, nil
			break
		}
	}
	if others == nil { // nothing to be joined by: its own keys once more
		items := []*Node{key, last}
		return body("SELECT DISTINCT ", items, from), classes(items)
	}
	kind := pick(g.random, " JOIN ", " JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " SEMI JOIN ", " ANTI JOIN ")
	items := []*Node{key, last}
	if kind != " SEMI JOIN " && kind != " ANTI JOIN " {
		items = append(items, columnRef(others[0]), columnRef(others[len(others)-1]))
	}
	return body("SELECT ", items, from, kind, right, " ON (", key, " = ", columnRef(others[0]), ")"), classes(items)
}

// shapesTried is how many sources are looked at for one that can be joined.
const shapesTried = 6

// perKey makes a derived table of one row a key, led by it.
func (g *Generator) perKey() (*Node, []column) {
	from, s := g.from(nil, pick(g.random, 0, 0, 1))
	keys := s.of(usable)
	if len(keys) == 0 {
		keys = s.columns
	}
	key := pick(g.random, keys...)
	if keys[0].key() > 0 && g.percent(70) {
		key = keys[0]
	}
	items := []*Node{columnRef(key)}
	for range 1 + g.Intn(2) {
		items = append(items, g.aggregate(g.aggregateClass(), &scope{columns: s.columns}, false))
	}
	return g.derived("(", body("SELECT ", items, from, " GROUP BY ", items[0]), classes(items))
}

// headCount counts the rows that a LIMIT without an order leaves, which are as many whichever they are.
func (g *Generator) headCount() (*Node, []Class) {
	from, s := g.from(nil, 1)
	items, classes := g.items(nil, &scope{columns: s.columns})
	inner := body("SELECT ", items, from, fmt.Sprintf(" LIMIT %d", pick(g.random, 1, 3, 10, 50, 1000)), optional(fmt.Sprintf(" OFFSET %d", 1+g.Intn(5))))
	source, _ := g.derived("(", inner, classes)
	return body("SELECT ", []*Node{val(Int, "count(*)")}, " FROM ", source), []Class{Int}
}

// onceAKey makes a scalar subquery with one row for each value of the column that it is tied by.
func (g *Generator) onceAKey(c Class, s *scope) *Node {
	from, inner := g.from(s, 0)
	own := &scope{columns: inner.columns}
	for _, mine := range own.of(func(c Class) bool { return usable(c) && c != Bool }) {
		for _, outer := range s.of(func(c Class) bool { return joins(mine.class, c) }) {
			by := columnRef(mine)
			where := seq(" WHERE (", by, " = ", columnRef(outer), ")")
			return val(c, "(SELECT max(", g.expr(c, own, 0), ")", from, where, " GROUP BY ", by, ")")
		}
	}
	return val(c, "(SELECT max(", g.expr(c, own, 0), ")", from, ")")
}
