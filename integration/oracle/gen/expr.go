package gen

import "fmt"

// expr makes an expression of class c over a scope, at most depth deep.
func (g *Generator) expr(c Class, s *scope, depth int) *Node {
	own, around := s.of(is(c)), []column(nil)
	if s != nil {
		around = s.outer.of(is(c))
	}
	choices := []choice{{2, func() *Node { return val(c, g.literal(c, 10)) }}}
	if len(own) > 0 {
		choices = append(choices, choice{14, func() *Node { return columnRef(pick(g.random, own...)) }})
	}
	if len(around) > 0 {
		choices = append(choices, choice{4, func() *Node { return columnRef(pick(g.random, around...)) }})
	}
	if depth > 0 {
		choices = append(choices, choice{4, func() *Node { return g.operation(c, s, depth-1) }},
			choice{2, func() *Node { return g.conditional(c, s, depth-1) }})
		if g.budget > 0 && !c.opaque() && c != Odd {
			choices = append(choices, choice{1, func() *Node { return g.scalarQuery(c, s) }})
		}
	}
	return g.weighted(choices...)
}

// conditional makes CASE, COALESCE, NULLIF and the like, which every class has.
func (g *Generator) conditional(c Class, s *scope, depth int) *Node {
	of := func() *Node { return g.expr(c, s, depth) }
	switch g.Intn(5) {
	case 0:
		return val(c, "CASE WHEN ", g.condition(s, depth), " THEN ", of(), " ELSE ", of(), " END")
	case 1:
		return val(c, "CASE WHEN ", g.condition(s, depth), " THEN ", of(), " END")
	case 2:
		return val(c, "COALESCE(", of(), ", ", of(), ")")
	case 3:
		return val(c, "NULLIF(", of(), ", ", of(), ")")
	}
	if c == Interval || c == Ints || c == Texts || c == Pair || c.opaque() {
		return of()
	}
	return val(c, pick(g.random, "GREATEST(", "LEAST("), of(), ", ", of(), ")")
}

// operation makes a call or an operator whose result has class c.
func (g *Generator) operation(c Class, s *scope, depth int) *Node {
	of := func(c Class) *Node { return g.expr(c, s, depth) }
	switch c {
	case Bool:
		return g.condition(s, depth)
	case Int:
		return g.integer(s, depth)
	case Dec:
		switch g.Intn(4) {
		case 0:
			return val(c, "CAST(", of(Int), " AS DECIMAL(12,2))")
		case 1:
			return val(c, "(- ", of(c), ")")
		case 2:
			return val(c, "round(", of(c), ", 1)")
		}
		return val(c, "(", of(c), pick(g.random, " + ", " - "), of(c), ")")
	case Dbl:
		switch g.Intn(4) {
		case 0:
			return val(c, "CAST(", of(Int), " AS DOUBLE)")
		case 1:
			return val(c, "abs(", of(c), ")")
		case 2:
			return val(c, "(", of(c), " * 0.5::DOUBLE)")
		}
		return val(c, "(", of(c), pick(g.random, " + ", " - "), of(c), ")")
	case Odd:
		return val(c, pick(g.random, "sqrt(abs(", "cbrt((", "ln(1 + abs("), of(Dbl), "))")
	case Wide:
		return val(c, "CAST(", of(Int), " AS "+pick(g.random, "BIGINT", "HUGEINT")+")")
	case Text:
		return g.text(s, depth)
	case Date:
		switch g.Intn(3) {
		case 0:
			return val(c, "CAST(", of(TS), " AS DATE)")
		case 1:
			return val(c, "CAST(date_trunc('month', ", of(c), ") AS DATE)")
		}
		return val(c, "(", of(c), fmt.Sprintf(" + %d)", g.Intn(5)-2))
	case TS:
		switch g.Intn(3) {
		case 0:
			return val(c, "CAST(", of(Date), " AS TIMESTAMP)")
		case 1:
			return val(c, "date_trunc('", pick(g.random, "day", "hour", "month"), "', ", of(c), ")")
		}
		return val(c, "(", of(c), fmt.Sprintf(" + INTERVAL '%d hours')", g.Intn(20)))
	case TSTZ:
		return val(c, "CAST(", of(TS), " AS TIMESTAMPTZ)")
	case Ints:
		return val(c, "[", of(Int), ", ", of(Int), "]::INTEGER[]")
	case Texts:
		return val(c, "[", of(Text), ", ", of(Text), "]")
	case Pair:
		return val(c, "{'a': CAST(", of(Int), " AS INTEGER), 'b': ", of(Text), "}")
	}
	return g.conditional(c, s, depth)
}

func (g *Generator) integer(s *scope, depth int) *Node {
	of := func(c Class) *Node { return g.expr(c, s, depth) }
	switch g.Intn(9) {
	case 0:
		return val(Int, "length(", of(Text), ")")
	case 1:
		return val(Int, "CAST(", of(Bool), " AS INTEGER)")
	case 2:
		return val(Int, pick(g.random, "day", "month", "dayofweek"), "(", of(pick(g.random, Date, TS)), ")")
	case 3:
		return val(Int, "(", of(Int), pick(g.random, " % ", " // "), pick(g.random, "2", "3", "7", "0"), ")")
	case 4:
		return val(Int, "len(", of(pick(g.random, Ints, Texts)), ")")
	case 5:
		return val(Int, "(", of(Pair), ").a")
	case 6:
		return val(Int, "(CAST(", of(Int), " AS BIGINT) * ", pick(g.random, "2", "-1", "3"), ")")
	}
	return val(Int, "(CAST(", of(Int), " AS BIGINT)", pick(g.random, " + ", " - "), of(Int), ")")
}

func (g *Generator) text(s *scope, depth int) *Node {
	of := func(c Class) *Node { return g.expr(c, s, depth) }
	switch g.Intn(8) {
	case 0:
		return val(Text, "(", of(Text), " || ", of(Text), ")")
	case 1:
		return val(Text, pick(g.random, "upper(", "lower(", "trim(", "reverse("), of(Text), ")")
	case 2:
		return val(Text, "substr(", of(Text), ", 1, ", pick(g.random, "1", "2"), ")")
	case 3:
		return val(Text, "CAST(", of(pick(g.random, Int, Int, Dec, Date, TS, Bool, UUID)), " AS VARCHAR)")
	case 4:
		return val(Text, "concat(", of(Text), ", '-', ", of(Int), ")")
	case 5:
		return val(Text, "strftime(", of(Date), ", '%Y/%m')")
	case 6:
		return val(Text, "(", of(Pair), ").b")
	}
	return val(Text, "replace(", of(Text), ", 'a', 'b')")
}

// dress casts a value to a type that is rarer, so that every type travels: the result has that type's class.
func (g *Generator) dress(s *scope, depth int) *Node {
	of := func(c Class) *Node { return g.expr(c, s, depth) }
	try := func(c Class, sqlType string) *Node {
		out := classOf(describedAs(sqlType), true)
		if out == Wide || out == Odd || out == Text || out == Dec {
			out = exactly(sqlType) // not to be computed with
		}
		return val(out, "TRY_CAST(", of(c), " AS "+sqlType+")")
	}
	switch g.Intn(16) {
	case 0, 1:
		return try(Int, pick(g.random, "HUGEINT", "UHUGEINT", "TINYINT", "UBIGINT", "USMALLINT", "BIGNUM", "FLOAT"))
	case 2, 3:
		return try(Text, "ENUM('a', 'b', 'c', 'A', '', 'ab', 'é', 'NULL')")
	case 4:
		return try(Text, pick(g.random, "ENUM('b', 'a')", "BLOB", "JSON"))
	case 5:
		return try(Int, "DECIMAL(5,1)")
	case 6:
		return try(TS, pick(g.random, "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIME"))
	case 7:
		return val(exactly("BIT"), "CAST(CAST(", of(Int), " AS INTEGER) AS BIT)")
	case 8:
		return val(exactly("TIMETZ"), "CAST(", of(Time), " AS TIMETZ)")
	case 9:
		return val(exactly("INTEGER[2]"), "array_value(CAST(", of(Int), " AS INTEGER), 7)")
	case 10:
		return val(exactly("MAP(VARCHAR, INTEGER)"), "MAP {COALESCE(", of(Text), ", 'none'): CAST(", of(Int), " AS INTEGER)}")
	case 11:
		return val(exactly("UNION(k INTEGER, t VARCHAR)"), "CAST(CAST(", of(Int), " AS INTEGER) AS UNION(k INTEGER, t VARCHAR))")
	case 12:
		return val(exactly("STRUCT(x DECIMAL(9,2)[], y STRUCT(z DATE))"), "{'x': [CAST(", of(Int), " AS DECIMAL(9,2))], 'y': {'z': ", of(Date), "}}")
	case 13:
		return g.expr(Ints, s, depth)
	case 14:
		return g.expr(Pair, s, depth)
	}
	return g.expr(TSTZ, s, depth)
}
