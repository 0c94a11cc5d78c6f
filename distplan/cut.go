package distplan

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// cut turns a tree with exchanges into stages: every exchange becomes the output of one stage and an input of another.
func cut(plan *Plan, root operator.Node, opts Options, sizes *sizes) error {
	c := cutter{plan: plan, opts: opts, sizes: sizes, shares: map[*operator.Share]ids.StageID{}}
	_, err := c.stage(root, Output{Kind: OutputResult, Partitions: 1})
	return err
}

// cutSingle makes one stage of a tree without exchanges, run by a single task.
func cutSingle(plan *Plan, root operator.Node, opts Options) error {
	c := cutter{plan: plan, opts: opts, sizes: &sizes{}, single: true}
	_, err := c.stage(root, Output{Kind: OutputResult, Partitions: 1})
	return err
}

type cutter struct {
	plan   *Plan
	opts   Options
	sizes  *sizes
	single bool
	shares map[*operator.Share]ids.StageID // the stages of those that were cut already
}

// A body collects the inputs of the stage being cut.
type body struct {
	scans  []ScanInput
	names  map[*operator.Scan]string
	inputs []ExchangeInput
	hash   bool // of some input each task reads its share
	gather bool // of some input the only task reads all
	split  bool // some scan is divided among the tasks
	// replicate counts the Replicate exchanges around what is being detached: scans below one are read whole by every task.
	replicate int
}

// stage cuts the tree below n, producers first, and appends its stage to the plan.
func (c *cutter) stage(n operator.Node, out Output) (ids.StageID, error) {
	b := &body{names: map[*operator.Scan]string{}}
	tree, err := c.detach(n, b)
	if err != nil {
		return 0, err
	}
	fragment, err := fragmentOf(tree, b.names, out)
	if err != nil {
		return 0, err
	}
	s := &Stage{
		ID:            ids.StageID(len(c.plan.Stages)),
		Body:          tree,
		Fragment:      fragment,
		Scans:         b.scans,
		Inputs:        b.inputs,
		Spread:        SpreadSingle,
		Output:        out,
		Types:         sentTypes(tree, out),
		Rows:          n.Estimate(),
		Bytes:         c.sizes.bytes(n),
		Indeterminate: indeterminate(tree),
	}
	switch {
	case c.single || b.gather:
	case b.hash:
		s.Spread = SpreadPartitions
	case b.split:
		s.Spread = SpreadSplits
	}
	if s.Spread != SpreadSplits {
		// One task reads everything.
		for i := range s.Scans {
			s.Scans[i].By, s.Scans[i].Spans = nil, nil
		}
	}
	if s.Rows < 0 {
		s.Bytes = -1
	}
	if same := c.equal(s); same != nil {
		return same.ID, nil
	}
	c.plan.Stages = append(c.plan.Stages, s)
	return s.ID, nil
}

// sentTypes are the types of the columns that a stage's readers see of its body.
func sentTypes(tree operator.Node, out Output) []table.Type {
	types := tree.Types()
	if out.Kind == OutputRange {
		types = types[:len(types)-1]
	}
	return types
}

// fragmentOf prints a stage's body.
func fragmentOf(tree operator.Node, names map[*operator.Scan]string, out Output) (string, error) {
	scanName := func(s *operator.Scan) (string, error) {
		name, ok := names[s]
		if !ok {
			return "", fmt.Errorf("scan of %s is not an input of its stage", s.Table.Name)
		}
		return name, nil
	}
	if out.Kind == OutputHash && out.Partitions > 1 {
		return sqltext.SelectPartitioned(tree, scanName, out.Keys, out.Partitions)
	}
	return sqltext.SelectOver(tree, scanName)
}

// detach replaces exchanges by inputs, cutting what is below them, and names scans.
func (c *cutter) detach(n operator.Node, b *body) (operator.Node, error) {
	switch n := n.(type) {
	case *operator.Scan:
		// A scan that stands twice in a tree is two inputs only if it is two nodes.
		scan := *n
		name := fmt.Sprintf("scan_%d", len(b.scans))
		b.names[&scan] = name
		input := ScanInput{
			Name: name, Table: n.Table, Columns: n.Columns, Splits: splitsOf(n.Table, n.Columns, n.Skip, c.opts.Workers),
			Replicated: b.replicate > 0, Skip: n.Skip,
		}
		if n.Skip != nil {
			input.Of = len(splitsOf(n.Table, n.Columns, nil, c.opts.Workers))
		}
		if n.By != nil && !input.Replicated {
			input.By = n.By
			input.Splits, input.Spans = rangedSplits(n)
		}
		b.scans = append(b.scans, input)
		b.split = b.split || b.replicate == 0
		return &scan, nil
	case *operator.Exchange:
		if n.Kind == operator.Replicate {
			b.replicate++
			defer func() { b.replicate-- }()
			return c.detach(n.Child, b)
		}
		return c.exchanged(n, b)
	case *operator.SharedRead:
		read := ReadAll
		if len(n.Share.Keys) > 0 {
			read = ReadShare
		}
		return c.shared(n, read, b)
	}
	return rewriteChildren(n, func(child operator.Node) (operator.Node, error) { return c.detach(child, b) })
}
