package distplan

import (
	"fmt"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// groupsMax is how many groups GROUPING can number in a BIGINT.
const groupsMax = 62

// repeatSets computes a grouping set that is given several times once, and repeats its rows: groups are told apart by the
// number of their set, GROUPING of all groups, which the copies of a set share.
//
//	project without the number                 aggregate sets=(a), (b), (a)
//	  join number = number             ←
//	    aggregate sets=(a), (b) + number
//	    values (number of a), (number of b), (number of a)
func repeatSets(n operator.Node) (operator.Node, error) {
	n, err := rewriteChildren(n, repeatSets)
	if err != nil {
		return nil, err
	}
	a, ok := n.(*operator.Aggregate)
	if !ok || len(a.Sets) < 2 || len(a.Groups) > groupsMax || !repeatedSets(a) {
		return n, nil
	}
	bigint := table.Of(table.BigInt)
	once := *a
	once.Sets = nil
	copies := &operator.Values{Estimated: operator.Estimated{Rows: float64(len(a.Sets))}, Result: []table.Type{bigint}}
	var numbers []int64
	for _, set := range a.Sets {
		number := setNumber(set, len(a.Groups))
		if !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
			once.Sets = append(once.Sets, set)
		}
		copies.Rows = append(copies.Rows, []expr.Expr{&expr.Const{SQL: fmt.Sprintf("CAST(%d AS BIGINT)", number), Result: bigint}})
	}
	width := len(a.Types())
	join := &operator.Join{
		Estimated: a.Estimated, Kind: operator.Inner, Right: copies, LeftProject: operator.Pick(nil, width), RightProject: []int{},
	}
	if !once.Plain() {
		once.GroupingCalls = append(slices.Clip(slices.Clone(a.GroupingCalls)), operator.Pick(nil, len(a.Groups)))
		join.Conditions = []operator.Condition{{
			Op: expr.Equal, Left: &expr.Ref{Index: width, Result: bigint}, Right: &expr.Ref{Index: 0, Result: bigint},
		}}
	} else if len(a.GroupingCalls) > 0 {
		return n, nil // GROUPING over one plain set: left to one task
	}
	join.Left = &once
	return join, nil
}

// setNumber is what GROUPING of all groups gives for a set: a bit for each group, the first the highest, set where the
// group is not in it.
func setNumber(set []int, groups int) int64 {
	var number int64
	for g := range groups {
		number <<= 1
		if !in(g, set) {
			number++
		}
	}
	return number
}
