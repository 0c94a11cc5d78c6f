package distplan

import "github.com/arbalest-sql/arbalest/distplan/operator"

// Divisible says, for each of a stage's Inputs, whether its rows may be divided among tasks in any way, if each of these
// tasks reads all that it would of every other input: for dividing a partition that is far larger than others, and for
// reading a probe side where it lies instead of exchanging it.
//
// The rule, from the input upwards: filters and projections, the first half of a two-phase aggregate, and the LIMIT or top
// rows of a task work row by row, or what they give is put together above an exchange. A join is one if the other side may
// repeat (mayRepeat), which must give the same rows in each task. Anything else (whole aggregates, DISTINCT, windows, set
// operations, common table expressions) has rows of one key in one task for a reason.
func Divisible(s *Stage) []bool {
	may := make([]bool, len(s.Inputs))
	if s.Body == nil || s.Spread != SpreadPartitions {
		return may
	}
	for i, in := range s.Inputs {
		may[i] = in.Read == ReadShare && divides(s.Body, in.Name)
	}
	return may
}

// divides reports whether n gives each row once when the rows of one input are divided and all others repeat.
func divides(n operator.Node, input string) bool {
	switch n := n.(type) {
	case *operator.Input:
		return n.Name == input
	case *operator.Filter, *operator.Project, *operator.Limit, *operator.TopN:
		return divides(n.Children()[0], input)
	case *operator.Aggregate:
		return n.Phase == operator.Partial && divides(n.Child, input)
	case *operator.Join:
		return dividesJoin(n.Kind, n.Left, n.Right, input)
	case *operator.Cross:
		return dividesJoin(operator.Inner, n.Left, n.Right, input)
	}
	return false
}

func dividesJoin(kind operator.JoinKind, left, right operator.Node, input string) bool {
	switch {
	case mayRepeat(kind, false) && repeats(right, input):
		return divides(left, input)
	case mayRepeat(kind, true) && repeats(left, input):
		return divides(right, input)
	}
	return false
}

// repeats reports whether a subtree without the divided input gives the same rows in every task.
func repeats(n operator.Node, divided string) bool {
	without := operator.Walk(n, func(n operator.Node) bool {
		in, ok := n.(*operator.Input)
		return !ok || in.Name != divided
	})
	return without && standsAlone(n) && !indeterminate(n)
}
