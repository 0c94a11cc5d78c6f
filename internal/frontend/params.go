package frontend

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A parameter is a value as SQL, with the cast that fixes its type.
type parameter struct {
	name, sql string
}

// parameterLiterals reads the first row of a batch of parameters.
func parameterLiterals(batch arrow.RecordBatch) ([]parameter, error) {
	if batch == nil || batch.NumCols() == 0 {
		return nil, nil
	}
	if n := batch.NumRows(); n != 1 {
		return nil, qerr.New(qerr.User, "a query takes one row of parameters, not %d", n)
	}
	params := make([]parameter, batch.NumCols())
	for i := range params {
		col := batch.Column(i)
		name := batch.ColumnName(i)
		t, err := arrowtype.FromArrow(col.DataType())
		if err != nil {
			return nil, qerr.Wrap(qerr.User, "parameter "+itoa(i+1), err)
		}
		sql, err := arrowLiteral(col, 0, t)
		if err != nil {
			return nil, qerr.Wrap(qerr.User, "parameter "+itoa(i+1), err)
		}
		if t.ID != table.Null {
			sql = "CAST(" + sql + " AS " + t.SQL() + ")"
		}
		params[i] = parameter{name: strings.TrimLeft(name, "$:@"), sql: sql}
	}
	return params, nil
}

// substitute puts parameter values, and the user's name for current_user, into the tree. It reports whether it changed.
func substitute(in *plandb.Instance, s *syntax, f *facts, params []parameter, r *Request) (bool, error) {
	changed := replaceSession(s, r)
	if len(f.parameters) == 0 {
		if len(params) > 0 {
			return false, qerr.New(qerr.User, "the statement has no parameters, but %d were given", len(params))
		}
		return changed, nil
	}
	if f.ordinal != nil {
		return false, qerr.New(qerr.User, "a parameter cannot stand alone in ORDER BY, GROUP BY or DISTINCT ON: name a column or an expression there")
	}
	indices := parameterIndices(s)
	used := 0
	for _, i := range indices {
		used = max(used, i)
	}
	if len(params) != used {
		return false, qerr.New(qerr.User, "the statement has %d parameters, but %d were given", used, len(params))
	}
	values, err := literalNodes(in, params)
	if err != nil {
		return false, err
	}
	for _, p := range f.parameters {
		i, err := parameterIndex(indices, params, text(p, "identifier"))
		if err != nil {
			return false, err
		}
		value := clone(values[i])
		value["alias"] = p["alias"]
		replace(p, value)
	}
	if st := s.statement(); st != nil {
		st["named_param_map"] = []any{}
	}
	return true, nil
}

// parameterIndices are the positions (from 1) of the parameters by identifier.
func parameterIndices(s *syntax) map[string]int {
	indices := map[string]int{}
	list, _ := s.statement()["named_param_map"].([]any)
	for _, e := range list {
		entry, _ := e.(node)
		key, _ := entry["key"].(string)
		value, ok := entry["value"].(interface{ Int64() (int64, error) })
		if !ok {
			continue
		}
		if i, err := value.Int64(); err == nil && i > 0 {
			indices[key] = int(i)
		}
	}
	return indices
}

// parameterIndex finds a parameter's value: by name when values and parameters are named, else by position.
func parameterIndex(indices map[string]int, params []parameter, identifier string) (int, error) {
	if _, err := strconv.Atoi(identifier); err != nil {
		for i, p := range params {
			if strings.EqualFold(p.name, identifier) {
				return i, nil
			}
		}
	}
	i, ok := indices[identifier]
	if !ok || i > len(params) {
		return 0, qerr.New(qerr.User, "parameter $%s has no value", identifier)
	}
	return i - 1, nil
}

// literalNodes has DuckDB parse the values.
func literalNodes(in *plandb.Instance, params []parameter) ([]node, error) {
	list := make([]string, len(params))
	for i, p := range params {
		list[i] = p.sql
	}
	data, err := in.Syntax("SELECT " + strings.Join(list, ", "))
	if err != nil {
		return nil, err
	}
	s, err := parseSyntax(data)
	if err != nil {
		return nil, err
	}
	query, _ := s.statement()["node"].(node)
	exprs, _ := query["select_list"].([]any)
	if len(exprs) != len(params) {
		return nil, qerr.New(qerr.Internal, "%d parameters gave %d expressions", len(params), len(exprs))
	}
	nodes := make([]node, len(exprs))
	for i, e := range exprs {
		n, ok := e.(node)
		if !ok {
			return nil, qerr.New(qerr.Internal, "parameter %d has no expression", i+1)
		}
		nodes[i] = n
	}
	return nodes, nil
}

// clone copies a tree's objects and lists.
func clone(n node) node {
	out := make(node, len(n))
	for k, v := range n {
		out[k] = cloneValue(v)
	}
	return out
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case node:
		return clone(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = cloneValue(e)
		}
		return out
	}
	return v
}
