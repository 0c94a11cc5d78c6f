package distplan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// An explainer prints the body of one stage.
type explainer struct {
	b     *strings.Builder
	plan  *Plan
	stage *Stage
	scans int // how many scans were printed
}

func (x *explainer) node(n operator.Node, depth int) {
	x.b.WriteString(strings.Repeat("  ", depth))
	x.b.WriteString(x.line(n))
	if _, leaf := n.(*operator.Input); !leaf {
		x.b.WriteString(rowsText(n.Estimate()))
	}
	x.b.WriteByte('\n')
	for _, c := range n.Children() {
		x.node(c, depth+1)
	}
}

// line prints an operator without its inputs.
func (x *explainer) line(n operator.Node) string {
	var below []string
	if children := n.Children(); len(children) == 1 {
		below = x.names(children[0])
	}
	switch n := n.(type) {
	case *operator.Scan:
		x.scans++
		return x.scan(&x.stage.Scans[x.scans-1])
	case *operator.Input:
		in := inputOf(x.stage, n.Name)
		from := x.plan.Stages[in.From]
		return fmt.Sprintf("exchange %s from=%d%s", inputText(in, from, stageNames(x.plan, from)), in.From, rowsText(from.Rows))
	case *operator.Values:
		return fmt.Sprintf("values %d", len(n.Rows))
	case *operator.Empty:
		return "empty"
	case *operator.Dummy:
		return "dummy"
	case *operator.Filter:
		return "filter " + exprList(n.Conditions, below, " and ") + projectText(n.Project, below)
	case *operator.Project:
		return "project " + exprList(n.Exprs, below, ", ")
	case *operator.Aggregate:
		return aggregateLine(n, below)
	case *operator.Distinct:
		if n.On != nil {
			return "distinct on=(" + exprList(n.On, below, ", ") + ")" + orderText(n.OrderBy, below)
		}
		return "distinct"
	case *operator.Join:
		return "join " + x.joinText(n)
	case *operator.DelimJoin:
		side := "left"
		if n.Flipped {
			side = "right"
		}
		return fmt.Sprintf("delim join #%d once=%s %s", n.ID, side, x.joinText(&n.Join))
	case *operator.DelimGet:
		return fmt.Sprintf("delim get #%d", n.ID)
	case *operator.Cross:
		return "cross product"
	case *operator.Order:
		return "order" + orderText(n.By, below) + projectText(n.Project, below)
	case *operator.TopN:
		return "top" + limitText(n.Limit, n.Offset) + orderText(n.By, below)
	case *operator.Limit:
		return "limit" + limitText(n.Limit, n.Offset)
	case *operator.SetOp:
		if n.All {
			return strings.ToLower(string(n.Kind)) + " all"
		}
		return strings.ToLower(string(n.Kind))
	case *operator.Window:
		windows := make([]string, len(n.Windows))
		for i, w := range n.Windows {
			windows[i] = exprText(w, below)
		}
		return "window " + strings.Join(windows, ", ")
	case *operator.CTE:
		return fmt.Sprintf("with #%d", n.ID)
	case *operator.CTERef:
		return fmt.Sprintf("with ref #%d", n.ID)
	}
	return fmt.Sprintf("%T", n)
}

func (x *explainer) scan(s *ScanInput) string {
	names := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		names[i] = scanColumn(s, c)
	}
	of := ""
	if s.Skip != nil {
		of = fmt.Sprintf(" of %d", s.Of)
	}
	if s.By != nil {
		of += fmt.Sprintf(" ranges=%d by %s", s.By.Count(), names[s.By.Column])
	}
	text := fmt.Sprintf("scan %s splits=%d%s (%s)", s.Table.Name.Table, len(s.Splits), of, strings.Join(names, ", "))
	if s.Replicated {
		text += " replicated"
	}
	return text
}

func scanColumn(s *ScanInput, c int) string {
	if c < 0 {
		return "-"
	}
	return s.Table.Columns[c].Name
}

func aggregateLine(n *operator.Aggregate, below []string) string {
	text := "aggregate"
	if n.Phase != operator.Once {
		text += " " + string(n.Phase)
	}
	text += " group=(" + exprList(n.Groups, below, ", ") + ")"
	if !n.Plain() {
		sets := make([]string, len(n.Sets))
		for i, set := range n.Sets {
			keys := make([]string, len(set))
			for k, g := range set {
				keys[k] = exprText(n.Groups[g], below)
			}
			sets[i] = "(" + strings.Join(keys, ", ") + ")"
		}
		text += " sets=(" + strings.Join(sets, ", ") + ")"
	}
	aggregates := make([]string, len(n.Aggregates))
	for i, a := range n.Aggregates {
		aggregates[i] = exprText(a, below)
	}
	return text + " agg=(" + strings.Join(aggregates, ", ") + ")"
}

func (x *explainer) joinText(n *operator.Join) string {
	left, right := x.names(n.Left), x.names(n.Right)
	var on []string
	for _, c := range n.Conditions {
		on = append(on, exprText(c.Left, left)+" "+string(c.Op)+" "+exprText(c.Right, right))
	}
	if n.Predicate != nil {
		on = append(on, exprText(n.Predicate, append(append([]string(nil), left...), right...)))
	}
	return strings.ToLower(string(n.Kind)) + " on=(" + strings.Join(on, " and ") + ")"
}

func limitText(limit, offset int64) string {
	text := ""
	if limit >= 0 {
		text = " " + strconv.FormatInt(limit, 10)
	}
	if offset > 0 {
		text += " offset=" + strconv.FormatInt(offset, 10)
	}
	return text
}

func projectText(project []int, names []string) string {
	if project == nil {
		return ""
	}
	picked := make([]string, len(project))
	for i, c := range project {
		picked[i] = nameAt(names, c)
	}
	return " -> (" + strings.Join(picked, ", ") + ")"
}
