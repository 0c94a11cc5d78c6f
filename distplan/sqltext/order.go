package sqltext

import (
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

func (p *printer) order(n *operator.Order) (query, error) {
	q, err := p.ordered(n.Child, n.By)
	if err != nil {
		return query{}, err
	}
	return q.pick(n.Project)
}

func (p *printer) topN(n *operator.TopN) (query, error) {
	q, err := p.ordered(n.Child, n.By)
	if err != nil {
		return query{}, err
	}
	q.tail += limit(n.Limit, n.Offset)
	return q, nil
}

func (p *printer) ordered(child operator.Node, by []expr.Order) (query, error) {
	q, err := p.node(child)
	if err != nil {
		return query{}, err
	}
	q = q.opened("t")
	q.mode = modePick
	cols := q.cols
	if terms := ordering(by); len(terms) > 0 && losesMatches(terms[0], child) {
		cols = hidden(cols)
	}
	q.tail, err = orderBy(by, cols)
	return q, err
}

// losesMatches reports whether DuckDB 1.5.5 may make up rows of NULL below ORDER BY first … LIMIT n: it hands the n-th value found
// so far to the scan of the key, also through an outer join that fills up with NULL what finds no match. A match left out by the
// scan then counts as none, and its NULL comes first. With NULLS LAST such a row is never among the n.
func losesMatches(first expr.Order, child operator.Node) bool {
	return first.NullsFirst && !operator.Walk(child, func(n operator.Node) bool { return !fillsUp(n) })
}

// fillsUp reports whether an operator is a join that gives rows of NULL where there is no match.
func fillsUp(n operator.Node) bool {
	var kind operator.JoinKind
	switch n := n.(type) {
	case *operator.Join:
		kind = n.Kind
	case *operator.DelimJoin:
		kind = n.Kind
	}
	switch kind {
	case operator.Left, operator.Right, operator.Full, operator.Single:
		return true
	}
	return false
}

// hidden prints columns so that the optimizer sees an expression where a column stood.
func hidden(cols []string) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = hide(c)
	}
	return out
}

// hide prints a value that went through a list, whose statistics and column DuckDB does not know.
func hide(text string) string { return "[" + text + "][1]" }

// ordering returns the terms that order anything: a constant does not, and would be read as an ordinal.
func ordering(by []expr.Order) []expr.Order {
	var terms []expr.Order
	for _, o := range by {
		if _, constant := o.Expr.(*expr.Const); !constant {
			terms = append(terms, o)
		}
	}
	return terms
}

func (p *printer) limit(n *operator.Limit) (query, error) {
	q, err := p.node(n.Child)
	if err != nil {
		return query{}, err
	}
	if q.mode != modeOpen || !q.simple {
		q = q.opened("t")
	}
	q.mode, q.tail = modePick, limit(n.Limit, n.Offset)
	return q, nil
}

func limit(rows, offset int64) string {
	text := ""
	if rows >= 0 {
		text = " LIMIT " + strconv.FormatInt(rows, 10)
	}
	if offset > 0 {
		text += " OFFSET " + strconv.FormatInt(offset, 10)
	}
	return text
}

// orderBy prints an ORDER BY clause with a blank in front; nothing when no term orders anything.
func orderBy(by []expr.Order, cols []string) (string, error) {
	terms, err := orderTerms(by, cols)
	if err != nil || terms == "" {
		return "", err
	}
	return " ORDER BY " + terms, nil
}

func orderTerms(by []expr.Order, cols []string) (string, error) {
	var terms []string
	for _, o := range ordering(by) {
		text, err := printExpr(o.Expr, cols)
		if err != nil {
			return "", err
		}
		if o.Descending {
			text += " DESC"
		} else {
			text += " ASC"
		}
		if o.NullsFirst {
			text += " NULLS FIRST"
		} else {
			text += " NULLS LAST"
		}
		terms = append(terms, text)
	}
	return strings.Join(terms, ", "), nil
}
