package plantest

import (
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

func (b *builder) join() (*operator.Join, []string, error) {
	left, right := b.inputs[0], b.inputs[1]
	j := &operator.Join{
		Estimated: b.estimated, Kind: operator.JoinKind(strings.ToUpper(b.next())), Left: left.node, Right: right.node,
	}
	if err := b.on(j, left, right); err != nil {
		return nil, nil, err
	}
	var err error
	var leftOut, rightOut named
	j.LeftProject, leftOut.names, err = b.picked(left)
	if err != nil {
		return nil, nil, err
	}
	rightOut.names = right.names
	if b.take("right") {
		if j.RightProject, rightOut.names, err = b.picked(right); err != nil {
			return nil, nil, err
		}
	}
	return j, joinNames(j, leftOut, rightOut), nil
}

// on reads the conditions and the predicate. "same" stands for IS NOT DISTINCT FROM.
func (b *builder) on(j *operator.Join, left, right named) error {
	if b.take("on", "=") {
		if err := b.list(func() error {
			l, err := b.binary(left.scope(), 3)
			if err != nil {
				return err
			}
			c := operator.Condition{Left: l}
			switch op := b.next(); op {
			case "same":
				c.Op = expr.NotDistinctFrom
			default:
				c.Op = expr.CompareOp(op)
			}
			c.Right, err = b.binary(right.scope(), 3)
			j.Conditions = append(j.Conditions, c)
			return err
		}); err != nil {
			return err
		}
	}
	if b.take("predicate", "=") {
		both := scope{append(append([]string(nil), left.names...), right.names...), nil}
		both.types = append(append([]table.Type(nil), left.node.Types()...), right.node.Types()...)
		list, err := b.exprs(both)
		if err != nil || len(list) != 1 {
			return fmt.Errorf("%s: want one predicate: %v", b.text, err)
		}
		j.Predicate = list[0]
	}
	return nil
}

func (b *builder) delim() (named, error) {
	left, right := b.inputs[0], b.inputs[1]
	d := &operator.DelimJoin{Join: operator.Join{
		Estimated: b.estimated, Kind: operator.JoinKind(strings.ToUpper(b.next())), Left: left.node, Right: right.node,
	}}
	var err error
	if d.ID, err = b.id(); err != nil {
		return named{}, err
	}
	kept := left
	if d.Flipped = b.take("flipped"); d.Flipped {
		kept = right
	}
	if !b.take("keys", "=") {
		return named{}, fmt.Errorf("%s: want keys=", b.text)
	}
	if d.Columns, err = b.exprs(kept.scope()); err != nil {
		return named{}, err
	}
	if err := b.on(&d.Join, left, right); err != nil {
		return named{}, err
	}
	return named{d, joinNames(&d.Join, left, right)}, nil
}

func joinNames(j *operator.Join, left, right named) []string {
	switch j.Kind {
	case operator.Semi, operator.Anti:
		return left.names
	case operator.RightSemi, operator.RightAnti:
		return right.names
	case operator.Mark:
		return append(append([]string(nil), left.names...), "mark")
	}
	return append(append([]string(nil), left.names...), right.names...)
}

func (b *builder) window() (named, error) {
	in := b.inputs[0]
	n := &operator.Window{Estimated: b.estimated, Child: in.node}
	names := append([]string(nil), in.names...)
	for {
		w, err := b.windowExpr(in.scope())
		if err != nil {
			return named{}, err
		}
		n.Windows, names = append(n.Windows, w), append(names, b.alias(w, in))
		if !b.take(",") {
			return named{n, names}, nil
		}
	}
}

func (b *builder) windowExpr(s scope) (*expr.Window, error) {
	w := &expr.Window{
		Start: expr.FrameBound{Kind: "UNBOUNDED_PRECEDING"}, End: expr.FrameBound{Kind: "CURRENT_ROW_RANGE"}, Exclude: "NO_OTHER",
	}
	switch b.peek() {
	case "row_number", "rank", "dense_rank", "ntile", "lag", "lead", "first_value", "last_value", "nth_value":
		w.Name = b.next()
		args, err := b.exprs(s)
		if err != nil {
			return nil, err
		}
		w.Args, w.Result = args, table.Of(table.BigInt)
		if len(args) > 0 && w.Name != "ntile" {
			w.Result = args[0].Type()
		}
	default:
		a, err := b.aggregate(s)
		if err != nil {
			return nil, err
		}
		w.Name, w.Aggregate, w.Args, w.Filter, w.Distinct, w.Result = a.Name, true, a.Args, a.Filter, a.Distinct, a.Result
	}
	if !b.take("over", "(") {
		return nil, fmt.Errorf("%s: want over (", b.text)
	}
	for !b.take(")") {
		var err error
		switch {
		case b.take("partition", "="):
			w.Partitions, err = b.exprs(s)
		case b.take("by", "="):
			w.Orders, err = b.orders(s)
		case b.take("exclude", "="):
			w.Exclude = b.next()
		case b.take("frame", "="):
			err = b.frame(w, s)
		default:
			err = fmt.Errorf("%s: what is %q?", b.text, b.peek())
		}
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

// frame reads "(START e, END e)" by DuckDB's names of the bounds.
func (b *builder) frame(w *expr.Window, s scope) error {
	var ends []expr.FrameBound
	if err := b.list(func() error {
		f := expr.FrameBound{Kind: b.next()}
		var err error
		if strings.HasPrefix(f.Kind, "EXPR_") {
			f.Expr, err = b.expr(s)
		}
		ends = append(ends, f)
		return err
	}); err != nil {
		return err
	}
	if len(ends) != 2 {
		return fmt.Errorf("%s: want two bounds", b.text)
	}
	w.Start, w.End = ends[0], ends[1]
	return nil
}
