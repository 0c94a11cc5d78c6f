package frontend

import (
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/settings"
)

// Facts are what one walk over a syntax tree finds.
type facts struct {
	// tables are the references that no CTE answers.
	tables []*reference
	// functions are all functions and bare column names, in lower case: some functions are written without parentheses.
	functions map[string]bool
	// tableFunctions are the calls in FROM.
	tableFunctions []node
	// parameters are the parameter nodes in order of appearance.
	parameters []node
	// selected are those of them that are a column of a result by themselves.
	selected map[string]bool
	// show are the SHOW and DESCRIBE parts that name no query, such as SHOW TABLES.
	show []node
	// names are all CTE names and aliases, in lower case, which names of ours must not meet.
	names map[string]bool
	// ordinal is the first parameter where a constant would count columns (ORDER BY ?, GROUP BY ?).
	ordinal node
	// settingAt is the first current_setting() that does not ask for a session option by a constant.
	settingAt node
	// clock says that a constant such as 'now' stands somewhere, which casts to the time of planning.
	clock bool
}

// A reference is a table in FROM, as written.
type reference struct {
	node                   node
	catalog, schema, table string
	position               int
	// temporary: written with the catalog of temporary tables before it, which was taken off.
	temporary bool
}

// String prints the name as written.
func (r *reference) String() string {
	parts := []string{r.table}
	if r.schema != "" {
		parts = append([]string{r.schema}, parts...)
	}
	if r.catalog != "" {
		parts = append([]string{r.catalog}, parts...)
	}
	return strings.Join(parts, ".")
}

var clockWords = []string{"now", "today", "tomorrow", "yesterday"}

func (s *syntax) facts() *facts {
	f := &facts{functions: map[string]bool{}, names: map[string]bool{}, selected: map[string]bool{}}
	s.walk(func(n node, in *ctes) bool {
		f.visit(n, in)
		return true
	})
	slices.SortStableFunc(f.parameters, func(a, b node) int { return strings.Compare(text(a, "identifier"), text(b, "identifier")) })
	return f
}

func (f *facts) visit(n node, in *ctes) {
	if alias := text(n, "alias"); alias != "" {
		f.names[strings.ToLower(alias)] = true
	}
	if key, ok := n["key"].(string); ok {
		f.names[strings.ToLower(key)] = true
	}
	switch text(n, "type") {
	case "BASE_TABLE":
		r := &reference{node: n, catalog: text(n, "catalog_name"), schema: text(n, "schema_name"), table: text(n, "table_name"),
			position: position(n)}
		f.names[strings.ToLower(r.table)] = true
		if r.schema != "" || r.catalog != "" || !in.has(r.table) {
			f.tables = append(f.tables, r)
		}
	case "TABLE_FUNCTION":
		if call, ok := n["function"].(node); ok {
			f.tableFunctions = append(f.tableFunctions, call)
		}
	case "SHOW_REF":
		if n["query"] == nil {
			f.show = append(f.show, n)
		}
	case "VALUE_CONSTANT":
		f.constant(n)
	}
	switch text(n, "class") {
	case "FUNCTION", "WINDOW":
		f.functions[strings.ToLower(text(n, "function_name"))] = true
		if _, ok := settingAsked(n); !ok && f.settingAt == nil {
			f.settingAt = n
		}
	case "COLUMN_REF":
		if names, _ := n["column_names"].([]any); len(names) == 1 {
			if name, ok := names[0].(string); ok {
				f.functions[strings.ToLower(name)] = true
			}
		}
	case "PARAMETER":
		f.parameters = append(f.parameters, n)
	}
	f.ordinals(n)
	list, _ := n["select_list"].([]any)
	for _, e := range list {
		if p, ok := e.(node); ok && text(p, "class") == "PARAMETER" {
			f.selected[text(p, "identifier")] = true
			if text(p, "alias") == "" {
				p["alias"] = "$" + text(p, "identifier") // As DuckDB names it; its replacement must be named so, too.
			}
		}
	}
}

func (f *facts) constant(n node) {
	value, _ := n["value"].(node)
	if s, ok := value["value"].(string); ok && slices.Contains(clockWords, strings.ToLower(strings.TrimSpace(s))) {
		f.clock = true
	}
}

// ordinals looks for parameters where a constant has another meaning than its value.
func (f *facts) ordinals(n node) {
	if f.ordinal != nil {
		return
	}
	var list []any
	for _, field := range []string{"group_expressions", "distinct_on_targets"} {
		l, _ := n[field].([]any)
		list = append(list, l...)
	}
	if text(n, "type") == "ORDER_MODIFIER" {
		orders, _ := n["orders"].([]any)
		for _, o := range orders {
			if order, ok := o.(node); ok {
				list = append(list, order["expression"])
			}
		}
	}
	for _, e := range list {
		if p, ok := e.(node); ok && text(p, "class") == "PARAMETER" {
			f.ordinal = p
			return
		}
	}
}

// settingAsked returns the session option that a call of current_setting asks for. ok is false for a call that asks for
// something else; other nodes ask for "".
func settingAsked(n node) (name string, ok bool) {
	if !strings.EqualFold(text(n, "function_name"), "current_setting") {
		return "", true
	}
	args, _ := n["children"].([]any)
	if len(args) != 1 {
		return "", false
	}
	arg, _ := args[0].(node)
	value, _ := arg["value"].(node)
	s, _ := value["value"].(string)
	return settings.Known(s)
}
