package plantest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A builder makes the operator of one line over its inputs.
type builder struct {
	*lexer
	tables    map[string]*table.Table
	inputs    []named
	estimated operator.Estimated
}

func (b *builder) operator() (named, error) {
	word := b.next()
	arity := map[string]int{
		"scan": 0, "values": 0, "empty": 0, "dummy": 0, "get": 0, "ref": 0, "filter": 1, "project": 1, "aggregate": 1, "distinct": 1,
		"order": 1, "top": 1, "limit": 1, "window": 1, "join": 2, "delim": 2, "cross": 2, "with": 2,
		"union": -1, "intersect": -1, "except": -1,
	}
	want, ok := arity[word]
	if !ok {
		return named{}, fmt.Errorf("%s: no such operator", b.text)
	}
	if want >= 0 && want != len(b.inputs) || want < 0 && len(b.inputs) < 2 {
		return named{}, fmt.Errorf("%s: has %d inputs", b.text, len(b.inputs))
	}
	switch word {
	case "scan":
		return b.scan()
	case "values":
		return b.values()
	case "empty":
		names, types, err := b.columns()
		return named{&operator.Empty{Estimated: b.estimated, Result: types}, names}, err
	case "dummy":
		return named{&operator.Dummy{Estimated: b.estimated}, nil}, nil
	case "get", "ref":
		return b.reference(word)
	case "filter":
		return b.filter()
	case "project":
		return b.project()
	case "aggregate":
		return b.group()
	case "distinct":
		return b.distinct()
	case "order", "top", "limit":
		return b.ordered(word)
	case "window":
		return b.window()
	case "join":
		j, names, err := b.join()
		return named{j, names}, err
	case "delim":
		return b.delim()
	case "cross":
		names := append(append([]string(nil), b.inputs[0].names...), b.inputs[1].names...)
		return named{&operator.Cross{Estimated: b.estimated, Left: b.inputs[0].node, Right: b.inputs[1].node}, names}, nil
	case "with":
		id, err := b.id()
		return named{&operator.CTE{Estimated: b.estimated, ID: id, Definition: b.inputs[0].node, Body: b.inputs[1].node}, b.inputs[1].names}, err
	}
	set := &operator.SetOp{Estimated: b.estimated, Kind: operator.SetKind(strings.ToUpper(word)), All: b.take("all")}
	for _, in := range b.inputs {
		set.Inputs = append(set.Inputs, in.node)
	}
	return named{set, b.inputs[0].names}, nil
}

func (b *builder) scan() (named, error) {
	t, ok := b.tables[b.next()]
	if !ok {
		return named{}, fmt.Errorf("%s: no such table", b.text)
	}
	s := &operator.Scan{Estimated: b.estimated, Table: t}
	var names []string
	err := b.list(func() error {
		name := b.next()
		names = append(names, name)
		if name == "-" {
			s.Columns = append(s.Columns, -1)
			return nil
		}
		for i, c := range t.Columns {
			if c.Name == name {
				s.Columns = append(s.Columns, i)
				return nil
			}
		}
		return fmt.Errorf("%s: no column %q", b.text, name)
	})
	return named{s, names}, err
}

func (b *builder) values() (named, error) {
	names, types, err := b.columns()
	v := &operator.Values{Estimated: b.estimated, Result: types}
	for err == nil && b.peek() == "(" {
		var row []expr.Expr
		row, err = b.exprs(scope{})
		for i, e := range row {
			if c, ok := e.(*expr.Const); ok && i < len(types) {
				row[i] = &expr.Const{SQL: "CAST(" + literal(c) + " AS " + types[i].SQL() + ")", Null: c.Null, Result: types[i]}
			}
		}
		v.Rows = append(v.Rows, row)
	}
	return named{v, names}, err
}

func (b *builder) id() (int, error) { return strconv.Atoi(strings.TrimPrefix(b.next(), "#")) }

func (b *builder) reference(word string) (named, error) {
	id, err := b.id()
	if err != nil {
		return named{}, err
	}
	names, types, err := b.columns()
	if word == "get" {
		return named{&operator.DelimGet{Estimated: b.estimated, ID: id, Result: types}, names}, err
	}
	return named{&operator.CTERef{Estimated: b.estimated, ID: id, Result: types}, names}, err
}

// picked reads "-> (a, b)" if it comes: positions and names of the columns of in.
func (b *builder) picked(in named) ([]int, []string, error) {
	if !b.take("->") {
		return nil, in.names, nil
	}
	project, names := []int{}, []string{}
	err := b.list(func() error {
		name := b.next()
		r, ok := in.scope().ref(name)
		if !ok {
			return fmt.Errorf("%s: no column %q", b.text, name)
		}
		project, names = append(project, r.Index), append(names, name)
		return nil
	})
	return project, names, err
}

func (b *builder) filter() (named, error) {
	f := &operator.Filter{Estimated: b.estimated, Child: b.inputs[0].node}
	for {
		e, err := b.expr(b.inputs[0].scope())
		if err != nil {
			return named{}, err
		}
		f.Conditions = append(f.Conditions, e)
		if !b.take(",") {
			break
		}
	}
	project, names, err := b.picked(b.inputs[0])
	f.Project = project
	return named{f, names}, err
}

// alias reads "as x", or gives the name of a bare column.
func (b *builder) alias(e expr.Expr, in named) string {
	if b.take("as") {
		return b.next()
	}
	if r, ok := e.(*expr.Ref); ok {
		return in.names[r.Index]
	}
	return ""
}

func (b *builder) project() (named, error) {
	in := b.inputs[0]
	p := &operator.Project{Estimated: b.estimated, Child: in.node}
	var names []string
	for {
		e, err := b.expr(in.scope())
		if err != nil {
			return named{}, err
		}
		p.Exprs, names = append(p.Exprs, e), append(names, b.alias(e, in))
		if !b.take(",") {
			return named{p, names}, nil
		}
	}
}

func (b *builder) group() (named, error) {
	in := b.inputs[0]
	a := &operator.Aggregate{Estimated: b.estimated, Child: in.node}
	var names []string
	for b.peek() != "" {
		word := b.next()
		if err := b.want("="); err != nil {
			return named{}, err
		}
		err := b.list(func() error {
			switch word {
			case "group":
				e, err := b.expr(in.scope())
				a.Groups, names = append(a.Groups, e), append(names, b.alias(e, in))
				return err
			case "agg":
				e, err := b.aggregate(in.scope())
				a.Aggregates, names = append(a.Aggregates, e), append(names, b.alias(e, in))
				return err
			case "sets", "grouping":
				set := []int{}
				err := b.list(func() error {
					e, err := b.expr(in.scope())
					if err != nil {
						return err
					}
					for g := range a.Groups {
						if expr.Same(a.Groups[g], e) {
							set = append(set, g)
							return nil
						}
					}
					return fmt.Errorf("%s: not a group", b.text)
				})
				if word == "sets" {
					a.Sets = append(a.Sets, set)
				} else {
					a.GroupingCalls, names = append(a.GroupingCalls, set), append(names, "")
				}
				return err
			}
			return fmt.Errorf("%s: what is %q?", b.text, word)
		})
		if err != nil {
			return named{}, err
		}
	}
	return named{a, names}, nil
}

func (b *builder) distinct() (named, error) {
	in := b.inputs[0]
	d := &operator.Distinct{Estimated: b.estimated, Child: in.node}
	var err error
	if b.take("on", "=") {
		if d.On, err = b.exprs(in.scope()); err != nil {
			return named{}, err
		}
	}
	if b.take("by", "=") {
		d.OrderBy, err = b.orders(in.scope())
	}
	return named{d, in.names}, err
}

func (b *builder) ordered(word string) (named, error) {
	in := b.inputs[0]
	limit, offset := int64(-1), int64(0)
	var by []expr.Order
	var err error
	if word != "order" && b.peek() != "offset" {
		if limit, err = strconv.ParseInt(b.next(), 10, 64); err != nil {
			return named{}, err
		}
	}
	if b.take("offset", "=") {
		if offset, err = strconv.ParseInt(b.next(), 10, 64); err != nil {
			return named{}, err
		}
	}
	if word != "limit" {
		if err = b.want("by"); err != nil {
			return named{}, err
		}
		if err = b.want("="); err != nil {
			return named{}, err
		}
		if by, err = b.orders(in.scope()); err != nil {
			return named{}, err
		}
	}
	switch word {
	case "top":
		return named{&operator.TopN{Estimated: b.estimated, Child: in.node, By: by, Limit: limit, Offset: offset}, in.names}, nil
	case "limit":
		return named{&operator.Limit{Estimated: b.estimated, Child: in.node, Limit: limit, Offset: offset}, in.names}, nil
	}
	project, names, err := b.picked(in)
	return named{&operator.Order{Estimated: b.estimated, Child: in.node, By: by, Project: project}, names}, err
}
