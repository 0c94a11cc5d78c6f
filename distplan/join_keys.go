package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// joinKeys lists the conditions of a join that may bring its rows together by hash: equalities between values of one type
// whose hash agrees with their equality. IS NOT DISTINCT FROM is one too, for all NULLs hash alike.
//
// A MARK join tells "no match" from "a NULL might have matched": its right side may be divided only by IS NOT DISTINCT FROM
// conditions, which are never NULL. A right row with a NULL under any other condition must meet every left row.
func joinKeys(n *operator.Join) []int {
	var keys []int
	for i, c := range n.Conditions {
		if c.Op != expr.NotDistinctFrom && (c.Op != expr.Equal || n.Kind == operator.Mark) {
			continue
		}
		if t := c.Left.Type(); t.Equal(c.Right.Type()) && hashable(t) {
			keys = append(keys, i)
		}
	}
	return keys
}

// hashable reports whether hash() gives equal values of the type the same number in every task. Of types that are not
// listed here nobody has shown it.
func hashable(t table.Type) bool {
	switch t.ID {
	case table.Boolean, table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.HugeInt, table.UTinyInt, table.USmallInt,
		table.UInteger, table.UBigInt, table.UHugeInt, table.Float, table.Double, table.Decimal, table.Varchar, table.Blob, table.Date,
		table.Time, table.TimeNS, table.Timestamp, table.TimestampS, table.TimestampMS, table.TimestampNS, table.TimestampTZ,
		table.Interval, table.UUID, table.Enum:
		return true
	case table.List, table.Array, table.Struct:
		for _, f := range t.Fields {
			if !hashable(f.Type) {
				return false
			}
		}
		return true
	}
	return false
}

// mayRepeat reports whether every task may read all rows of the left or of the right side, the other side being divided:
// only a side of which no row comes into the result by itself. A row of the preserved side would come once from every task.
func mayRepeat(kind operator.JoinKind, left bool) bool {
	switch kind {
	case operator.Inner:
		return true
	case operator.Left, operator.Semi, operator.Anti, operator.Mark, operator.Single:
		return !left
	case operator.Right, operator.RightSemi, operator.RightAnti:
		return left
	}
	return false // FULL preserves both
}

// keyColumns makes columns of one side's key expressions: a bare column is there already, others are appended to the side,
// so that the exchange and the join read one value, computed once.
func keyColumns(p placed, exprs []expr.Expr) (placed, []int) {
	types := p.node.Types()
	width := len(types)
	columns := make([]int, len(exprs))
	var computed []expr.Expr
	for i, e := range exprs {
		if r, ok := e.(*expr.Ref); ok {
			columns[i] = r.Index
			continue
		}
		columns[i] = width + len(computed)
		computed = append(computed, e)
	}
	if computed == nil {
		return p, columns
	}
	all := append(refsTo(0, types), computed...)
	p.node = &operator.Project{Estimated: estimated(p.node), Child: p.node, Exprs: all}
	return p, columns
}

// keyed is a join whose keys are columns of its sides; lcols and rcols are they, by key.
type keyed struct {
	join         *operator.Join
	left, right  placed
	lcols, rcols []int
}

// keyedBy widens the sides by the computed keys and lets the conditions read them. The output stays the same.
func keyedBy(n *operator.Join, left, right placed, keys []int) keyed {
	var lefts, rights []expr.Expr
	for _, k := range keys {
		lefts = append(lefts, n.Conditions[k].Left)
		rights = append(rights, n.Conditions[k].Right)
	}
	was := len(left.node.Types())
	join := *n
	join.LeftProject = operator.Pick(n.LeftProject, was)
	join.RightProject = operator.Pick(n.RightProject, len(right.node.Types()))
	k := keyed{join: &join}
	k.left, k.lcols = keyColumns(left, lefts)
	k.right, k.rcols = keyColumns(right, rights)
	join.Conditions = append([]operator.Condition(nil), n.Conditions...)
	for i, c := range keys {
		join.Conditions[c].Left = &expr.Ref{Index: k.lcols[i], Result: lefts[i].Type()}
		join.Conditions[c].Right = &expr.Ref{Index: k.rcols[i], Result: rights[i].Type()}
	}
	if more := len(k.left.node.Types()) - was; more > 0 && n.Predicate != nil {
		join.Predicate = expr.MapRefs(n.Predicate, func(r *expr.Ref) expr.Expr {
			if r.Index < was {
				return r
			}
			return &expr.Ref{Index: r.Index + more, Result: r.Result}
		})
	}
	if n.LeftProject == nil && len(k.left.node.Types()) == was {
		join.LeftProject = nil
	}
	if n.RightProject == nil && sameInts(join.RightProject, allColumns(k.right.node)) {
		join.RightProject = nil
	}
	return k
}

// outputOf returns where a join puts column c of its left or right side, < 0 when nowhere.
func outputOf(n *operator.Join, left bool, c int) int {
	switch n.Kind {
	case operator.Semi, operator.Anti, operator.Mark:
		if !left {
			return -1
		}
	case operator.RightSemi, operator.RightAnti:
		if left {
			return -1
		}
		return position(n.RightProject, c)
	}
	if left {
		return position(n.LeftProject, c)
	}
	to := position(n.RightProject, c)
	if to >= 0 {
		to += len(operator.Pick(n.LeftProject, len(n.Left.Types())))
	}
	return to
}

// layAs says how a join's output lies when its rows lie as those of the left or right side do. Under an inner join, the
// columns that the conditions make equal lie alike; under an outer join those of the other side may be NULL instead.
func layAs(n *operator.Join, p delivered, left bool) delivered {
	return p.throughAll(func(c int) []int {
		var all []int
		if to := outputOf(n, left, c); to >= 0 {
			all = append(all, to)
		}
		if n.Kind == operator.Inner {
			for _, other := range equalColumns(n, left, c) {
				if to := outputOf(n, !left, other); to >= 0 {
					all = append(all, to)
				}
			}
		}
		return all
	})
}

// equalColumns lists the columns of the other side that a condition says are equal to column c of this one.
func equalColumns(n *operator.Join, left bool, c int) []int {
	var equal []int
	for _, condition := range n.Conditions {
		if condition.Op != expr.Equal && condition.Op != expr.NotDistinctFrom {
			continue
		}
		own, other := condition.Left, condition.Right
		if !left {
			own, other = other, own
		}
		a, isRef := own.(*expr.Ref)
		b, isRefToo := other.(*expr.Ref)
		if isRef && isRefToo && a.Index == c && a.Result.Equal(b.Result) && hashable(a.Result) {
			equal = append(equal, b.Index)
		}
	}
	return equal
}
