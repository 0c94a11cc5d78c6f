package operator

import "github.com/arbalest-sql/arbalest/catalog/table"

// An ExchangeKind says how an exchange divides rows among the consumer's tasks.
type ExchangeKind string

// The exchange kinds.
const (
	// Gather brings all rows to one task.
	Gather ExchangeKind = "gather"
	// Hash sends rows that agree on the keys to the same task.
	Hash ExchangeKind = "hash"
	// Broadcast gives every task all rows.
	Broadcast ExchangeKind = "broadcast"
	// Range sends rows to the partition that the last column of Child numbers: the lower, the earlier in an order. The column
	// itself is not sent. A task reads neighbouring partitions, and those of a later task are later.
	Range ExchangeKind = "range"
	// Replicate is no boundary: every task of the consumer runs the whole subtree itself, reading all of its tables. For
	// subtrees that are cheaper to run again than to send, and give the same rows each time.
	Replicate ExchangeKind = "replicate"
)

// An Exchange is a boundary between two stages: below it the producer, above it the consumer. It changes no rows, so a tree
// with exchanges means on one node what it means without them. Only distplan places it, and cutting the tree removes it.
type Exchange struct {
	Estimated
	Kind  ExchangeKind
	Child Node
	// Keys are the hashed columns, only with Hash; Partitions is the number of partitions of Hash and Range, else 1.
	Keys       []int
	Partitions int
}

// Types implements Node.
func (n *Exchange) Types() []table.Type {
	types := n.Child.Types()
	if n.Kind == Range {
		types = types[:len(types)-1]
	}
	return types
}

// Children implements Node.
func (n *Exchange) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Exchange) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// A Phase says which half of a split aggregate an Aggregate is, for readers of a plan; it changes no meaning.
type Phase string

// The phases. Once is the zero value: the aggregate was not split.
const (
	Once    Phase = ""
	Partial Phase = "partial"
	Final   Phase = "final"
)

// Plain reports whether the grouping sets say no more than GROUP BY all groups.
func (n *Aggregate) Plain() bool {
	if len(n.Sets) == 0 {
		return true
	}
	if len(n.Sets) > 1 {
		return false
	}
	in := map[int]bool{}
	for _, g := range n.Sets[0] {
		in[g] = true
	}
	return len(in) == len(n.Groups)
}
