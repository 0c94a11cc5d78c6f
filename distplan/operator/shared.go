package operator

import "github.com/arbalest-sql/arbalest/catalog/table"

// A Share is a subtree that is evaluated once, by a stage of its own, and read from several places: the definition of a
// CTE, the side of a correlated subquery that is evaluated once. It is known by its address.
type Share struct {
	// Child gives the rows; it holds the exchanges below it.
	Child Node
	// Result are Child's types, noted once: shares may be stacked deeply.
	Result []table.Type
	// Keys and Partitions say how the rows are laid out for all readers: by hash of these columns, or, without keys, in one
	// partition.
	Keys       []int
	Partitions int
}

// A SharedRead is a leaf that reads a Share: below no exchange each task's share of its partitions, below a Gather or a
// Broadcast all of them. Like Exchange, only distplan places it, and cutting the tree removes it.
type SharedRead struct {
	Estimated
	Share *Share
}

// Types implements Node.
func (n *SharedRead) Types() []table.Type { return n.Share.Result }

// Children implements Node: none, for what is below is no part of the reader's stage.
func (n *SharedRead) Children() []Node { return nil }

// WithChildren implements Node.
func (n *SharedRead) WithChildren(children []Node) Node { c := *n; want(children, 0); return &c }
