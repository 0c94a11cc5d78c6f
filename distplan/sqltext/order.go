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
	q.tail, err = orderBy(by, q.cols)
	return q, err
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
	for _, o := range by {
		if _, constant := o.Expr.(*expr.Const); constant {
			continue // orders nothing, and would be read as an ordinal
		}
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
