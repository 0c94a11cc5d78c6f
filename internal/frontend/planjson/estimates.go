package planjson

import (
	"encoding/json"
	"strconv"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

type explained struct {
	Name     string         `json:"name"`
	Children []*explained   `json:"children"`
	Extra    map[string]any `json:"extra_info"`
}

// Estimates puts the row estimates of EXPLAIN (FORMAT JSON) on a tree that Decode made of the same plan. It writes into the
// tree, so it must come before anybody else sees it. Where the two trees differ in shape, estimates stay unknown.
func Estimates(n operator.Node, explain []byte) {
	var roots []*explained
	if json.Unmarshal(explain, &roots) != nil || len(roots) != 1 {
		return
	}
	annotate(n, roots[0])
}

func annotate(n operator.Node, e *explained) {
	if e == nil {
		return
	}
	if s, ok := e.Extra["Estimated Cardinality"].(string); ok {
		if rows, err := strconv.ParseFloat(s, 64); err == nil && rows >= 0 {
			setEstimate(n, rows)
		}
	}
	children := n.Children()
	if len(children) != len(e.Children) {
		return
	}
	for i, c := range children {
		annotate(c, e.Children[i])
	}
}

func setEstimate(n operator.Node, rows float64) {
	switch n := n.(type) {
	case *operator.Scan:
		n.Rows = rows
	case *operator.Filter:
		n.Rows = rows
	case *operator.Project:
		n.Rows = rows
	case *operator.Aggregate:
		n.Rows = rows
	case *operator.Distinct:
		n.Rows = rows
	case *operator.Join:
		n.Rows = rows
	case *operator.DelimJoin:
		n.Join.Rows = rows
	case *operator.DelimGet:
		n.Rows = rows
	case *operator.Cross:
		n.Rows = rows
	case *operator.Order:
		n.Rows = rows
	case *operator.TopN:
		n.Rows = rows
	case *operator.Limit:
		n.Rows = rows
	case *operator.SetOp:
		n.Rows = rows
	case *operator.Window:
		n.Rows = rows
	case *operator.CTE:
		n.Rows = rows
	case *operator.CTERef:
		n.Rows = rows
	}
}
