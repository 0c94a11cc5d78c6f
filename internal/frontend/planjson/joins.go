package planjson

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var joinKinds = map[string]operator.JoinKind{
	"INNER": operator.Inner, "LEFT": operator.Left, "RIGHT": operator.Right, "FULL": operator.Full, "OUTER": operator.Full,
	"SEMI": operator.Semi, "ANTI": operator.Anti, "RIGHT_SEMI": operator.RightSemi, "RIGHT_ANTI": operator.RightAnti,
	"MARK": operator.Mark, "SINGLE": operator.Single,
}

func (d *decoder) comparisonJoin(o *rawOp, s *scope) (operator.Node, error) {
	if len(o.DelimColumns) > 0 {
		return nil, unread("a join with duplicate elimination")
	}
	left, right, err := d.pair(o, s, s)
	if err != nil {
		return nil, err
	}
	return d.join(o, left, right)
}

func (d *decoder) anyJoin(o *rawOp, s *scope) (operator.Node, error) {
	left, right, err := d.pair(o, s, s)
	if err != nil {
		return nil, err
	}
	n, err := d.join(o, left, right)
	if err != nil {
		return nil, err
	}
	if o.Condition == nil || n.Predicate != nil || len(n.Conditions) > 0 {
		return nil, unread("ANY_JOIN without its condition")
	}
	n.Predicate, err = d.expr(o.Condition, both(left, right))
	return n, err
}

func both(left, right operator.Node) []table.Type {
	l, r := left.Types(), right.Types()
	return append(append(make([]table.Type, 0, len(l)+len(r)), l...), r...)
}

// join reads what all joins have.
func (d *decoder) join(o *rawOp, left, right operator.Node) (*operator.Join, error) {
	kind, ok := joinKinds[o.JoinType]
	if !ok {
		return nil, unread("join type %s", o.JoinType)
	}
	n := &operator.Join{Estimated: noEstimate, Kind: kind, Left: left, Right: right}
	lt, rt := left.Types(), right.Types()
	for _, c := range o.Conditions {
		op, ok := compareOps[c.Comparison]
		if !ok || c.Left == nil || c.Right == nil {
			return nil, unread("a join condition that is no comparison")
		}
		l, err := d.expr(c.Left, lt)
		if err != nil {
			return nil, err
		}
		r, err := d.expr(c.Right, rt)
		if err != nil {
			return nil, err
		}
		n.Conditions = append(n.Conditions, operator.Condition{Op: op, Left: l, Right: r})
	}
	var err error
	if o.Predicate != nil {
		if n.Predicate, err = d.expr(o.Predicate, both(left, right)); err != nil {
			return nil, err
		}
	}
	if n.LeftProject, err = positions(o.LeftMap, len(lt)); err != nil {
		return nil, err
	}
	n.RightProject, err = positions(o.RightMap, len(rt))
	return n, err
}

// delimJoin reads a correlated subquery. The side that is evaluated once is read in the outer scope, the other side in one
// where DELIM_GET means this join.
func (d *decoder) delimJoin(o *rawOp, s *scope) (operator.Node, error) {
	if len(o.Children) != 2 {
		return nil, unread("%s with %d inputs", o.Type, len(o.Children))
	}
	d.delims++
	id := d.delims
	once, other := 0, 1
	if o.DelimFlipped {
		once, other = 1, 0
	}
	source, err := d.node(o.Children[once], s)
	if err != nil {
		return nil, err
	}
	columns, err := d.exprs(o.DelimColumns, source.Types())
	if err != nil {
		return nil, err
	}
	reader, err := d.node(o.Children[other], &scope{up: s, delim: id, types: exprTypes(columns)})
	if err != nil {
		return nil, err
	}
	left, right := source, reader
	if o.DelimFlipped {
		left, right = reader, source
	}
	j, err := d.join(o, left, right)
	if err != nil {
		return nil, err
	}
	return &operator.DelimJoin{Join: *j, Flipped: o.DelimFlipped, Columns: columns, ID: id}, nil
}

func exprTypes(list []expr.Expr) []table.Type {
	types := make([]table.Type, len(list))
	for i, e := range list {
		types[i] = e.Type()
	}
	return types
}

func (d *decoder) delimGet(o *rawOp, s *scope) (operator.Node, error) {
	join := s.delimJoin()
	if join == nil {
		return nil, unread("DELIM_GET without its join")
	}
	types, err := typesOf(o.ChunkTypes)
	if err != nil {
		return nil, err
	}
	if len(types) != len(join.types) {
		return nil, unread("DELIM_GET of %d columns for %d", len(types), len(join.types))
	}
	return &operator.DelimGet{Estimated: noEstimate, ID: join.delim, Result: types}, nil
}

func (d *decoder) cross(o *rawOp, s *scope) (operator.Node, error) {
	left, right, err := d.pair(o, s, s)
	if err != nil {
		return nil, err
	}
	return &operator.Cross{Estimated: noEstimate, Left: left, Right: right}, nil
}
