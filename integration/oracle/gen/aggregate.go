package gen

// aggregateClass draws the class of an aggregate's value.
func (g *Generator) aggregateClass() Class {
	return pick(g.random, Int, Int, Int, Wide, Wide, Dec, Dbl, Dbl, Odd, Text, Text, Bool, Date, TS, Ints, Texts)
}

// aggregate makes an aggregate function whose value has class c (or one that is near it) over the rows of s. Loose ones are
// made only where they may be.
func (g *Generator) aggregate(c Class, s *scope, loose bool) *Node {
	if loose && g.percent(8) {
		c = Loose
	}
	arg := func(c Class) *Node {
		if g.percent(75) {
			return g.expr(c, s, 0)
		}
		return g.expr(c, s, 1)
	}
	distinct := func() string { return pick(g.random, "", "", "", "DISTINCT ") }
	call := func(result Class, parts ...any) *Node {
		if g.percent(15) {
			parts = append(parts, optional(" FILTER (WHERE ", g.condition(s, 0), ")"))
		}
		return val(result, parts...)
	}
	extreme := func() string { return pick(g.random, "min(", "max(") }
	if g.percent(6) { // any class has these
		if columns := s.of(usable); len(columns) > 0 {
			col := pick(g.random, columns...)
			if g.percent(50) || col.class == Interval {
				return call(Int, "count(", distinct(), columnRef(col), ")")
			}
			return call(col.class, extreme(), columnRef(col), ")")
		}
	}
	switch c {
	case Loose:
		return g.loose(s, call)
	case Int:
		switch g.Intn(8) {
		case 0, 1:
			return call(Int, "count(*)")
		case 2:
			return call(Int, "count_if(", g.condition(s, 0), ")")
		case 3:
			return call(Int, "count(DISTINCT ", arg(pick(g.random, Int, Text, Date, Dec)), ")")
		case 4:
			return call(Int, extreme(), arg(Int), ")")
		case 5:
			return call(Wide, pick(g.random, "bit_and(", "bit_or(", "bit_xor("), "CAST(", arg(Int), " AS BIGINT))")
		}
		return call(Int, "count(", distinct(), arg(pick(g.random, Int, Text, Dbl, TS)), ")")
	case Wide:
		if g.percent(25) {
			return call(Wide, extreme(), arg(Wide), ")")
		}
		return call(Wide, "sum(", distinct(), arg(pick(g.random, Int, Int, Int, Wide)), ")")
	case Dec:
		if g.percent(40) {
			return call(Dec, extreme(), arg(Dec), ")")
		}
		return call(Dec, "sum(", distinct(), arg(Dec), ")")
	case Dbl:
		if g.percent(40) {
			return call(Dbl, extreme(), arg(Dbl), ")")
		}
		return call(Dbl, "sum(", distinct(), arg(Dbl), ")")
	case Odd:
		return g.odd(call, arg, distinct, extreme)
	case Bool:
		return call(Bool, pick(g.random, "bool_and(", "bool_or("), arg(Bool), ")")
	case Text:
		if g.percent(35) {
			a := sortable(arg(Text))
			return call(Text, "string_agg(", distinct(), a, ", ',' ORDER BY ", a, pick(g.random, "", " DESC", " NULLS FIRST"), ")")
		}
		return call(Text, extreme(), arg(Text), ")")
	case Ints, Texts:
		of := map[Class]Class{Ints: Int, Texts: Text}[c]
		a := sortable(arg(of))
		if c == Ints {
			a = val(Int, "CAST(", a, " AS INTEGER)")
		}
		return call(c, pick(g.random, "list(", "array_agg("), distinct(), a, " ORDER BY ", a, pick(g.random, "", " DESC", " NULLS LAST"), ")")
	}
	if !c.opaque() && c != Pair && c != Interval && c != UUID && c != Blob && g.percent(80) {
		return call(c, extreme(), arg(c), ")")
	}
	a := sortable(arg(c))
	return call(c, pick(g.random, "first(", "last("), a, " ORDER BY ", a, pick(g.random, "", " DESC"), " NULLS LAST)")
}

// sortable makes an expression fit for ORDER BY, where DuckDB refuses constants.
func sortable(n *Node) *Node {
	if n.literal() {
		return val(n.class, "coalesce(", n, ", ", n, ")")
	}
	return n
}

// odd are the aggregates whose values are doubles of any kind, and the same in any order of rows.
func (g *Generator) odd(call func(Class, ...any) *Node, arg func(Class) *Node, distinct, extreme func() string) *Node {
	number := pick(g.random, Int, Dec, Dbl)
	switch g.Intn(6) {
	case 0:
		return call(Odd, "median(", arg(number), ")")
	case 1:
		return call(Odd, "quantile_cont(", arg(number), pick(g.random, ", 0.25)", ", 0.9)"))
	case 2:
		return call(Odd, "CAST(quantile_disc(", arg(number), ", 0.5) AS DOUBLE)")
	case 3:
		return call(Odd, extreme(), arg(Odd), ")")
	}
	return call(Odd, "avg(", distinct(), arg(number), ")")
}

// loose are the aggregates whose last digits depend on the order of rows.
func (g *Generator) loose(s *scope, call func(Class, ...any) *Node) *Node {
	of := func(c Class) *Node { return g.expr(c, s, 0) }
	switch g.Intn(4) {
	case 0:
		return call(Loose, pick(g.random, "stddev_samp(", "stddev_pop(", "var_samp(", "var_pop("), of(pick(g.random, Int, Dbl)), ")")
	case 1:
		return call(Loose, pick(g.random, "sum(", "avg("), "sqrt(abs(", of(pick(g.random, Int, Dbl)), ")))")
	case 2:
		return call(Loose, "covar_pop(", of(Dbl), ", ", of(Int), ")")
	}
	return call(Loose, "regr_count(", of(Dbl), ", ", of(Int), ")")
}

// scalarQuery makes a subquery that has at most one row.
func (g *Generator) scalarQuery(c Class, s *scope) *Node {
	g.budget--
	if g.percent(45) {
		return g.onceAKey(c, s)
	}
	from, inner := g.from(s, pick(g.random, 0, 0, 1))
	where := g.correlation(s, inner)
	if g.percent(25) {
		where = txt("")
	}
	if g.percent(20) {
		item := g.expr(c, inner, 0)
		return val(c, "(SELECT ", item, from, where, " ORDER BY 1"+pick(g.random, "", " DESC")+" NULLS LAST LIMIT 1)")
	}
	own := &scope{columns: inner.columns} // an aggregate over outer columns alone would be the outer query's
	a := g.aggregate(c, own, false)
	if a.class != c { // near, but not the same
		a = val(c, "max(", g.expr(c, own, 0), ")")
	}
	return val(c, "(SELECT ", a, from, where, ")")
}
