package sqltext

import (
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// Sides of a join, as seen by its SELECT.
type sides struct {
	leftFrom, rightFrom string
	left, right         []string // columns
	conditions          []string // one a Condition
	predicate           string   // "" = none
}

func (s sides) on() string {
	all := s.conditions
	if s.predicate != "" {
		all = append(append([]string(nil), all...), s.predicate)
	}
	if len(all) == 0 {
		return "true"
	}
	return strings.Join(all, " AND ")
}

func (p *printer) cross(n *operator.Cross) (query, error) {
	return p.join(&operator.Join{Kind: operator.Inner, Left: n.Left, Right: n.Right})
}

func (p *printer) join(n *operator.Join) (query, error) {
	left, err := p.node(n.Left)
	if err != nil {
		return query{}, err
	}
	right, err := p.node(n.Right)
	if err != nil {
		return query{}, err
	}
	return p.joinOf(n, left, right)
}

// delimJoin evaluates one side once under a name, and the distinct values of its correlated columns under another, which
// the DelimGets of the other side read.
func (p *printer) delimJoin(n *operator.DelimJoin) (query, error) {
	kept, other := n.Left, n.Right
	if n.Flipped {
		kept, other = n.Right, n.Left
	}
	source, err := p.node(kept)
	if err != nil {
		return query{}, err
	}
	width := len(kept.Types())
	outer := relation{p.freshName("delim"), width}
	keys, err := exprs(n.Columns, columns("t", width))
	if err != nil {
		return query{}, err
	}
	if len(keys) == 0 {
		return query{}, unprintable("DELIM_JOIN without columns")
	}
	distinct := query{head: "DISTINCT ", cols: keys, from: outer.name + " AS t"}
	inner := relation{p.freshName("keys"), len(keys)}
	if _, had := p.delims[n.ID]; had {
		return query{}, unprintable("DELIM_JOIN %d twice", n.ID)
	}
	p.delims[n.ID] = inner
	rest, err := p.node(other)
	delete(p.delims, n.ID)
	if err != nil {
		return query{}, err
	}
	left, right := over(outer.name, width), rest
	if n.Flipped {
		left, right = right, left
	}
	q, err := p.joinOf(&n.Join, left, right)
	if err != nil {
		return query{}, err
	}
	with := "WITH " + outer.name + " AS MATERIALIZED (" + source.text() + "), " +
		inner.name + " AS MATERIALIZED (" + distinct.text() + ") "
	return within(with, q), nil
}

func (p *printer) joinOf(n *operator.Join, left, right query) (query, error) {
	if becomesSubquery(n) && right.rel == "" && !flattens(n.Right) {
		// By its name it can stand in a correlated subquery, where DuckDB refuses most joins over WITH.
		name, with := p.freshName("probe"), right.text()
		q, err := p.joinBetween(n, left, over(name, len(n.Right.Types())))
		if err != nil {
			return query{}, err
		}
		return within("WITH "+name+" AS MATERIALIZED ("+with+") ", q), nil
	}
	return p.joinBetween(n, left, right)
}

// becomesSubquery reports whether a join is printed as a subquery that is correlated.
func becomesSubquery(n *operator.Join) bool {
	switch n.Kind {
	case operator.Mark:
		return n.Predicate != nil || len(n.Conditions) > 1 || len(n.Conditions) == 1 && n.Conditions[0].Op == expr.NotDistinctFrom
	case operator.Single:
		return !matchesOnce(n)
	}
	return false
}

// flattens reports whether DuckDB can decorrelate a subquery over n when n reads names of a WITH.
func flattens(n operator.Node) bool {
	return operator.Walk(n, func(n operator.Node) bool {
		switch n := n.(type) {
		case *operator.Join:
			return n.Kind == operator.Inner
		case *operator.DelimJoin:
			return false
		}
		return true
	})
}

func (p *printer) joinBetween(n *operator.Join, left, right query) (query, error) {
	var s sides
	s.leftFrom, s.left = left.aside("l")
	s.rightFrom, s.right = right.aside("r")
	for _, c := range n.Conditions {
		l, err := printExpr(c.Left, s.left)
		if err != nil {
			return query{}, err
		}
		r, err := printExpr(c.Right, s.right)
		if err != nil {
			return query{}, err
		}
		if !comparisons[c.Op] {
			return query{}, unprintable("join condition %q", c.Op)
		}
		if foundEmpty(n) {
			r = hide(r)
		}
		s.conditions = append(s.conditions, "("+l+" "+string(c.Op)+" "+r+")")
	}
	if n.Predicate != nil {
		both := append(append([]string(nil), s.left...), s.right...)
		text, err := printExpr(n.Predicate, both)
		if err != nil {
			return query{}, err
		}
		s.predicate = text
	}
	if err := inRange(n.LeftProject, len(s.left)); err != nil {
		return query{}, err
	}
	if err := inRange(n.RightProject, len(s.right)); err != nil {
		return query{}, err
	}
	leftOut := choose(s.left, n.LeftProject)
	rightOut := choose(s.right, n.RightProject)
	switch n.Kind {
	case operator.Inner:
		if s.on() == "true" {
			return joined(s.leftFrom+" CROSS JOIN "+s.rightFrom, leftOut, rightOut), nil
		}
		return joined(s.leftFrom+" JOIN "+s.rightFrom+" ON "+s.on(), leftOut, rightOut), nil
	case operator.Left, operator.Right:
		return joined(s.leftFrom+" "+string(n.Kind)+" JOIN "+s.rightFrom+" ON "+s.on(), leftOut, rightOut), nil
	case operator.Full:
		return joined(s.leftFrom+" FULL OUTER JOIN "+s.rightFrom+" ON "+s.on(), leftOut, rightOut), nil
	case operator.Semi, operator.Anti:
		return joined(s.leftFrom+" "+string(n.Kind)+" JOIN "+s.rightFrom+" ON "+s.on(), leftOut, nil), nil
	case operator.RightSemi:
		return joined(s.rightFrom+" SEMI JOIN "+s.leftFrom+" ON "+s.on(), nil, rightOut), nil
	case operator.RightAnti:
		return joined(s.rightFrom+" ANTI JOIN "+s.leftFrom+" ON "+s.on(), nil, rightOut), nil
	case operator.Mark:
		return p.mark(n, s, leftOut)
	case operator.Single:
		return p.single(n, s, leftOut, rightOut)
	}
	return query{}, unprintable("%s join", n.Kind)
}

// foundEmpty reports whether DuckDB 1.5.5 may take an ANTI join for empty that is not: it does where statistics say that the last
// comparison always holds, be the other side without rows. Equalities it does not judge so. Of a value that went through a list no
// statistics are known.
func foundEmpty(n *operator.Join) bool {
	if n.Kind != operator.Anti && n.Kind != operator.RightAnti {
		return false
	}
	for _, c := range n.Conditions {
		if c.Op == expr.Equal || c.Op == expr.NotDistinctFrom {
			return false
		}
	}
	return true
}

func joined(from string, left, right []string) query {
	return query{cols: append(append([]string(nil), left...), right...), simple: true, from: from}
}

func choose(cols []string, project []int) []string {
	if project == nil {
		return cols
	}
	chosen := make([]string, len(project))
	for i, c := range project {
		chosen[i] = cols[c]
	}
	return chosen
}

// mark prints the left rows with a nullable BOOLEAN: IN or op ANY over the one null-sensitive condition, correlated by the
// IS NOT DISTINCT FROM ones; EXISTS when there is none but those.
func (p *printer) mark(n *operator.Join, s sides, leftOut []string) (query, error) {
	sensitive := -1
	var correlated []string
	for i, c := range n.Conditions {
		if c.Op == expr.NotDistinctFrom {
			correlated = append(correlated, s.conditions[i])
			continue
		}
		if sensitive >= 0 {
			return query{}, unprintable("MARK join on several comparisons")
		}
		sensitive = i
	}
	where := ""
	var mark string
	if sensitive < 0 {
		if s.predicate != "" {
			correlated = append(correlated, s.predicate)
		}
		if len(correlated) > 0 {
			where = " WHERE " + strings.Join(correlated, " AND ")
		}
		mark = "EXISTS (SELECT 1 FROM " + s.rightFrom + where + ")"
	} else {
		if s.predicate != "" {
			return query{}, unprintable("MARK join with a predicate")
		}
		if len(correlated) > 0 {
			where = " WHERE " + strings.Join(correlated, " AND ")
		}
		c := n.Conditions[sensitive]
		left, err := printExpr(c.Left, s.left)
		if err != nil {
			return query{}, err
		}
		right, err := printExpr(c.Right, s.right)
		if err != nil {
			return query{}, err
		}
		test := " " + string(c.Op) + " ANY "
		switch c.Op {
		case expr.Equal:
			test = " IN "
		case expr.DistinctFrom:
			return query{}, unprintable("MARK join on %s", c.Op)
		}
		mark = "(" + left + test + "(SELECT " + right + " FROM " + s.rightFrom + where + "))"
	}
	return query{cols: append(append([]string(nil), leftOut...), mark), from: s.leftFrom}, nil
}

// single prints LEFT JOIN where the right side cannot match twice; else a scalar subquery, which keeps the error of a
// second match. Several columns travel as one struct, so that the subquery runs once.
func (p *printer) single(n *operator.Join, s sides, leftOut, rightOut []string) (query, error) {
	if matchesOnce(n) {
		return joined(s.leftFrom+" LEFT JOIN "+s.rightFrom+" ON "+s.on(), leftOut, rightOut), nil
	}
	where := " WHERE " + s.on()
	switch len(rightOut) {
	case 0:
		return query{}, unprintable("SINGLE join without right columns")
	case 1:
		sub := "(SELECT " + rightOut[0] + " FROM " + s.rightFrom + where + ")"
		return query{cols: append(append([]string(nil), leftOut...), sub), from: s.leftFrom}, nil
	}
	fields := make([]string, len(rightOut))
	for i, c := range rightOut {
		fields[i] = "f" + strconv.Itoa(i) + " := " + c
	}
	packed := query{
		cols: append(append([]string(nil), leftOut...), "(SELECT struct_pack("+strings.Join(fields, ", ")+") FROM "+s.rightFrom+where+")"),
		from: s.leftFrom,
	}
	q := packed.opened("t")
	last := q.cols[len(leftOut)]
	cols := append([]string(nil), q.cols[:len(leftOut)]...)
	for i := range rightOut {
		cols = append(cols, "struct_extract("+last+", 'f"+strconv.Itoa(i)+"')")
	}
	q.cols, q.simple = cols, false
	return q, nil
}
