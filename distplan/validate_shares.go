package distplan

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A share says what one task of many sees of an operator's rows.
type share uint8

const (
	// seenByAll: every task sees all of them, the same.
	seenByAll share = iota
	// partly: each row is seen by one task.
	partly
)

// A shareChecker walks the body of a stage of many tasks and refuses what would give rows more than once or not at all,
// whatever rule put it there: a stage that gives the same rows from every task, a preserved side of a join that every task
// sees whole, branches of a set operation of which one is whole, rows that must meet and are not in one task.
type shareChecker struct {
	plan   *Plan
	stage  *Stage
	scans  map[*operator.Scan]int // positions among the stage's
	ctes   map[int]share
	delims map[int]share
	alikes map[sent]map[int]bool // what alike has answered
}

func validateShares(p *Plan, s *Stage) error {
	if s.Spread == SpreadSingle {
		return nil
	}
	c := shareChecker{plan: p, stage: s, scans: map[*operator.Scan]int{}, ctes: map[int]share{}, delims: map[int]share{}, alikes: map[sent]map[int]bool{}}
	for i, scan := range operator.Scans(s.Body) {
		c.scans[scan] = i
	}
	of, err := c.of(s.Body)
	if err == nil && of == seenByAll {
		err = fmt.Errorf("every task gives the same rows")
	}
	if err == nil && s.Output.Kind == OutputResult {
		err = c.result(s.Body)
	}
	return err
}

func (c *shareChecker) of(n operator.Node) (share, error) {
	switch n := n.(type) {
	case *operator.Scan:
		if c.stage.Scans[c.scans[n]].Replicated {
			return seenByAll, nil
		}
		return partly, nil
	case *operator.Input:
		if in := inputOf(c.stage, n.Name); in != nil && in.Read == ReadShare {
			return partly, nil
		}
		return seenByAll, nil
	case *operator.CTERef:
		return c.ctes[n.ID], nil
	case *operator.DelimGet:
		return c.delims[n.ID], nil
	case *operator.CTE:
		definition, err := c.of(n.Definition)
		if err != nil {
			return 0, err
		}
		c.ctes[n.ID] = definition
		return c.of(n.Body)
	case *operator.Join:
		return c.join(n, n.Kind, n.Left, n.Right)
	case *operator.Cross:
		return c.join(nil, operator.Inner, n.Left, n.Right)
	case *operator.DelimJoin:
		return c.delimJoin(n)
	case *operator.SetOp:
		return c.setOp(n)
	}
	var of share
	for _, child := range n.Children() {
		var err error
		if of, err = c.of(child); err != nil {
			return 0, err
		}
	}
	if of == partly {
		return of, c.groups(n)
	}
	return of, nil
}

// join checks a join; n is nil for a cross product.
func (c *shareChecker) join(n *operator.Join, kind operator.JoinKind, left, right operator.Node) (share, error) {
	l, err := c.of(left)
	if err != nil {
		return 0, err
	}
	r, err := c.of(right)
	if err != nil {
		return 0, err
	}
	if l == partly && r == partly && n != nil {
		if c.sameRanges(n) || c.sameHashes(n) {
			return partly, nil
		}
		return 0, fmt.Errorf("%s join: rows that match may be in several tasks", kind)
	}
	return c.joinOf(kind, l, r)
}

func (c *shareChecker) joinOf(kind operator.JoinKind, l, r share) (share, error) {
	switch {
	case l == seenByAll && r == seenByAll:
		return seenByAll, nil
	case l == seenByAll && !mayRepeat(kind, true), r == seenByAll && !mayRepeat(kind, false):
		return 0, fmt.Errorf("%s join: every task sees all of a side whose rows are preserved", kind)
	case l == partly && r == partly:
		return 0, fmt.Errorf("%s join: both sides are divided", kind)
	}
	return partly, nil
}

func (c *shareChecker) delimJoin(n *operator.DelimJoin) (share, error) {
	kept, other := n.Left, n.Right
	if n.Flipped {
		kept, other = other, kept
	}
	k, err := c.of(kept)
	if err != nil {
		return 0, err
	}
	c.delims[n.ID] = k
	o, err := c.of(other)
	if err != nil {
		return 0, err
	}
	if n.Flipped {
		k, o = o, k
	}
	return c.joinOf(n.Kind, k, o)
}

func (c *shareChecker) setOp(n *operator.SetOp) (share, error) {
	all := partly
	for i, in := range n.Inputs {
		of, err := c.of(in)
		if err != nil {
			return 0, err
		}
		if i == 0 {
			all = of
		} else if of != all {
			return 0, fmt.Errorf("%s: every task sees all of one branch and a part of another", n.Kind)
		}
	}
	if all == partly {
		return all, c.groups(n)
	}
	return all, nil
}
