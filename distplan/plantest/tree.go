package plantest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// Tree reads an operator tree over the given tables. The names of its output columns come with it.
func Tree(text string, tables map[string]*table.Table) (operator.Node, []string, error) {
	p := &parser{tables: tables}
	for _, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) != "" {
			p.lines = append(p.lines, line)
		}
	}
	root, err := p.node(0)
	if err != nil {
		return nil, nil, err
	}
	if len(p.lines) > 0 {
		return nil, nil, fmt.Errorf("%s: a second root", p.lines[0])
	}
	return root.node, root.names, nil
}

// MustTree is Tree for a text that a test wrote itself.
func MustTree(text string, tables map[string]*table.Table) operator.Node {
	n, _, err := Tree(text, tables)
	if err != nil {
		panic(err)
	}
	return n
}

type parser struct {
	tables map[string]*table.Table
	lines  []string
}

// A named node is an operator with the names of its columns.
type named struct {
	node  operator.Node
	names []string
}

func (n named) scope() scope { return scope{n.names, n.node.Types()} }

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func (p *parser) node(depth int) (named, error) {
	if len(p.lines) == 0 || indent(p.lines[0]) != depth {
		return named{}, fmt.Errorf("want an operator indented by %d", depth)
	}
	line := strings.TrimSpace(p.lines[0])
	p.lines = p.lines[1:]
	rows := -1.0
	if at := strings.LastIndex(line, " rows="); at >= 0 {
		n, err := strconv.ParseFloat(line[at+len(" rows="):], 64)
		if err != nil {
			return named{}, fmt.Errorf("%s: %w", line, err)
		}
		rows, line = n, line[:at]
	}
	var inputs []named
	for len(p.lines) > 0 && indent(p.lines[0]) > depth {
		in, err := p.node(depth + 2)
		if err != nil {
			return named{}, err
		}
		inputs = append(inputs, in)
	}
	l, err := lex(line)
	if err != nil {
		return named{}, err
	}
	b := builder{lexer: l, tables: p.tables, inputs: inputs, estimated: operator.Estimated{Rows: rows}}
	n, err := b.operator()
	if err == nil && l.peek() != "" {
		err = fmt.Errorf("%s: what is %q?", line, l.peek())
	}
	return n, err
}
