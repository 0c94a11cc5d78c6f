package adapt

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// JoinWhereItLies decides, before a stage starts whose rows were to be exchanged for a join, whether the join's other sides are
// small enough by now for every task to read them whole: then the stage's work is done in the join's tasks, and its rows go
// nowhere. sizes has those of the other sides that have finished. It returns no plan when the stage is to run as planned.
//
// The costs are distplan's for joins, with what is known exactly on one side: bytes(others) × workers against the bytes of the
// stage, which are an estimate still.
func JoinWhereItLies(p *distplan.Plan, probe ids.StageID, sizes Sizes, workers int, limits Limits) (*distplan.Plan, ids.StageID, []Note) {
	if limits.BroadcastBytesMax == 0 {
		return nil, 0, nil
	}
	next, consumer, err := distplan.JoinWhereItLies(p, probe)
	if next == nil || err != nil { // the plan that there is runs as well
		return nil, 0, nil
	}
	var bytes uint64
	for _, in := range p.Stages[consumer].Inputs {
		if in.From == probe || in.Read != distplan.ReadShare {
			continue
		}
		if _, finished := sizes[in.From]; !finished {
			return nil, 0, nil
		}
		bytes += sizes.Total(in.From)
	}
	saves := float64(bytes)*float64(workers) < distplan.OutputBytes(p)[probe]
	if bytes > limits.BroadcastBytesMax || !saves && !limits.Eager {
		return nil, 0, nil
	}
	return next, consumer, []Note{{Kind: Broadcast, Stage: consumer,
		Text: fmt.Sprintf("every task reads %s whole instead of exchanging stage %d", size(bytes), probe)}}
}
