package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
)

// singleJoins makes LEFT joins of SINGLE joins whose right side is unique on the compared columns: the check for a second
// match can never fail. Once an exchange stands between the join and that side nobody can see so any more, and the check
// would be paid for.
func singleJoins(n operator.Node) (operator.Node, error) {
	n, err := rewriteChildren(n, singleJoins)
	if err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *operator.Join:
		if n.Kind == operator.Single && sqltext.MatchesOnce(n) {
			left := *n
			left.Kind = operator.Left
			return &left, nil
		}
	case *operator.DelimJoin:
		if n.Kind == operator.Single && sqltext.MatchesOnce(&n.Join) {
			left := *n
			left.Kind = operator.Left
			return &left, nil
		}
	}
	return n, nil
}
