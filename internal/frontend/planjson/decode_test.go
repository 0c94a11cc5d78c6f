package planjson

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

// stubs knows TPC-H's tables by the names that the fixtures use.
func stubs(function string) (*table.Table, bool) {
	for _, t := range tpch.Tables() {
		if function == "arbalest_stub_"+t.Name {
			return &table.Table{Name: table.Name{Catalog: "arbalest", Schema: "main", Table: t.Name}, Columns: t.Columns, Rows: t.Rows}, true
		}
	}
	return nil, false
}

func plans(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/plans/*.json")
	if err != nil || len(files) != 22 {
		t.Fatalf("%d plans, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = data
	}
	return all
}

// TestFixtures holds that the plans of all 22 queries are read, that their trees are sound and that they print.
func TestFixtures(t *testing.T) {
	for name, plan := range plans(t) {
		tree, err := Decode(plan, stubs)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sound(t, name, tree)
		if _, err := sqltext.SelectOver(tree, func(*operator.Scan) (string, error) { return "s", nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sound checks that every node can say its types, and that references stay inside of their inputs.
func sound(t testing.TB, name string, tree operator.Node) {
	t.Helper()
	operator.Walk(tree, func(n operator.Node) bool {
		n.Types()
		if p, ok := n.(*operator.Project); ok {
			width := len(p.Child.Types())
			for _, e := range p.Exprs {
				for _, r := range expr.Refs(e) {
					if r < 0 || r >= width {
						t.Errorf("%s: reference %d of %d", name, r, width)
					}
				}
			}
		}
		return true
	})
}

// TestUnread holds that what is not understood is said to be so, by name.
func TestUnread(t *testing.T) {
	const get = `{"type":"LOGICAL_GET","children":[],"name":"arbalest_stub_region","column_indexes":[{"index":0,"child_indexes":[],"index_type":"FULL_READ","has_index":true}]%s}`
	scan := func(more string) string { return strings.Replace(get, "%s", more, 1) }
	over := func(op string) string {
		return `{"error":false,"plans":[` + strings.Replace(op, "CHILD", scan(""), 1) + `]}`
	}
	project := func(e string) string {
		return over(`{"type":"LOGICAL_PROJECTION","children":[CHILD],"expressions":[` + e + `]}`)
	}
	const bigint = `"return_type":{"id":"BIGINT","type_info":null}`
	for _, c := range []struct{ plan, reason string }{
		{"", "could not be serialised"},
		{"{", "plan JSON"},
		{`{"error":false,"plans":[]}`, "0 plans"},
		{`{"error":false,"plans":[null]}`, "1 plans"},
		{`{"error":false,"plans":[{"type":"LOGICAL_NEW"}]}`, "operator LOGICAL_NEW"},
		{over(`{"type":"LOGICAL_RECURSIVE_CTE","union_all":true,"children":[CHILD]}`), "a recursive CTE"},
		{over(`{"type":"LOGICAL_FILTER","new_field":1,"children":[CHILD]}`), "new_field"},
		{over(`{"type":"LOGICAL_FILTER","children":[]}`), "0 inputs"},
		{over(`{"type":"LOGICAL_FILTER","children":[CHILD],"projection_map":[7]}`), "column 7 of 1"},
		{over(`{"type":"LOGICAL_LIMIT","children":[CHILD],"limit_val":{"type":"CONSTANT_PERCENTAGE"}}`), "limit"},
		{over(`{"type":"LOGICAL_COMPARISON_JOIN","join_type":"NEW","children":[CHILD,null]}`), "missing"},
		{over(`{"type":"LOGICAL_DISTINCT","distinct_type":"DISTINCT","distinct_targets":[],"children":[CHILD]}`), "DISTINCT of some"},
		{over(`{"type":"LOGICAL_CTE_REF","cte_index":3,"children":[]}`), "CTE 3"},
		{over(`{"type":"LOGICAL_DELIM_GET","children":[]}`), "without its join"},
		{over(`{"type":"LOGICAL_AGGREGATE_AND_GROUP_BY","grouping_sets":[[4]],"children":[CHILD]}`), "group 4 of 0"},
		{project(`{"expression_class":"BOUND_REF","index":5,` + bigint + `}`), "outside of its input"},
		{project(`{"expression_class":"BOUND_REF","index":0}`), "a type is missing"},
		{project(`{"expression_class":"BOUND_LAMBDA"}`), "expression BOUND_LAMBDA"},
		{project(`{"expression_class":"BOUND_FUNCTION","name":"f","has_serialize":true,"function_data":{},` + bigint + `}`), "data of its own"},
		{project(`{"expression_class":"BOUND_FUNCTION","name":"f","arguments":[{"id":"LAMBDA","type_info":null}],` + bigint + `}`), "not all shown"},
		{project(`{"expression_class":"BOUND_FUNCTION","name":"f","original_arguments":[{"id":"LIST","type_info":null}],` + bigint + `}`), "not all shown"},
		{project(`{"expression_class":"BOUND_CONSTANT","value":{"type":{"id":"BIT","type_info":null},"is_null":false,"value":"1"}}`), "constant of type BIT"},
		{project(`{"expression_class":"BOUND_CONSTANT","value":{"type":{"id":"VARIANT","type_info":null},"is_null":true}}`), "type VARIANT"},
		{project(`{"expression_class":"BOUND_CONSTANT"}`), "constant is missing"},
		{`{"error":false,"plans":[` + scan(`,"table_filters":{"filters":[{}]}`) + `]}`, "filters inside"},
		{`{"error":false,"plans":[` + scan(`,"extra_info":{"sample_options":{}}`) + `]}`, "sample"},
		{`{"error":false,"plans":[` + scan(`,"projection_ids":[3]`) + `]}`, "column 3 of 1"},
		{strings.Replace(over("CHILD"), "region", "nowhere", 1), "table function arbalest_stub_nowhere"},
		{strings.Replace(over("CHILD"), "FULL_READ", "PUSHDOWN_EXTRACT", 1), "parts of column 0"},
		{strings.Replace(over("CHILD"), `"index":0`, `"index":77`, 1), "column 77"},
	} {
		n, err := Decode([]byte(c.plan), stubs)
		var u *Unread
		if !errors.As(err, &u) || n != nil || !strings.Contains(u.Reason, c.reason) {
			t.Errorf("%s:\n%v, want %q", c.plan, err, c.reason)
		}
	}
	// A virtual column is one that nobody reads.
	n, err := Decode([]byte(strings.Replace(over("CHILD"), `"index":0`, `"index":18446744073709551614`, 1)), stubs)
	if err != nil || n.(*operator.Scan).Columns[0] != -1 {
		t.Errorf("%v %v", n, err)
	}
}

// FuzzDecode holds that no bytes make Decode or Estimates panic, and that what is decoded is sound.
func FuzzDecode(f *testing.F) {
	for _, plan := range plans(f) {
		f.Add(plan)
		f.Add(plan[:len(plan)/2])
	}
	for _, s := range []string{"", "{}", "null", `{"plans":[{"type":"LOGICAL_GET","name":"arbalest_stub_region"}]}`,
		`{"plans":[{"type":"LOGICAL_PROJECTION","children":[{"type":"LOGICAL_DUMMY_SCAN"}],"expressions":[{"expression_class":"BOUND_CONSTANT","value":{"type":{"id":"MAP","type_info":{"type":"LIST_TYPE_INFO","child_type":{"id":"STRUCT","type_info":{"type":"STRUCT_TYPE_INFO","child_types":[{"first":"key"},{"second":{"id":"DATE"}}]}}}},"value":{"children":[null]}}}]}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, plan []byte) {
		n, err := Decode(plan, stubs)
		if err != nil {
			var u *Unread
			if !errors.As(err, &u) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		sound(t, "fuzz", n)
		Estimates(n, plan)
		_, _ = sqltext.SelectOver(n, func(*operator.Scan) (string, error) { return "s", nil })
	})
}

// FuzzQuoteNumbers holds that only bare numbers change, and that texts stay.
func FuzzQuoteNumbers(f *testing.F) {
	f.Add([]byte(`{"a":NaN,"b":-Infinity,"c":"NaN \" Infinity"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		out := quoteNumbers(in)
		if len(out) < len(in) {
			t.Fatalf("%q became %q", in, out)
		}
	})
}

func TestQuoteNumbers(t *testing.T) {
	if got := string(quoteNumbers([]byte(`{"a":NaN,"b":-Infinity,"c":"NaN \" Infinity"}`))); got != `{"a":"NaN","b":"-Infinity","c":"NaN \" Infinity"}` {
		t.Fatal(got)
	}
}

func TestEstimates(t *testing.T) {
	scan := &operator.Scan{Estimated: noEstimate, Table: &table.Table{}}
	tree := &operator.Limit{Estimated: noEstimate, Child: &operator.Filter{Estimated: noEstimate, Child: scan}}
	Estimates(tree, []byte(`[{"name":"LIMIT","children":[{"name":"FILTER","children":[{"name":"S","children":[],"extra_info":{"Estimated Cardinality":"100"}}],
		"extra_info":{"Estimated Cardinality":"20","Expressions":["x"]}}],"extra_info":{}}]`))
	if tree.Estimate() != -1 || tree.Child.Estimate() != 20 || scan.Estimate() != 100 {
		t.Errorf("%v %v %v", tree.Estimate(), tree.Child.Estimate(), scan.Estimate())
	}
	for _, other := range []string{"", "{}", "[]", "[null]", `[{"children":[{"children":[null]}]}]`, `[{"children":[null]}]`} {
		Estimates(tree, []byte(other)) // Another shape changes nothing and does not panic.
	}
	if scan.Estimate() != 100 {
		t.Error("changed")
	}
}
