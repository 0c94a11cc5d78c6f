package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var (
	ruleUnionStays = newRule("union all: every task unites its shares")
	ruleUnionMoves = newRule("union all: branches that are spread differently go by their columns")
	ruleUnion      = newRule("union: distinct rows go by all columns")
	ruleAllColumns = newRule("intersect, except: rows go by all columns")
)

// setOp distributes UNION, INTERSECT and EXCEPT.
func (d *distributor) setOp(n *operator.SetOp) placed {
	inputs := make([]placed, len(n.Inputs))
	spread := false
	for i, in := range n.Inputs {
		inputs[i] = d.place(in)
		spread = spread || inputs[i].partitioning != single
	}
	if !spread {
		return overInputs(n, inputs)
	}
	if n.Kind == operator.Union && n.All {
		return d.unionAll(n, inputs)
	}
	return d.byAllColumns(n, inputs)
}

func overInputs(n *operator.SetOp, inputs []placed) placed {
	nodes := make([]operator.Node, len(inputs))
	for i, in := range inputs {
		nodes[i] = in.node
	}
	return placed{n.WithChildren(nodes), inputs[0].delivered}
}

// unionAll keeps every branch in the tasks where it runs, when all branches run in equal ones: all over splits of their
// own scans, or all over the same hash partitions. Each task then unites its shares. A branch that differs goes by hash of
// its columns to the partitions: one that exists once (constant rows, a final aggregate) would come again from every task.
func (d *distributor) unionAll(n *operator.SetOp, inputs []placed) placed {
	first := sourceOf(inputs[0].node)
	same := first != fromOnce
	for _, in := range inputs[1:] {
		same = same && sourceOf(in.node) == first
	}
	switch {
	case same:
		d.fired(ruleUnionStays)
	case d.toPartitions(inputs):
		d.fired(ruleUnionMoves)
	default:
		d.because("UNION ALL of branches that are spread differently, and without columns to divide them by, runs in one task")
		for i, in := range inputs {
			inputs[i] = d.gather(in)
		}
		return overInputs(n, inputs)
	}
	out := overInputs(n, inputs)
	for _, in := range inputs {
		if !in.lies(inputs[0].keys, inputs[0].partitions) || sameTypes(in.node.Types(), n.Types()) != nil {
			out.delivered = delivered{partitioning: arbitrary, partitions: inputs[0].partitions}
		}
	}
	out.also = nil // columns that are equal in one branch need not be in the others
	return out
}

// toPartitions sends the branches that do not lie in hash partitions there; false when one has no column to hash.
func (d *distributor) toPartitions(inputs []placed) bool {
	keys := make([][]int, len(inputs))
	for i, in := range inputs {
		if sourceOf(in.node) == fromPartitions {
			continue
		}
		for c, t := range in.node.Types() {
			if hashable(t) {
				keys[i] = append(keys[i], c)
			}
		}
		if keys[i] == nil {
			return false
		}
	}
	for i, in := range inputs {
		if keys[i] != nil {
			inputs[i] = d.exchange(in, keys[i])
		}
	}
	return true
}

// byAllColumns brings equal rows of all inputs together and works on each partition alone. UNION needs of every input only
// its distinct rows.
func (d *distributor) byAllColumns(n *operator.SetOp, inputs []placed) placed {
	types := n.Types()
	for _, in := range inputs {
		for c, t := range in.node.Types() {
			if !t.Equal(types[c]) {
				d.because("%s of inputs whose types differ runs in one task", n.Kind)
				for i := range inputs {
					inputs[i] = d.gather(inputs[i])
				}
				return overInputs(n, inputs)
			}
		}
	}
	if n.Kind == operator.Union {
		d.fired(ruleUnion)
	} else {
		d.fired(ruleAllColumns)
	}
	all := allColumns(n)
	for i, in := range inputs {
		if n.Kind == operator.Union && in.partitioning == arbitrary {
			in.node = &operator.Distinct{Estimated: operator.Estimated{Rows: -1}, Child: in.node}
		}
		inputs[i] = d.exchange(in, all)
	}
	return overInputs(n, inputs)
}

// A source says what divides the rows of a stage among its tasks.
type source uint8

const (
	fromOnce source = iota // nothing: one task
	fromSplits
	fromPartitions
)

// sourceOf looks at the inputs of the stage that n is the top of.
func sourceOf(n operator.Node) source {
	switch n := n.(type) {
	case *operator.Scan:
		return fromSplits
	case *operator.Exchange:
		if n.Kind == operator.Hash {
			return fromPartitions
		}
		return fromOnce
	case *operator.SharedRead:
		if len(n.Share.Keys) > 0 {
			return fromPartitions
		}
		return fromOnce
	}
	found := fromOnce
	for _, c := range n.Children() {
		found = max(found, sourceOf(c))
	}
	return found
}
