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
