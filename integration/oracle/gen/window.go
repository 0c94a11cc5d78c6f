package gen

import "fmt"

// totalColumnsMax is how many columns may stand in the ORDER BY of a window that needs a total order.
const totalColumnsMax = 14

// window makes a window function over the rows of s.
func (g *Generator) window(s *scope) *Node {
	columns := s.of(usable)
	if len(columns) == 0 {
		return val(Int, "count(*) OVER ()")
	}
	partition := g.partitionBy(columns)
	if g.percent(55) && len(columns) == len(s.columns) && len(columns) <= totalColumnsMax {
		return g.totalWindow(s, columns, partition)
	}
	by := columnRef(pick(g.random, columns...))
	order := optional(" ORDER BY ", by, g.direction())
	ordered := seq(" OVER (", partition, order, ")")
	switch g.Intn(5) {
	case 0:
		return val(Int, pick(g.random, "rank()", "dense_rank()"), " OVER (", partition, " ORDER BY ", by, g.direction(), ")")
	case 1:
		return val(Odd, pick(g.random, "percent_rank()", "cume_dist()"), " OVER (", partition, " ORDER BY ", by, g.direction(), ")")
	case 2:
		if ints := s.of(is(Int)); len(ints) > 0 {
			return val(Wide, "sum(", g.expr(Int, s, 0), ") OVER (", partition, " ORDER BY ", columnRef(pick(g.random, ints...)),
				fmt.Sprintf(" RANGE BETWEEN %d PRECEDING AND %d FOLLOWING)", g.Intn(4), g.Intn(4)))
		}
	case 3:
		return val(Wide, "sum(", g.expr(Int, s, 0), ") OVER (", partition, " ORDER BY ", by,
			fmt.Sprintf(" GROUPS BETWEEN %d PRECEDING AND CURRENT ROW)", g.Intn(3)))
	}
	return g.windowAggregate(s, ordered)
}

func (g *Generator) partitionBy(columns []column) *Node {
	var by []*Node
	for range pick(g.random, 0, 1, 1, 1, 2) {
		c := pick(g.random, columns...)
		if columns[0].key() > 0 && g.percent(25) {
			c = columns[0]
		}
		by = append(by, columnRef(c))
	}
	if len(by) == 0 {
		return txt("")
	}
	return optional("PARTITION BY ", listed(1, ", ", by))
}

func (g *Generator) direction() string {
	return pick(g.random, "", "", " DESC", " NULLS FIRST", " DESC NULLS LAST")
}

// windowAggregate is an aggregate whose value does not depend on the order of the rows in its frame.
func (g *Generator) windowAggregate(s *scope, over *Node) *Node {
	filter := txt("")
	if g.percent(20) {
		filter = optional(" FILTER (WHERE ", g.condition(s, 0), ")")
	}
	switch g.Intn(7) {
	case 0:
		return val(Int, "count(*)", filter, over)
	case 1:
		return val(Wide, "sum(", g.expr(Int, s, 0), ")", filter, over)
	case 2:
		return val(Dbl, "sum(", g.expr(Dbl, s, 0), ")", filter, over)
	case 3:
		return val(Text, "min(", g.expr(Text, s, 0), ")", filter, over)
	case 4:
		return val(Dec, "max(", g.expr(Dec, s, 0), ")", filter, over)
	case 5:
		return val(Odd, "avg(", g.expr(Int, s, 0), ")", filter, over)
	}
	return val(Int, "count(DISTINCT ", g.expr(Int, s, 0), ")", filter, over)
}

// totalWindow is a window whose ORDER BY leaves no ties but between equal rows.
func (g *Generator) totalWindow(s *scope, columns []column, partition *Node) *Node {
	shuffled := append([]column(nil), columns...)
	g.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	keys := make([]*Node, len(shuffled))
	for i, c := range shuffled {
		keys[i] = seq(columnRef(c), g.direction())
	}
	total := seq(partition, " ORDER BY ", listed(len(keys), ", ", keys))
	framed := seq(" OVER (", total, optional(g.frame()), ")")
	over := seq(" OVER (", total, ")")
	c := pick(g.random, columns...).class
	switch g.Intn(8) {
	case 0, 1:
		return val(Int, "row_number()", over)
	case 2:
		return val(Int, "ntile(3)", over)
	case 3:
		return val(c, pick(g.random, "lag(", "lead("), g.expr(c, s, 0), pick(g.random, ")", ", 2)", " IGNORE NULLS)"), over)
	case 4:
		return val(c, pick(g.random, "first_value(", "last_value("), g.expr(c, s, 0), pick(g.random, ")", " IGNORE NULLS)"), framed)
	case 5:
		return val(c, "nth_value(", g.expr(c, s, 0), ", 2)", framed)
	case 6:
		return val(Texts, "list(", g.expr(Text, s, 0), ")", framed)
	}
	return g.windowAggregate(s, framed)
}

func (g *Generator) frame() string {
	start := pick(g.random, "UNBOUNDED PRECEDING", fmt.Sprintf("%d PRECEDING", g.Intn(4)), "CURRENT ROW")
	end := pick(g.random, "UNBOUNDED FOLLOWING", fmt.Sprintf("%d FOLLOWING", g.Intn(4)), "CURRENT ROW")
	return " ROWS BETWEEN " + start + " AND " + end + pick(g.random, "", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE TIES", " EXCLUDE GROUP")
}
