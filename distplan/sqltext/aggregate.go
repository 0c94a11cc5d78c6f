package sqltext

import (
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// aggregate prints GROUP BY. Groups are named by ordinal, except under GROUPING SETS, where each group becomes a column of
// its own first: there the printed group means NULL in some sets, but the same expression inside an aggregate does not.
func (p *printer) aggregate(n *operator.Aggregate) (query, error) {
	q, err := p.node(n.Child)
	if err != nil {
		return query{}, err
	}
	q = q.opened("t")
	groups, err := exprs(n.Groups, q.cols)
	if err != nil {
		return query{}, err
	}
	if !n.Plain() {
		return p.groupingSets(n, q, groups)
	}
	if len(n.GroupingCalls) > 0 {
		return query{}, unprintable("GROUPING() without grouping sets")
	}
	if len(groups)+len(n.Aggregates) == 0 {
		return query{}, unprintable("aggregate without output")
	}
	aggregates, err := printAggregates(n.Aggregates, q.cols)
	if err != nil {
		return query{}, err
	}
	q.cols, q.mode, q.simple, q.rel = append(groups, aggregates...), modeClosed, false, ""
	if len(groups) > 0 {
		ordinals := make([]string, len(groups))
		for i := range ordinals {
			ordinals[i] = strconv.Itoa(i + 1)
		}
		q.tail = " GROUP BY " + strings.Join(ordinals, ", ")
	}
	return q, nil
}

func (p *printer) groupingSets(n *operator.Aggregate, q query, groups []string) (query, error) {
	inputs := len(q.cols)
	q.cols, q.simple = append(append([]string(nil), q.cols...), groups...), false
	q = q.opened("t")
	group := func(g int) string { return q.cols[inputs+g] }
	list := func(set []int) string {
		names := make([]string, len(set))
		for i, g := range set {
			names[i] = group(g)
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	var cols []string
	for g := range n.Groups {
		cols = append(cols, group(g))
	}
	aggregates, err := printAggregates(n.Aggregates, q.cols)
	if err != nil {
		return query{}, err
	}
	cols = append(cols, aggregates...)
	for _, call := range n.GroupingCalls {
		if len(call) == 0 {
			return query{}, unprintable("GROUPING() of nothing")
		}
		cols = append(cols, "CAST(GROUPING"+list(call)+" AS BIGINT)")
	}
	sets := make([]string, len(n.Sets))
	for i, set := range n.Sets {
		sets[i] = list(set)
	}
	q.cols, q.mode, q.simple, q.rel = cols, modeClosed, false, ""
	q.tail = " GROUP BY GROUPING SETS (" + strings.Join(sets, ", ") + ")"
	return q, nil
}

func printAggregates(list []*expr.Aggregate, cols []string) ([]string, error) {
	texts := make([]string, len(list))
	for i, a := range list {
		text, err := printAggregate(a, cols)
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	return texts, nil
}

func printAggregate(a *expr.Aggregate, cols []string) (string, error) {
	if a.Name == "count_star" || (a.Name == "count" && len(a.Args) == 0) {
		return finishAggregate("count(*)", a.Filter, "", a, cols)
	}
	name, err := aggregateName(a.Name, len(a.Args))
	if err != nil {
		return "", err
	}
	args, err := exprs(a.Args, cols)
	if err != nil {
		return "", err
	}
	text := name + "("
	if a.Distinct {
		text += "DISTINCT "
	}
	text += strings.Join(args, ", ")
	order, err := orderBy(a.OrderBy, cols)
	if err != nil {
		return "", err
	}
	return finishAggregate(text+order+")", a.Filter, "", a, cols)
}

// finishAggregate adds FILTER and OVER, and casts to the planned type.
func finishAggregate(call string, filter expr.Expr, window string, e expr.Expr, cols []string) (string, error) {
	if filter != nil {
		condition, err := printExpr(filter, cols)
		if err != nil {
			return "", err
		}
		call += " FILTER (WHERE " + condition + ")"
	}
	return cast(call+window, e.Type())
}
