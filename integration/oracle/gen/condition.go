package gen

import (
	"cmp"
	"slices"
)

// condition makes an expression of class Bool.
func (g *Generator) condition(s *scope, depth int) *Node {
	deeper := max(depth-1, 0)
	choices := []choice{
		{10, func() *Node { return g.comparison(s, deeper) }},
		{3, func() *Node { return g.nullTest(s, deeper) }},
		{3, func() *Node { return g.inList(s, deeper) }},
		{2, func() *Node { return g.between(s, deeper) }},
		{2, func() *Node { return g.like(s, deeper) }},
		{2, func() *Node { return g.expr(Bool, s, 0) }},
	}
	if depth > 0 {
		choices = append(choices,
			choice{4, func() *Node {
				return val(Bool, "(", g.condition(s, deeper), pick(g.random, " AND ", " OR "), g.condition(s, deeper), ")")
			}},
			choice{2, func() *Node { return val(Bool, "(NOT ", g.condition(s, deeper), ")") }})
		if g.budget > 0 {
			choices = append(choices, choice{8, func() *Node { return g.subqueryCondition(s) }})
		}
	}
	return g.weighted(choices...)
}

// two makes two expressions that compare with each other, at least one of them over a column if there is one.
func (g *Generator) two(s *scope, depth int) (*Node, *Node) {
	candidates := s.of(usable)
	if len(candidates) == 0 {
		c := pick(g.random, computable...)
		return g.expr(c, s, depth), g.expr(c, s, depth)
	}
	first := pick(g.random, candidates...)
	return columnRef(first), g.expr(g.partner(first.class), s, depth)
}

// partner is a class that compares with c.
func (g *Generator) partner(c Class) Class {
	switch {
	case c == Int && g.percent(25):
		return pick(g.random, Wide, Dec, Dbl)
	case c == Dec && g.percent(25):
		return Int
	case (c == Wide || c == Odd) && g.percent(40):
		return Int
	case c == Date && g.percent(20):
		return TS
	}
	return c
}

func (g *Generator) comparison(s *scope, depth int) *Node {
	a, b := g.two(s, depth)
	op := pick(g.random, " = ", " = ", " <> ", " < ", " <= ", " > ", " >= ", " IS DISTINCT FROM ", " IS NOT DISTINCT FROM ")
	return val(Bool, "(", a, op, b, ")")
}

func (g *Generator) nullTest(s *scope, depth int) *Node {
	var of *Node
	if columns := s.of(usable); len(columns) > 0 {
		of = columnRef(pick(g.random, columns...))
	} else {
		of = g.expr(pick(g.random, computable...), s, depth)
	}
	return val(Bool, "(", of, pick(g.random, " IS NULL", " IS NOT NULL"), ")")
}

func (g *Generator) inList(s *scope, depth int) *Node {
	c := pick(g.random, Int, Int, Text, Date, Dec)
	items := make([]*Node, 1+g.Intn(4))
	for i := range items {
		items[i] = val(c, g.literal(c, 6))
	}
	if g.percent(15) {
		items = append(items, txt("NULL"))
	}
	return val(Bool, "(", g.expr(c, s, depth), pick(g.random, " IN (", " IN (", " NOT IN ("), listed(1, ", ", items), "))")
}

func (g *Generator) between(s *scope, depth int) *Node {
	c := pick(g.random, Int, Dec, Dbl, Date, TS, Text)
	return val(Bool, "(", g.expr(c, s, depth), pick(g.random, " BETWEEN ", " BETWEEN ", " NOT BETWEEN "),
		val(c, g.literal(c, 10)), " AND ", g.expr(c, s, 0), ")")
}

func (g *Generator) like(s *scope, depth int) *Node {
	return val(Bool, "(", g.expr(Text, s, depth), pick(g.random, " LIKE ", " NOT LIKE ", " ILIKE "),
		pick(g.random, "'a%'", "'%b%'", "'_'", "''", "'%'"), ")")
}

// subqueryCondition makes EXISTS, IN, NOT IN, ANY and ALL, correlated or not.
func (g *Generator) subqueryCondition(s *scope) *Node {
	g.budget--
	columns := s.of(func(c Class) bool { return usable(c) && c != Interval })
	if len(columns) == 0 || g.percent(35) {
		from, inner := g.from(s, 1)
		return val(Bool, "(", pick(g.random, "EXISTS", "NOT EXISTS"), " (SELECT 1", from, g.correlation(s, inner), "))")
	}
	left := pick(g.random, columns...)
	from, inner := g.from(s, 1)
	var item *Node
	if same := inner.of(is(left.class)); len(same) > 0 && g.percent(85) {
		item = columnRef(pick(g.random, same...))
	} else {
		item = g.expr(left.class, &scope{columns: inner.columns}, 1)
	}
	where := txt("")
	if g.percent(30) {
		where = g.correlation(s, inner)
	} else if g.percent(30) {
		where = optional(" WHERE ", g.condition(&scope{columns: inner.columns}, 1))
	}
	op := pick(g.random, " IN ", " IN ", " NOT IN ", " NOT IN ", " = ANY ", " <> ALL ", " < ANY ", " >= ALL ")
	if left.class.opaque() || left.class == Ints || left.class == Texts || left.class == Pair {
		op = pick(g.random, " IN ", " NOT IN ")
	}
	return val(Bool, "(", columnRef(left), op, "(SELECT ", item, from, where, "))")
}

// correlation is a WHERE that ties inner rows to outer ones.
func (g *Generator) correlation(outer, inner *scope) *Node {
	var ties []*Node
	for range pick(g.random, 1, 1, 1, 2) {
		if tie := g.tie(inner, outer); tie != nil {
			ties = append(ties, tie)
		}
	}
	if len(ties) == 0 || g.percent(15) {
		ties = append(ties, g.condition(&scope{columns: inner.columns, outer: outer}, 1)) // may nest
	}
	return optional(" WHERE ", listed(1, " AND ", ties))
}

// tie is an equality (seldom something else) between a column of a and one of b; nil when none compare.
func (g *Generator) tie(a, b *scope) *Node {
	lefts := a.of(func(c Class) bool { return usable(c) && c != Bool })
	g.Shuffle(len(lefts), func(i, k int) { lefts[i], lefts[k] = lefts[k], lefts[i] })
	if g.percent(50) { // the column that is made to be joined by
		slices.SortStableFunc(lefts, func(a, b column) int { return cmp.Compare(b.key(), a.key()) })
	}
	for _, l := range lefts {
		rights := b.of(func(c Class) bool { return joins(l.class, c) })
		if len(rights) == 0 {
			continue
		}
		op := pick(g.random, " = ", " = ", " = ", " = ", " = ", " = ", " IS NOT DISTINCT FROM ", " < ", " >= ", " <> ")
		r := pick(g.random, rights...)
		if at := slices.IndexFunc(rights, func(c column) bool { return c.key() > 0 }); l.key() > 0 && at >= 0 {
			r = rights[at]
		}
		return val(Bool, "(", columnRef(l), op, columnRef(r), ")")
	}
	return nil
}

// joins reports whether values of the classes compare without an error, whatever they are.
func joins(a, b Class) bool {
	if a == b {
		return a != Loose
	}
	if !a.numeric() || !b.numeric() {
		return a == Date && b == TS || a == TS && b == Date
	}
	return !(a == Dec && (b == Wide || b == Odd) || b == Dec && (a == Wide || a == Odd))
}
