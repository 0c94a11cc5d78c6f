package gen

import "strings"

// A role says what may stand in a node's place.
type role uint8

const (
	plain  role = iota // nothing else
	clause             // nothing at all
	list               // itself with fewer parts, at least min
	value              // an expression of the same class
	query              // one of the queries inside of it
	source             // one of the sources of FROM inside of it
)

// A Node is a part of a statement: text, or parts in a row.
type Node struct {
	role  role
	class Class // of values
	text  string
	parts []*Node
	sep   string
	min   int
	// closed says of a query that it has an ORDER BY of its own, so that none may follow.
	closed bool
}

// String prints the statement.
func (n *Node) String() string {
	var b strings.Builder
	n.print(&b)
	return b.String()
}

func (n *Node) print(b *strings.Builder) {
	if n.parts == nil {
		b.WriteString(n.text)
		return
	}
	first := true
	for _, p := range n.parts {
		if p.empty() {
			continue
		}
		if !first {
			b.WriteString(n.sep)
		}
		first = false
		p.print(b)
	}
}

func (n *Node) empty() bool {
	if n.parts == nil {
		return n.text == ""
	}
	for _, p := range n.parts {
		if !p.empty() {
			return false
		}
	}
	return true
}

// size counts the leaves.
func (n *Node) size() int {
	if n.parts == nil {
		if n.text == "" {
			return 0
		}
		return 1
	}
	total := 0
	for _, p := range n.parts {
		total += p.size()
	}
	return total
}

// replace returns n with every occurrence of old (the same node, not an equal one) replaced.
func (n *Node) replace(old, by *Node) *Node {
	if n == old {
		return by
	}
	if n.parts == nil {
		return n
	}
	var parts []*Node
	for i, p := range n.parts {
		changed := p.replace(old, by)
		if changed != p && parts == nil {
			parts = append([]*Node(nil), n.parts...)
		}
		if parts != nil {
			parts[i] = changed
		}
	}
	if parts == nil {
		return n
	}
	out := *n
	out.parts = parts
	return &out
}

// walk visits the nodes, outer ones first.
func (n *Node) walk(visit func(*Node)) {
	visit(n)
	for _, p := range n.parts {
		p.walk(visit)
	}
}

// literal reports whether an expression is a single constant.
func (n *Node) literal() bool {
	return len(n.parts) == 1 && n.parts[0].parts == nil && !strings.HasPrefix(n.parts[0].text, "q")
}

func txt(text string) *Node { return &Node{text: text} }

// seq is parts without anything between them; strings stand for text.
func seq(parts ...any) *Node { return &Node{parts: nodes(parts)} }

func nodes(parts []any) []*Node {
	out := make([]*Node, 0, len(parts))
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			out = append(out, txt(p))
		case *Node:
			out = append(out, p)
		}
	}
	return out
}

// optional is a clause that may go.
func optional(parts ...any) *Node { return &Node{role: clause, parts: nodes(parts)} }

// listed is a list of which at least min must stay.
func listed(min int, sep string, parts []*Node) *Node {
	return &Node{role: list, parts: parts, sep: sep, min: min}
}

// val is an expression of a class.
func val(c Class, parts ...any) *Node { return &Node{role: value, class: c, parts: nodes(parts)} }
