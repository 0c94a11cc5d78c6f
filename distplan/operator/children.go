package operator

import "github.com/arbalest-sql/arbalest/internal/invariants"

// WithChildren implements Node.
func (n *Scan) WithChildren(children []Node) Node { c := *n; want(children, 0); return &c }

// WithChildren implements Node.
func (n *Values) WithChildren(children []Node) Node { c := *n; want(children, 0); return &c }

// WithChildren implements Node.
func (n *Empty) WithChildren(children []Node) Node { c := *n; want(children, 0); return &c }

// WithChildren implements Node.
func (n *Dummy) WithChildren(children []Node) Node { c := *n; want(children, 0); return &c }

// WithChildren implements Node.
func (n *DelimGet) WithChildren(children []Node) Node { c := *n; want(children, 0); return &c }

// WithChildren implements Node.
func (n *CTERef) WithChildren(children []Node) Node { c := *n; want(children, 0); return &c }

// WithChildren implements Node.
func (n *Input) WithChildren(children []Node) Node { c := *n; want(children, 0); return &c }

// WithChildren implements Node.
func (n *Filter) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// WithChildren implements Node.
func (n *Project) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// WithChildren implements Node.
func (n *Aggregate) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// WithChildren implements Node.
func (n *Distinct) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// WithChildren implements Node.
func (n *Join) WithChildren(children []Node) Node {
	c := *n
	want(children, 2)
	c.Left, c.Right = children[0], children[1]
	return &c
}

// WithChildren implements Node.
func (n *DelimJoin) WithChildren(children []Node) Node {
	c := *n
	want(children, 2)
	c.Left, c.Right = children[0], children[1]
	return &c
}

// WithChildren implements Node.
func (n *Cross) WithChildren(children []Node) Node {
	c := *n
	want(children, 2)
	c.Left, c.Right = children[0], children[1]
	return &c
}

// WithChildren implements Node.
func (n *Order) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// WithChildren implements Node.
func (n *TopN) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// WithChildren implements Node.
func (n *Limit) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// WithChildren implements Node.
func (n *SetOp) WithChildren(children []Node) Node {
	c := *n
	c.Inputs = append([]Node(nil), want(children, len(n.Inputs))...)
	return &c
}

// WithChildren implements Node.
func (n *Window) WithChildren(children []Node) Node {
	c := *n
	c.Child = want(children, 1)[0]
	return &c
}

// WithChildren implements Node.
func (n *CTE) WithChildren(children []Node) Node {
	c := *n
	want(children, 2)
	c.Definition, c.Body = children[0], children[1]
	return &c
}

func want(children []Node, n int) []Node {
	invariants.Check(len(children) == n, "operator: %d children, not %d", len(children), n)
	return children
}
