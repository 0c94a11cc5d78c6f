package frontend

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A node is an object of DuckDB's syntax tree (json_serialize_sql). Trees are read generically: what matters here (tables,
// functions, parameters, common table expressions) is recognised by its fields, and the rest is carried along.
type node = map[string]any

// A syntax is one statement's tree. It belongs to one call and is changed in place.
type syntax struct {
	root node
}

func parseSyntax(data []byte) (*syntax, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // Positions are 64-bit, constants wider.
	var root node
	if err := dec.Decode(&root); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "read the syntax tree", err)
	}
	s := &syntax{root: root}
	switch n := len(s.statements()); n {
	case 0:
		return nil, qerr.New(qerr.User, "the statement is empty")
	case 1:
		return s, nil
	default:
		return nil, severalStatements(n)
	}
}

func severalStatements(n int) error {
	return qerr.New(qerr.User, "one statement at a time: the text holds %d; send each by itself", n)
}

func (s *syntax) statements() []any {
	list, _ := s.root["statements"].([]any)
	return list
}

func (s *syntax) statement() node {
	n, _ := s.statements()[0].(node)
	return n
}

// json gives the tree back in DuckDB's form, fit to be printed.
func (s *syntax) json() ([]byte, error) {
	s.crossesAsJoins()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s.root); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "print the syntax tree", err)
	}
	return b.Bytes(), nil
}

// crossesAsJoins writes each cross product below another join as the inner join on true that it is. DuckDB prints a cross
// product as a comma, which binds less than JOIN: a CROSS JOIN b RIGHT JOIN c would come back as a, (b RIGHT JOIN c).
func (s *syntax) crossesAsJoins() {
	s.walk(func(n node, _ *ctes) bool {
		if text(n, "type") == "JOIN" && text(n, "ref_type") != crossJoin {
			for _, side := range []string{"left", "right"} {
				below, _ := n[side].(node)
				joinOnTrue(below)
			}
		}
		return true
	})
}

// crossJoin is how DuckDB names CROSS JOIN, and a comma in FROM.
const crossJoin = "CROSS"

// joinOnTrue changes the cross product n, and those right below it.
func joinOnTrue(n node) {
	if text(n, "type") != "JOIN" || text(n, "ref_type") != crossJoin {
		return
	}
	n["ref_type"], n["join_type"] = "REGULAR", "INNER"
	n["condition"] = node{"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "", "query_location": unknownPosition,
		"value": node{"type": node{"id": "BOOLEAN", "type_info": nil}, "is_null": false, "value": true}}
	for _, side := range []string{"left", "right"} {
		below, _ := n[side].(node)
		joinOnTrue(below)
	}
}

// A ctes is the set of common table expressions in sight, in lower case, innermost first.
type ctes struct {
	up   *ctes
	name string
}

func (c *ctes) has(name string) bool {
	name = strings.ToLower(name)
	for ; c != nil; c = c.up {
		if c.name == name {
			return true
		}
	}
	return false
}

func (c *ctes) with(name string) *ctes { return &ctes{up: c, name: strings.ToLower(name)} }

// A visitor is called for every object of the tree, parents first, with the CTEs in sight; its result says whether to go
// below. depth is bounded by DuckDB's own limit on expressions.
type visitor func(n node, in *ctes) bool

func (s *syntax) walk(visit visitor) { walk(s.root, nil, visit) }

func walk(v any, in *ctes, visit visitor) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			walk(e, in, visit)
		}
	case node:
		if !visit(v, in) {
			return
		}
		if m, ok := v["cte_map"].(node); ok {
			in = walkCTEs(m, in, visit)
		}
		if name, ok := v["cte_name"].(string); ok {
			in = in.with(name) // A recursive CTE sees itself.
		}
		for k, e := range v {
			if k != "cte_map" {
				walk(e, in, visit)
			}
		}
	}
}

// walkCTEs visits the definitions, each of which sees those before it, and returns the scope of the body. A definition
// does not see itself unless it is recursive: then its node has a cte_name.
func walkCTEs(m node, in *ctes, visit visitor) *ctes {
	entries, _ := m["map"].([]any)
	for _, e := range entries {
		entry, _ := e.(node)
		walk(entry["value"], in, visit)
		if name, ok := entry["key"].(string); ok {
			in = in.with(name)
		}
	}
	return in
}

func text(n node, field string) string {
	s, _ := n[field].(string)
	return s
}

// position is where a node stands in the statement, counted from 1; 0 = unknown.
func position(n node) int {
	num, ok := n["query_location"].(json.Number)
	if !ok {
		return 0
	}
	p, err := strconv.ParseInt(num.String(), 10, 32)
	if err != nil || p < 0 {
		return 0
	}
	return int(p) + 1
}

// replace makes n what other is. Both stay separate objects.
func replace(n, other node) {
	clear(n)
	for k, v := range other {
		n[k] = v
	}
}

// unknownPosition is how DuckDB writes that a node has no place in the text.
const unknownPosition = json.Number("18446744073709551615")
