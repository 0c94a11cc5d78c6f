package distplan

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// JoinWhereItLies changes a plan that is running: a join whose sides were to be exchanged by hash is done where its larger
// side lies, since the other inputs turned out small. probe is a stage that has not started; its only consumer becomes a stage
// that does the work of both, over the probe's own splits or partitions, and every task of it reads all partitions of the
// consumer's other hash inputs, which have finished as they were planned. The probe stays in the plan without a body, so that
// stages keep their numbers.
//
// It returns no plan when that is not possible. The rules: the probe is the consumer's alone, runs in many tasks, and gives
// rows that may be divided in any way (Divisible).
func JoinWhereItLies(p *Plan, probe ids.StageID) (*Plan, ids.StageID, error) {
	consumer := consumerOf(p, probe)
	if consumer == nil || !mergeable(p, consumer, probe) {
		return nil, 0, nil
	}
	for i, may := range Divisible(consumer) {
		if consumer.Inputs[i].From == probe && !may {
			return nil, 0, nil
		}
	}
	merged, err := merge(p, consumer, p.Stages[probe])
	if err != nil {
		return nil, 0, err
	}
	next := *p
	next.Stages = append([]*Stage(nil), p.Stages...)
	next.Stages[consumer.ID] = merged
	into := consumer.ID
	next.Stages[probe] = &Stage{ID: probe, MergedInto: &into, Output: p.Stages[probe].Output, Types: p.Stages[probe].Types, Rows: -1, Bytes: -1}
	if err := Validate(&next); err != nil {
		return nil, 0, fmt.Errorf("join stage %d where stage %d lies: %w", consumer.ID, probe, err)
	}
	return &next, consumer.ID, nil
}

// consumerOf is the only stage that reads another one; nil when there are several.
func consumerOf(p *Plan, stage ids.StageID) *Stage {
	var found *Stage
	for _, s := range p.Stages {
		for _, in := range s.Inputs {
			if in.From != stage {
				continue
			}
			if found != nil {
				return nil
			}
			found = s
		}
	}
	return found
}

// mergeable reports whether a producer's work can be done in its consumer's tasks.
func mergeable(p *Plan, consumer *Stage, producer ids.StageID) bool {
	from := p.Stages[producer]
	return from.Body != nil && from.Spread != SpreadSingle && consumer.Spread == SpreadPartitions && consumerOf(p, producer) == consumer &&
		readOnce(consumer, producer)
}

// readOnce reports whether a stage's body reads a producer in one place, and each task a share of it.
func readOnce(s *Stage, producer ids.StageID) bool {
	count := 0
	operator.Walk(s.Body, func(n operator.Node) bool {
		if in, ok := n.(*operator.Input); ok {
			if input := inputOf(s, in.Name); input != nil && input.From == producer {
				count++
				if input.Read != ReadShare {
					count++
				}
			}
		}
		return true
	})
	return count == 1
}

// merge puts the producer's body where the consumer reads it.
func merge(p *Plan, consumer, producer *Stage) (*Stage, error) {
	scans, inputs := map[*operator.Scan]ScanInput{}, map[string]ExchangeInput{}
	for _, in := range producer.Inputs {
		inputs[in.Name] = in
	}
	for _, s := range []*Stage{consumer, producer} {
		for i, scan := range operator.Scans(s.Body) {
			scans[scan] = s.Scans[i]
		}
	}
	name := ""
	for _, in := range consumer.Inputs {
		if in.From == producer.ID {
			name = in.Name
		}
		if _, both := inputs[in.Name]; both {
			return nil, fmt.Errorf("both stages read %s", in.Name)
		}
		in.Read = ReadWhole
		inputs[in.Name] = in
	}
	body, err := replaceInput(consumer.Body, name, producer.Body)
	if err != nil {
		return nil, err
	}
	out := *consumer
	out.Body, out.Scans, out.Inputs, out.Spread = body, nil, nil, producer.Spread
	names := map[*operator.Scan]string{}
	operator.Walk(body, func(n operator.Node) bool {
		switch n := n.(type) {
		case *operator.Scan:
			scan := scans[n]
			scan.Name = fmt.Sprintf("scan_%d", len(out.Scans))
			names[n] = scan.Name
			out.Scans = append(out.Scans, scan)
		case *operator.Input:
			out.Inputs = append(out.Inputs, inputs[n.Name])
		}
		return true
	})
	out.Indeterminate = indeterminate(body)
	out.Fragment, err = fragmentOf(body, names, out.Output)
	return &out, err
}

// replaceInput puts a tree where a body reads an input.
func replaceInput(n operator.Node, name string, tree operator.Node) (operator.Node, error) {
	if in, ok := n.(*operator.Input); ok && in.Name == name {
		return tree, nil
	}
	return rewriteChildren(n, func(child operator.Node) (operator.Node, error) { return replaceInput(child, name, tree) })
}
