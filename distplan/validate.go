package distplan

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// Validate checks what every plan must be before it may run:
//
//  1. Stages are numbered in order, producers before consumers; the last is the only one whose output is the result, and
//     every other one has a consumer, or several that share it, or none when it was merged.
//  2. Bodies are well formed (validateTree), their scans and inputs are the stage's, and their types are the stage's.
//  3. An input's types are its producer's. Only a single task reads all of an input alone; a stage that is spread over
//     partitions reads its share of hash partitions, of all such inputs of the same number, beside inputs that every task
//     reads whole, or runs of range partitions of its only input; one spread over splits reads scans and whole inputs.
//  4. Hash keys are columns of the output, and there is at least one.
//  5. Every row of every scanned table is in exactly one split, but for those of skipped units, which are in none.
//     A scan divided by ranges gives each task the splits that may hold rows of its ranges.
//  6. An ordered result comes from one task, or from a stage that sorts what it reads of range partitions.
//  7. In a stage of many tasks no row can come from more than one of them, and rows that meet (the sides of a join, a group,
//     a window's partition, equal rows of a set operation) are in one (validateShares).
func Validate(p *Plan) error {
	if len(p.Stages) == 0 {
		return fmt.Errorf("plan has no stage")
	}
	consumers := make([]int, len(p.Stages))
	for i, s := range p.Stages {
		if s.ID != ids.StageID(i) {
			return fmt.Errorf("stage %d is numbered %d", i, s.ID)
		}
		if err := validateStage(p, s, consumers); err != nil {
			return fmt.Errorf("stage %d: %w", i, err)
		}
	}
	last := len(p.Stages) - 1
	for i, s := range p.Stages {
		if (i == last) != (s.Output.Kind == OutputResult) {
			return fmt.Errorf("stage %d of %d has output %s", i, len(p.Stages), s.Output.Kind)
		}
		if i < last && (consumers[i] == 0) != (s.MergedInto != nil) {
			return fmt.Errorf("stage %d has %d consumers", i, consumers[i])
		}
	}
	root := p.Root()
	if len(root.Types) != len(p.Columns) {
		return fmt.Errorf("root has %d columns, the result %d", len(root.Types), len(p.Columns))
	}
	for i, t := range root.Types {
		if !t.Equal(p.Columns[i].Type) {
			return fmt.Errorf("root column %d is %s, of the result %s", i, t.SQL(), p.Columns[i].Type.SQL())
		}
	}
	if p.Ordered && root.Spread != SpreadSingle && !sortsRanges(p, root) {
		return fmt.Errorf("an ordered result comes from many tasks")
	}
	return nil
}

func validateStage(p *Plan, s *Stage, consumers []int) error {
	if s.MergedInto != nil {
		if s.Body != nil || len(s.Scans)+len(s.Inputs) > 0 || *s.MergedInto <= s.ID || int(*s.MergedInto) >= len(p.Stages) {
			return fmt.Errorf("merged, but with a body or inputs, or into stage %d", *s.MergedInto)
		}
		return nil
	}
	if s.Fragment == "" {
		return fmt.Errorf("no fragment")
	}
	names := map[string]bool{}
	for i := range s.Scans {
		if names[s.Scans[i].Name] {
			return fmt.Errorf("two inputs named %s", s.Scans[i].Name)
		}
		names[s.Scans[i].Name] = true
		if err := validateScan(&s.Scans[i]); err != nil {
			return err
		}
	}
	if err := validateInputs(p, s, names, consumers); err != nil {
		return err
	}
	if err := validateOutput(s); err != nil {
		return err
	}
	if s.Body == nil {
		return nil
	}
	if err := validateTree(s.Body); err != nil {
		return err
	}
	if err := sameTypes(s.Types, sentTypes(s.Body, s.Output)); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if err := validateLeaves(s); err != nil {
		return err
	}
	return validateShares(p, s)
}

func validateInputs(p *Plan, s *Stage, names map[string]bool, consumers []int) error {
	partitions := 0
	for _, in := range s.Inputs {
		if names[in.Name] {
			return fmt.Errorf("two inputs named %s", in.Name)
		}
		names[in.Name] = true
		if in.From < 0 || in.From >= s.ID {
			return fmt.Errorf("input %s comes from stage %d", in.Name, in.From)
		}
		from := p.Stages[in.From]
		consumers[in.From]++
		if err := sameTypes(in.Types, from.Types); err != nil {
			return fmt.Errorf("input %s: %w", in.Name, err)
		}
		switch in.Read {
		case ReadShare:
			if from.Output.Kind != OutputHash && from.Output.Kind != OutputRange {
				return fmt.Errorf("input %s is a share of stage %d, whose output is %s", in.Name, in.From, from.Output.Kind)
			}
			if partitions > 0 && partitions != from.Output.Partitions {
				return fmt.Errorf("inputs of %d and %d partitions", partitions, from.Output.Partitions)
			}
			partitions = from.Output.Partitions
			if from.Output.Kind == OutputRange && len(s.Inputs) != 1 {
				return fmt.Errorf("range input %s beside others", in.Name)
			}
		case ReadAll:
			if s.Spread != SpreadSingle {
				return fmt.Errorf("a gathered input in a stage of many tasks")
			}
		case ReadWhole:
		default:
			return fmt.Errorf("input %s is read in way %d", in.Name, in.Read)
		}
	}
	if s.Spread == SpreadPartitions && (partitions == 0 || splitScans(s)) {
		return fmt.Errorf("spread over partitions without a hash input, or with a scan")
	}
	if s.Spread == SpreadSplits && (partitions > 0 || !splitScans(s)) {
		return fmt.Errorf("spread over splits without a scan, or with a hash input")
	}
	return nil
}

// splitScans reports whether some scan is divided among tasks.
func splitScans(s *Stage) bool {
	for _, scan := range s.Scans {
		if !scan.Replicated {
			return true
		}
	}
	return false
}

func validateOutput(s *Stage) error {
	out := s.Output
	if out.Kind == OutputRange {
		if out.Partitions < 2 || len(out.Keys) != 0 {
			return fmt.Errorf("range output with %d partitions and %d keys", out.Partitions, len(out.Keys))
		}
		if s.Body == nil || !numbersRanges(s.Body) {
			return fmt.Errorf("the last column of a range output is no INTEGER")
		}
		return nil
	}
	if out.Kind != OutputHash {
		if out.Partitions != 1 || len(out.Keys) != 0 {
			return fmt.Errorf("%s output with %d partitions and %d keys", out.Kind, out.Partitions, len(out.Keys))
		}
		return nil
	}
	if out.Partitions < 1 || len(out.Keys) == 0 {
		return fmt.Errorf("hash output with %d partitions and %d keys", out.Partitions, len(out.Keys))
	}
	for _, k := range out.Keys {
		if k < 0 || k >= len(s.Types) {
			return fmt.Errorf("hash key %d of %d columns", k, len(s.Types))
		}
	}
	return nil
}

// validateLeaves checks that the body's leaves and the stage's inputs are the same.
func validateLeaves(s *Stage) error {
	scans := 0
	read := map[string]bool{}
	var fault error
	operator.Walk(s.Body, func(n operator.Node) bool {
		switch n := n.(type) {
		case *operator.Scan:
			if scans >= len(s.Scans) || s.Scans[scans].Table != n.Table || !sameInts(s.Scans[scans].Columns, n.Columns) {
				fault = fmt.Errorf("scan of %s is not input %d", n.Table.Name, scans)
			}
			scans++
		case *operator.Input:
			if in := inputOf(s, n.Name); in == nil {
				fault = fmt.Errorf("%s is not an input", n.Name)
			} else if err := sameTypes(n.Result, in.Types); err != nil {
				fault = fmt.Errorf("%s: %w", n.Name, err)
			}
			read[n.Name] = true
		case *operator.Exchange, *operator.SharedRead:
			fault = fmt.Errorf("an exchange is left in the body")
		}
		return fault == nil
	})
	if fault == nil && (scans != len(s.Scans) || len(read) != len(s.Inputs)) {
		fault = fmt.Errorf("body reads %d of %d scans and %d of %d exchanges", scans, len(s.Scans), len(read), len(s.Inputs))
	}
	return fault
}

// inputOf finds a stage's input by name; nil when there is none.
func inputOf(s *Stage, name string) *ExchangeInput {
	for i := range s.Inputs {
		if s.Inputs[i].Name == name {
			return &s.Inputs[i]
		}
	}
	return nil
}

func validateScan(s *ScanInput) error {
	for _, c := range s.Columns {
		if c >= len(s.Table.Columns) {
			return fmt.Errorf("scan of %s reads column %d of %d", s.Table.Name, c, len(s.Table.Columns))
		}
	}
	if err := validateSplits(s); err != nil {
		return err
	}
	return validateRanges(s)
}

func sameTypes(a, b []table.Type) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d columns against %d", len(a), len(b))
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return fmt.Errorf("column %d is %s against %s", i, a[i].SQL(), b[i].SQL())
		}
	}
	return nil
}

// String names the kind as EXPLAIN does.
func (k OutputKind) String() string {
	switch k {
	case OutputResult:
		return "result"
	case OutputGather:
		return "gather"
	case OutputHash:
		return "hash"
	case OutputRange:
		return "range"
	case OutputBroadcast:
		return "broadcast"
	}
	return fmt.Sprintf("output(%d)", uint8(k))
}

// String names the reading, for messages and for inputs that are read in two ways.
func (r Reading) String() string {
	switch r {
	case ReadAll:
		return "all"
	case ReadShare:
		return "share"
	case ReadWhole:
		return "whole"
	}
	return fmt.Sprintf("reading(%d)", uint8(r))
}
