package distplan

import (
	"fmt"
	"slices"

	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// exchanged cuts what is below an exchange into a stage, and reads that.
func (c *cutter) exchanged(n *operator.Exchange, b *body) (operator.Node, error) {
	out, read := Output{Kind: OutputGather, Partitions: 1}, ReadAll
	switch n.Kind {
	case operator.Hash:
		out, read = Output{Kind: OutputHash, Keys: n.Keys, Partitions: n.Partitions}, ReadShare
	case operator.Range:
		out, read = Output{Kind: OutputRange, Partitions: n.Partitions}, ReadShare
	case operator.Broadcast:
		out, read = Output{Kind: OutputBroadcast, Partitions: 1}, ReadWhole
	}
	if s, ok := n.Child.(*operator.SharedRead); ok && n.Kind != operator.Hash && n.Kind != operator.Range {
		return c.shared(s, read, b) // its partitions can be read so as they are
	}
	from, err := c.stage(n.Child, out)
	if err != nil {
		return nil, err
	}
	return c.input(n.Estimated, from, read, b), nil
}

// shared reads the stage of a share, which the first reader cuts.
func (c *cutter) shared(n *operator.SharedRead, read Reading, b *body) (operator.Node, error) {
	from, cut := c.shares[n.Share]
	if !cut {
		out := Output{Kind: OutputGather, Partitions: 1}
		if len(n.Share.Keys) > 0 {
			out = Output{Kind: OutputHash, Keys: n.Share.Keys, Partitions: n.Share.Partitions}
		}
		var err error
		if from, err = c.stage(n.Share.Child, out); err != nil {
			return nil, err
		}
		c.shares[n.Share] = from
	}
	return c.input(n.Estimated, from, read, b), nil
}

// input reads a stage's output; places that read one stage in the same way share one input.
func (c *cutter) input(est operator.Estimated, from ids.StageID, read Reading, b *body) operator.Node {
	in := ExchangeInput{Name: fmt.Sprintf("exchange_%d", from), From: from, Types: c.plan.Stages[from].Types, Read: read}
	found := false
	for _, other := range b.inputs {
		if other.From != from {
			continue
		}
		if found = other.Read == read; found {
			in = other
			break
		}
		in.Name = fmt.Sprintf("exchange_%d_%s", from, read)
	}
	if !found {
		b.inputs = append(b.inputs, in)
	}
	b.hash = b.hash || read == ReadShare
	b.gather = b.gather || read == ReadAll
	return &operator.Input{Estimated: est, Name: in.Name, Result: in.Types}
}

// equal finds a stage that gives the same rows, laid out in the same way: that one is read instead of s. What may give
// other rows the second time is not the same.
func (c *cutter) equal(s *Stage) *Stage {
	if s.Indeterminate || s.Output.Kind == OutputResult {
		return nil
	}
	for _, o := range c.plan.Stages {
		if o.Fragment == s.Fragment && sameOutput(o.Output, s.Output) && o.Spread == s.Spread && !o.Indeterminate &&
			slices.EqualFunc(o.Scans, s.Scans, sameScan) && slices.EqualFunc(o.Inputs, s.Inputs, sameInput) && sameTypes(o.Types, s.Types) == nil {
			return o
		}
	}
	return nil
}

// sameOutput compares how rows are laid out: one partition is one partition, whoever reads it.
func sameOutput(a, b Output) bool {
	return (a.Kind == OutputHash) == (b.Kind == OutputHash) && (a.Kind == OutputRange) == (b.Kind == OutputRange) &&
		a.Partitions == b.Partitions && sameInts(a.Keys, b.Keys)
}

func sameScan(a, b ScanInput) bool {
	return a.Table == b.Table && sameInts(a.Columns, b.Columns) && a.Replicated == b.Replicated
}

func sameInput(a, b ExchangeInput) bool {
	return a.From == b.From && a.Read == b.Read && a.Name == b.Name
}
