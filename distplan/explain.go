package distplan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// Explain prints a plan: its stages from the root down, each with its operators, exchanges and row estimates, then the
// reasons of its fallbacks. The text depends on the plan alone and holds no paths, addresses or times.
func Explain(p *Plan) string { return ExplainOn(p, nil) }

// ExplainOn prints a plan with the number of tasks of each stage, by stage id, as an assignment has them; nil prints none.
func ExplainOn(p *Plan, tasks []int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan stages=%d", len(p.Stages))
	if tasks != nil {
		total := 0
		for _, n := range tasks {
			total += n
		}
		fmt.Fprintf(&b, " tasks=%d", total)
	}
	if p.Ordered {
		b.WriteString(" ordered")
	}
	if p.Indeterminate {
		b.WriteString(" indeterminate")
	}
	b.WriteByte('\n')
	for i := len(p.Stages) - 1; i >= 0; i-- {
		explainStage(&b, p, p.Stages[i], tasks)
	}
	for _, reason := range p.Fallbacks {
		fmt.Fprintf(&b, "fallback: %s\n", reason)
	}
	return b.String()
}

func explainStage(b *strings.Builder, p *Plan, s *Stage, tasks []int) {
	fmt.Fprintf(b, "stage %d", s.ID)
	if s == p.Root() {
		b.WriteString(" root")
	}
	if len(s.Inputs) == 0 && len(s.Scans) > 0 {
		b.WriteString(" leaf")
	}
	if int(s.ID) < len(tasks) {
		fmt.Fprintf(b, " tasks=%d", tasks[s.ID])
	}
	if s.MergedInto != nil {
		fmt.Fprintf(b, " merged into stage %d\n", *s.MergedInto)
		return
	}
	x := explainer{b: b, stage: s, plan: p}
	fmt.Fprintf(b, " spread=%s out=", s.Spread)
	b.WriteString(outputText(s.Output, stageNames(p, s)))
	b.WriteString(readersText(p, s))
	b.WriteString(rowsText(s.Rows))
	b.WriteByte('\n')
	if s.Body == nil {
		b.WriteString("  statement as text\n")
		for i := range s.Scans {
			b.WriteString("    " + x.scan(&s.Scans[i]) + "\n")
		}
		return
	}
	x.node(s.Body, 1)
}

// String names the spread as EXPLAIN does.
func (s Spread) String() string {
	switch s {
	case SpreadSingle:
		return "single"
	case SpreadSplits:
		return "splits"
	case SpreadPartitions:
		return "partitions"
	}
	return fmt.Sprintf("spread(%d)", uint8(s))
}

func outputText(out Output, names []string) string {
	if out.Kind == OutputRange {
		return fmt.Sprintf("range x%d", out.Partitions)
	}
	if out.Kind != OutputHash {
		return out.Kind.String()
	}
	keys := make([]string, len(out.Keys))
	for i, k := range out.Keys {
		keys[i] = nameAt(names, k)
	}
	return fmt.Sprintf("hash(%s)x%d", strings.Join(keys, ", "), out.Partitions)
}

// inputText says how a stage reads an input.
func inputText(in *ExchangeInput, from *Stage, names []string) string {
	switch in.Read {
	case ReadShare:
		return outputText(from.Output, names)
	case ReadWhole:
		return OutputBroadcast.String()
	}
	return OutputGather.String()
}

// readersText lists the stages that read a shared one.
func readersText(p *Plan, s *Stage) string {
	var readers []string
	places := 0
	for _, consumer := range p.Stages {
		here := 0
		for i := range consumer.Inputs {
			if in := &consumer.Inputs[i]; in.From == s.ID && consumer.Body != nil {
				operator.Walk(consumer.Body, func(n operator.Node) bool {
					if leaf, ok := n.(*operator.Input); ok && leaf.Name == in.Name {
						here++
					}
					return true
				})
			}
		}
		if places += here; here > 0 {
			readers = append(readers, strconv.Itoa(int(consumer.ID)))
		}
	}
	if places < 2 {
		return ""
	}
	return " shared by=" + strings.Join(readers, ",")
}

func rowsText(rows float64) string {
	if rows < 0 {
		return ""
	}
	return " rows=" + strconv.FormatFloat(rows, 'f', 0, 64)
}

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
