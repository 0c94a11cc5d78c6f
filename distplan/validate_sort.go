package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// sortsRanges reports whether the rows of a stage come in an order, task by task: each sorts a run of range partitions.
func sortsRanges(p *Plan, s *Stage) bool {
	if s.Spread != SpreadPartitions || !p.InRanges(s) || s.Body == nil {
		return false
	}
	order := rootOrder(s.Body)
	if order == nil {
		return false
	}
	_, sorted := order.Child.(*operator.Input)
	return sorted
}

// numbersRanges reports whether the last column of a body can be the number of a row's range.
func numbersRanges(body operator.Node) bool {
	types := body.Types()
	return len(types) > 0 && types[len(types)-1].ID == table.Integer
}
