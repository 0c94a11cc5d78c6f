package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// distinctMax bounds the number of distinct values of some columns of n together, whatever the row estimates above them say:
// a column has no more values than rows came through any operator below that it, or a column that an inner join holds equal
// to it, passed on its way. A column of a fact table that was joined with a few rows of a dimension has only those few keys.
func (s *sizes) distinctMax(n operator.Node, columns []int) float64 {
	values := 1.0
	for _, c := range columns {
		values *= max(s.valuesMax(n, c), 1)
	}
	return min(values, s.rows(n))
}

// A columnOf is an output column of an operator.
type columnOf struct {
	node   operator.Node
	column int
}

// valuesMax is distinctMax of one column. It remembers: a shared subtree is asked about from every reader.
func (s *sizes) valuesMax(n operator.Node, c int) float64 {
	if values, ok := s.valuesIn[columnOf{n, c}]; ok {
		return values
	}
	values := s.findValues(n, c)
	if s.valuesIn == nil {
		s.valuesIn = map[columnOf]float64{}
	}
	s.valuesIn[columnOf{n, c}] = values
	return values
}

func (s *sizes) findValues(n operator.Node, c int) float64 {
	rows := s.rows(n)
	switch n := n.(type) {
	case *operator.Filter:
		return min(rows, s.valuesMax(n.Child, operator.Pick(n.Project, len(n.Child.Types()))[c]))
	case *operator.Order:
		return min(rows, s.valuesMax(n.Child, operator.Pick(n.Project, len(n.Child.Types()))[c]))
	case *operator.Project:
		return min(rows, s.valuesOf(n.Child, n.Exprs[c]))
	case *operator.Aggregate:
		if c < len(n.Groups) {
			return min(rows, s.valuesOf(n.Child, n.Groups[c]))
		}
	case *operator.Distinct, *operator.TopN, *operator.Limit, *operator.Exchange:
		return min(rows, s.valuesMax(n.Children()[0], c))
	case *operator.SharedRead:
		return min(rows, s.valuesMax(n.Share.Child, c))
	case *operator.Join:
		return min(rows, s.joinedValues(n, c))
	}
	return rows
}

func (s *sizes) valuesOf(below operator.Node, e expr.Expr) float64 {
	if c := bareColumn(e); c >= 0 {
		return s.valuesMax(below, c)
	}
	return s.rows(below)
}

// joinedValues follows an output column of a join to its side, and under an inner or semi join to the columns of the other
// side that it is equal to.
func (s *sizes) joinedValues(n *operator.Join, c int) float64 {
	values := s.rows(n)
	for _, left := range []bool{true, false} {
		own, other := side(n, left), side(n, !left)
		for from := range own.Types() {
			if outputOf(n, left, from) != c {
				continue
			}
			values = min(values, s.valuesMax(own, from)+1) // and the NULL of an outer join
			if n.Kind != operator.Inner && n.Kind != operator.Semi && n.Kind != operator.RightSemi {
				continue
			}
			for _, equal := range equalColumns(n, left, from) {
				values = min(values, s.valuesMax(other, equal))
			}
		}
	}
	return values
}
