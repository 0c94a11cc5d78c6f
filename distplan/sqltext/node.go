package sqltext

import (
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// node prints one operator and all below it.
func (p *printer) node(n operator.Node) (query, error) {
	switch n := n.(type) {
	case *operator.Scan:
		if p.scan == nil {
			return query{}, unprintable("scan of %s where only inputs may be", n.Table.Name)
		}
		name, err := p.scan(n)
		if err != nil {
			return query{}, err
		}
		return over(name, len(n.Columns)), nil
	case *operator.Input:
		return over(n.Name, len(n.Result)), nil
	case *operator.Dummy:
		return query{simple: true}, nil
	case *operator.Values:
		return p.values(n)
	case *operator.Empty:
		return p.empty(n.Result)
	case *operator.Filter:
		return p.filter(n)
	case *operator.Project:
		return p.project(n)
	case *operator.Aggregate:
		return p.aggregate(n)
	case *operator.Distinct:
		return p.distinct(n)
	case *operator.Join:
		return p.join(n)
	case *operator.DelimJoin:
		return p.delimJoin(n)
	case *operator.DelimGet:
		return p.reference(p.delims, n.ID, len(n.Result), "DELIM_GET")
	case *operator.Cross:
		return p.cross(n)
	case *operator.Order:
		return p.order(n)
	case *operator.TopN:
		return p.topN(n)
	case *operator.Limit:
		return p.limit(n)
	case *operator.SetOp:
		return p.setOp(n)
	case *operator.Window:
		return p.window(n)
	case *operator.CTE:
		return p.cte(n)
	case *operator.CTERef:
		return p.reference(p.ctes, n.ID, len(n.Result), "CTE_REF")
	}
	return query{}, unprintable("operator %T", n)
}

func (p *printer) reference(scope map[int]relation, id, n int, what string) (query, error) {
	r, ok := scope[id]
	if !ok || r.n != n {
		return query{}, unprintable("%s %d out of scope", what, id)
	}
	return over(r.name, n), nil
}

func (p *printer) values(n *operator.Values) (query, error) {
	if len(n.Rows) == 0 {
		return p.empty(n.Result)
	}
	if len(n.Result) == 0 {
		return query{}, unprintable("VALUES without columns")
	}
	rows := make([]string, len(n.Rows))
	for i, row := range n.Rows {
		cells, err := exprs(row, nil)
		if err != nil {
			return query{}, err
		}
		for k := range cells {
			if !row[k].Type().Equal(n.Result[k]) {
				if cells[k], err = cast(cells[k], n.Result[k]); err != nil {
					return query{}, err
				}
			}
		}
		rows[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	names := make([]string, len(n.Result))
	for k := range names {
		names[k] = "c" + strconv.Itoa(k)
	}
	return query{
		cols:   columns("t", len(n.Result)),
		simple: true,
		from:   "(VALUES " + strings.Join(rows, ", ") + ") AS t(" + strings.Join(names, ", ") + ")",
	}, nil
}

func (p *printer) empty(types []table.Type) (query, error) {
	q := query{mode: modeClosed, where: []string{"false"}}
	for _, t := range types {
		null, err := cast("NULL", t)
		if err != nil {
			return query{}, err
		}
		q.cols = append(q.cols, null)
	}
	return q, nil
}

func (p *printer) filter(n *operator.Filter) (query, error) {
	q, err := p.node(n.Child)
	if err != nil {
		return query{}, err
	}
	q = q.opened("t")
	conditions, err := exprs(n.Conditions, q.cols)
	if err != nil {
		return query{}, err
	}
	q.where = append(append([]string(nil), q.where...), conditions...)
	return q.pick(n.Project)
}

func (p *printer) project(n *operator.Project) (query, error) {
	q, err := p.node(n.Child)
	if err != nil {
		return query{}, err
	}
	if project, ok := onlyRefs(n.Exprs); ok {
		return q.pick(project)
	}
	q = q.opened("t")
	texts, err := exprs(n.Exprs, q.cols)
	if err != nil {
		return query{}, err
	}
	q.cols, q.simple = texts, false
	return q, nil
}

// onlyRefs returns the column positions when every expression is a bare column.
func onlyRefs(list []expr.Expr) ([]int, bool) {
	project := make([]int, len(list))
	for i, e := range list {
		r, ok := e.(*expr.Ref)
		if !ok {
			return nil, false
		}
		project[i] = r.Index
	}
	return project, true
}

func (p *printer) distinct(n *operator.Distinct) (query, error) {
	q, err := p.node(n.Child)
	if err != nil {
		return query{}, err
	}
	q = q.opened("t")
	q.mode, q.head = modeClosed, "DISTINCT "
	if n.On == nil {
		if len(n.OrderBy) > 0 {
			return query{}, unprintable("DISTINCT with an order")
		}
		return q, nil
	}
	on, err := exprs(n.On, q.cols)
	if err != nil {
		return query{}, err
	}
	q.head = "DISTINCT ON (" + strings.Join(on, ", ") + ") "
	q.tail, err = orderBy(n.OrderBy, q.cols)
	return q, err
}

func (p *printer) setOp(n *operator.SetOp) (query, error) {
	if len(n.Inputs) < 2 || (n.Kind == operator.Except && len(n.Inputs) > 2) {
		return query{}, unprintable("%s of %d inputs", n.Kind, len(n.Inputs))
	}
	between := " " + string(n.Kind) + " "
	if n.All {
		between += "ALL "
	}
	texts := make([]string, len(n.Inputs))
	for i, input := range n.Inputs {
		q, err := p.node(input)
		if err != nil {
			return query{}, err
		}
		texts[i] = "(" + q.text() + ")"
	}
	return query{
		cols:   columns("t", len(n.Types())),
		simple: true,
		from:   "(" + strings.Join(texts, between) + ") AS t",
	}, nil
}

// cte prints WITH … inside a FROM clause. The definition is materialised as DuckDB planned it: inlined, an indeterminate
// definition would give different rows to each reader.
func (p *printer) cte(n *operator.CTE) (query, error) {
	definition, err := p.node(n.Definition)
	if err != nil {
		return query{}, err
	}
	name := p.freshName("cte")
	outer, had := p.ctes[n.ID]
	p.ctes[n.ID] = relation{name, len(n.Definition.Types())}
	body, err := p.node(n.Body)
	if had {
		p.ctes[n.ID] = outer
	} else {
		delete(p.ctes, n.ID)
	}
	if err != nil {
		return query{}, err
	}
	return within("WITH "+name+" AS MATERIALIZED ("+definition.text()+") ", body), nil
}

// within returns a query over "WITH … body".
func within(with string, body query) query {
	return query{
		cols:   columns("t", len(body.cols)),
		simple: true,
		from:   "(" + with + body.text() + ") AS t",
	}
}
