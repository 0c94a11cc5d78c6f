package gen

import (
	"fmt"
	"slices"
	"strings"
)

// selectBody makes one SELECT without ORDER BY and LIMIT. want are the classes that its columns must have; nil leaves them
// free. Only the outermost one may have Loose columns.
func (g *Generator) selectBody(want []Class, outer *scope, depth int, outermost bool) (*Node, []Class) {
	from, s := g.from(outer, depth)
	where := txt("")
	if g.percent(25) {
		where = optional(" WHERE ", g.condition(s, 2))
	}
	switch at := g.Intn(100); {
	case at < 36:
		return g.grouped(want, from, where, s, outermost)
	case at < 46:
		return g.global(want, from, where, s, outermost)
	case at < 56:
		items, classes := g.items(want, s)
		return body("SELECT DISTINCT ", items, from, where), classes
	case at < 60 && want == nil && outermost:
		items, _ := g.items(nil, s)
		return g.distinctOn(from, where, items...)
	}
	items, classes := g.items(want, s)
	qualify := txt("")
	if g.percent(5) {
		qualify = optional(" QUALIFY ", g.window(s), " IS NOT NULL")
	}
	return body("SELECT ", items, from, where, qualify), classes
}

// body makes a query of its parts; items get the names c0, c1, ….
func body(verb string, items []*Node, rest ...any) *Node {
	named := make([]*Node, len(items))
	for i, n := range items {
		named[i] = seq(n, fmt.Sprintf(" AS c%d", i))
	}
	return &Node{role: query, parts: nodes(append([]any{verb, listed(1, ", ", named)}, rest...))}
}

// items makes the output of a SELECT without grouping.
func (g *Generator) items(want []Class, s *scope) ([]*Node, []Class) {
	if want != nil {
		items := make([]*Node, len(want))
		for i, c := range want {
			items[i] = g.expr(c, s, 1)
		}
		return items, want
	}
	var items []*Node
	columns := s.of(usable)
	for range 1 + g.Intn(4) {
		var n *Node
		switch at := g.Intn(100); {
		case at < 50 && len(columns) > 0:
			n = columnRef(pick(g.random, columns...))
		case at < 64:
			n = g.window(s)
		case at < 75:
			n = g.dress(s, 1)
		case at < 80 && g.budget > 0:
			n = g.scalarQuery(pick(g.random, computable...), s)
		default:
			n = g.expr(pick(g.random, computable...), s, 2)
		}
		items = append(items, n)
	}
	return items, classes(items)
}

func classes(items []*Node) []Class {
	out := make([]Class, len(items))
	for i, n := range items {
		out[i] = n.class
	}
	return out
}

// keys makes what a statement groups by.
func (g *Generator) keys(s *scope) []*Node {
	columns := s.of(usable)
	var keys []*Node
	for _, c := range columns {
		if strings.HasSuffix(c.ref, "."+wideName) && g.percent(90) {
			keys = append(keys, columnRef(c))
			break
		}
	}
	for n := pick(g.random, 1, 1, 1, 2, 2, 3); len(keys) < n; {
		switch {
		case len(columns) > 0 && len(keys) == 0 && columns[0].key() > 0 && g.percent(30):
			keys = append(keys, columnRef(columns[0]))
		case len(columns) > 0 && g.percent(75):
			keys = append(keys, columnRef(pick(g.random, columns...)))
		case g.percent(40):
			keys = append(keys, g.dress(s, 0))
		default:
			if key := g.expr(pick(g.random, Int, Text, Bool, Date), s, 1); !key.literal() {
				keys = append(keys, key) // a number would be an ordinal
			}
		}
	}
	return keys
}

// grouped makes GROUP BY with its aggregates, its grouping sets and its HAVING.
func (g *Generator) grouped(want []Class, from, where *Node, s *scope, outermost bool) (*Node, []Class) {
	keys := g.keys(s)
	by, sets := g.groupBy(keys)
	var items []*Node
	if want != nil {
		for _, c := range want {
			if i := slices.IndexFunc(keys, func(k *Node) bool { return k.class == c }); i >= 0 && g.percent(60) {
				items = append(items, keys[i])
				continue
			}
			a := g.aggregate(c, s, false)
			if a.class != c {
				a = val(c, "max(", g.expr(c, s, 0), ")")
			}
			items = append(items, a)
		}
		return body("SELECT ", items, from, where, by, g.having(s)), want
	}
	for _, k := range keys {
		if g.percent(85) {
			items = append(items, k)
		}
	}
	for range g.Intn(4) {
		items = append(items, g.aggregate(g.aggregateClass(), s, outermost))
	}
	if sets && g.percent(60) {
		items = append(items, val(Int, "GROUPING(", listed(1, ", ", keys), ")"))
	}
	if len(items) == 0 {
		items = append(items, val(Int, "count(*)"))
	}
	return body("SELECT ", items, from, where, by, g.having(s)), classes(items)
}

func (g *Generator) groupBy(keys []*Node) (by *Node, sets bool) {
	list := listed(1, ", ", keys)
	switch g.Intn(12) {
	case 0:
		return seq(" GROUP BY ROLLUP (", list, ")"), true
	case 1:
		return seq(" GROUP BY CUBE (", list, ")"), true
	case 2, 3:
		sets := []*Node{seq("(", list, ")")}
		for range 1 + g.Intn(3) {
			var some []*Node
			for _, k := range keys {
				if g.percent(50) {
					some = append(some, k)
				}
			}
			sets = append(sets, seq("(", &Node{parts: append([]*Node{txt("")}, some...), sep: ", "}, ")"))
		}
		return seq(" GROUP BY GROUPING SETS (", listed(1, ", ", sets), ")"), true
	}
	return seq(" GROUP BY ", list), false
}

func (g *Generator) having(s *scope) *Node {
	if !g.percent(12) {
		return txt("")
	}
	switch g.Intn(3) {
	case 0:
		return optional(" HAVING count(*) > ", pick(g.random, "0", "1", "2"))
	case 1:
		return optional(" HAVING sum(", g.expr(Int, s, 0), ") ", pick(g.random, "> 0", "<> 3", "IS NULL"))
	}
	return optional(" HAVING min(", g.expr(Text, s, 0), ") ", pick(g.random, "< 'b'", ">= 'a'", "IS NOT NULL"))
}

// global makes aggregates without GROUP BY.
func (g *Generator) global(want []Class, from, where *Node, s *scope, outermost bool) (*Node, []Class) {
	var items []*Node
	if want != nil {
		for _, c := range want {
			a := g.aggregate(c, s, false)
			if a.class != c {
				a = val(c, "max(", g.expr(c, s, 0), ")")
			}
			items = append(items, a)
		}
		return body("SELECT ", items, from, where), want
	}
	if g.percent(15) { // all DISTINCT over one argument
		arg := g.expr(pick(g.random, Int, Int, Text, Date), s, 0)
		items = []*Node{val(Int, "count(DISTINCT ", arg, ")"), val(arg.class, "max(DISTINCT ", arg, ")")}
		if arg.class == Int {
			items = append(items, val(Wide, "sum(DISTINCT ", arg, ")"))
		}
		return body("SELECT ", items, from, where), classes(items)
	}
	for range 1 + g.Intn(4) {
		items = append(items, g.aggregate(g.aggregateClass(), s, outermost))
	}
	having := txt("")
	if g.percent(10) {
		having = optional(" HAVING count(*) ", pick(g.random, "> 0", "= 0", "> 5"))
	}
	return body("SELECT ", items, from, where, having), classes(items)
}

// distinctOn makes DISTINCT ON the first item with the order that decides which row stays.
func (g *Generator) distinctOn(from, where *Node, items ...*Node) (*Node, []Class) {
	on := items[0]
	keys := []*Node{seq(on, g.direction())}
	for _, n := range items[1:] {
		keys = append(keys, seq(n, g.direction()))
	}
	order := seq(" ORDER BY ", listed(len(keys), ", ", keys))
	n := body("SELECT DISTINCT ON (", items, from, where, order)
	n.parts[0] = seq("SELECT DISTINCT ON (", on, ") ")
	n.closed = true
	return n, classes(items)
}
