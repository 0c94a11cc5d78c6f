package distplan_test

import (
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// goodPlan is a plan of two stages, made anew for each case to break.
func goodPlan(t *testing.T) *distplan.Plan {
	t.Helper()
	tab, err := plantest.Table(plantest.Spec{Name: "t", Columns: "k BIGINT, v BIGINT", Files: 2, GroupsPerFile: 2, RowsPerGroup: 10, BytesPerGroup: 100})
	if err != nil {
		t.Fatal(err)
	}
	tree, names, err := plantest.Tree("aggregate group=(k) agg=(sum(v))\n  scan t (k, v)", map[string]*table.Table{"t": tab})
	if err != nil {
		t.Fatal(err)
	}
	p, err := distplan.Build(distplan.Statement{Tree: tree, Columns: resultColumns(tree, names)},
		distplan.Options{Workers: 2, Distributed: distplan.Always})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestValidateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(*distplan.Plan)
		want   string
	}{
		"no stage":                {func(p *distplan.Plan) { p.Stages = nil }, "no stage"},
		"stages out of order":     {func(p *distplan.Plan) { p.Stages[0].ID = 1 }, "numbered"},
		"no result":               {func(p *distplan.Plan) { p.Stages[1].Output.Kind = distplan.OutputGather }, "has output gather"},
		"no consumer":             {func(p *distplan.Plan) { p.Stages[1].Inputs = nil }, "without a hash input"},
		"input of itself":         {func(p *distplan.Plan) { p.Stages[1].Inputs[0].From = 1 }, "comes from stage 1"},
		"types change on the way": {func(p *distplan.Plan) { p.Stages[1].Inputs[0].Types = p.Stages[1].Types[:1] }, "columns against"},
		"gather into many tasks":  {func(p *distplan.Plan) { p.Stages[1].Inputs[0].Read = distplan.ReadAll }, "gathered"},
		"a share of one partition": {func(p *distplan.Plan) {
			p.Stages[0].Output = distplan.Output{Kind: distplan.OutputGather, Partitions: 1}
		}, "whose output is gather"},
		"hash without keys":       {func(p *distplan.Plan) { p.Stages[0].Output.Keys = nil }, "0 keys"},
		"hash key out of range":   {func(p *distplan.Plan) { p.Stages[0].Output.Keys = []int{7} }, "hash key 7"},
		"no partition":            {func(p *distplan.Plan) { p.Stages[0].Output.Partitions = 0 }, "0 partitions"},
		"no fragment":             {func(p *distplan.Plan) { p.Stages[0].Fragment = "" }, "no fragment"},
		"spread without splits":   {func(p *distplan.Plan) { p.Stages[1].Spread = distplan.SpreadSplits }, "spread over splits"},
		"a split is missing":      {func(p *distplan.Plan) { s := &p.Stages[0].Scans[0]; s.Splits = s.Splits[1:] }, "split"},
		"a split is there twice":  {func(p *distplan.Plan) { s := &p.Stages[0].Scans[0]; s.Splits = append(s.Splits, s.Splits[0]) }, "no file left"},
		"a run is cut short":      {func(p *distplan.Plan) { p.Stages[0].Scans[0].Splits[0].Rows-- }, "begins at row"},
		"two inputs of one name":  {func(p *distplan.Plan) { s := p.Stages[0]; s.Scans = append(s.Scans, s.Scans[0]) }, "two inputs named"},
		"body without its scan":   {func(p *distplan.Plan) { p.Stages[0].Body = &operator.Empty{Result: p.Stages[0].Types} }, "of 1 scans"},
		"body of other types":     {func(p *distplan.Plan) { p.Stages[1].Body = &operator.Dummy{} }, "body"},
		"result of another type":  {func(p *distplan.Plan) { p.Columns = []table.Column{p.Columns[0], p.Columns[0]} }, "of the result"},
		"order from many tasks":   {func(p *distplan.Plan) { p.Ordered = true }, "ordered"},
		"exchange left in a body": {func(p *distplan.Plan) { p.Stages[1].Body = &operator.Exchange{Child: p.Stages[1].Body} }, "exchange is left"},
		"reference to nothing": {func(p *distplan.Plan) {
			a := p.Stages[1].Body.(*operator.Aggregate)
			b := *a
			b.Child = &operator.Dummy{}
			p.Stages[1].Body = &b
		}, "reads column"},
		"scan of a missing column": {func(p *distplan.Plan) { p.Stages[0].Scans[0].Columns = []int{0, 9} }, "column 9"},
	} {
		p := goodPlan(t)
		if err := distplan.Validate(p); err != nil {
			t.Fatalf("the plan is not good to begin with: %v", err)
		}
		c.damage(p)
		err := distplan.Validate(p)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// A statement without a tree, or with one that cannot be printed or contradicts itself, runs as text in one task.
func TestText(t *testing.T) {
	tab, err := plantest.Table(plantest.Spec{Name: "t", Columns: "k BIGINT", Files: 2, GroupsPerFile: 2, RowsPerGroup: 10, BytesPerGroup: 100})
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]*table.Table{"t": tab}
	columns, err := plantest.Columns("k BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	broken := &operator.Project{Child: &operator.Dummy{}, Exprs: plantest.MustTree("project k\n  scan t (k)", tables).(*operator.Project).Exprs}
	for name, c := range map[string]struct {
		tree   operator.Node
		reason string
	}{
		"no tree":              {nil, "fallback: the whole statement: recursive\n"},
		"a tree of riddles":    {plantest.MustTree("project no_such(k)\n  scan t (k)", tables), "unprintable: function no_such"},
		"a tree out of joint":  {broken, "contradicts itself"},
		"one of another width": {plantest.MustTree("scan t (k, k)", tables), "has 2 columns"},
	} {
		st := distplan.Statement{
			Tree: c.tree, Columns: columns, Text: "SELECT k FROM scan_0", Unread: "recursive",
			TextScans: []distplan.ScanInput{{Name: "scan_0", Table: tab, Columns: []int{0}}},
		}
		p, err := distplan.Build(st, distplan.Options{Workers: 3, Distributed: distplan.Always})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := distplan.Explain(p)
		if !strings.Contains(text, c.reason) || !strings.Contains(text, "statement as text\n    scan t splits=") {
			t.Errorf("%s:\n%s", name, text)
		}
		const want = "SELECT CAST(t.c0 AS BIGINT) AS c0 FROM (SELECT k FROM scan_0) AS t(c0)"
		if len(p.Stages) != 1 || p.Root().Spread != distplan.SpreadSingle || p.Root().Fragment != want || !p.Indeterminate {
			t.Errorf("%s: fragment %s", name, p.Root().Fragment)
		}
	}
	if _, err := distplan.Build(distplan.Statement{Columns: columns}, distplan.Options{}); !qerr.Is(err, qerr.Internal) {
		t.Errorf("neither tree nor text: error %v", err)
	}
}

// Plans whose tasks would give rows more than once, made by damaging good ones.
func TestValidateRefusesRepeatedRows(t *testing.T) {
	tables := map[string]*table.Table{}
	for _, name := range []string{"a", "b"} {
		made, err := plantest.Table(plantest.Spec{Name: name, Columns: "k BIGINT", Files: 3, GroupsPerFile: 1, RowsPerGroup: 1000, BytesPerGroup: 100})
		if err != nil {
			t.Fatal(err)
		}
		tables[name] = made
	}
	join := func(kind operator.JoinKind) func(*distplan.Plan) {
		return func(p *distplan.Plan) {
			broken := *p.Root().Body.(*operator.Join)
			broken.Kind = kind
			p.Root().Body = &broken
		}
	}
	replicate := func(k int) func(*distplan.Plan) {
		return func(p *distplan.Plan) { p.Root().Scans[k].Replicated = true }
	}
	for name, c := range map[string]struct {
		tree     string
		strategy distplan.JoinStrategy
		damage   func(*distplan.Plan)
		want     string
	}{
		"left side of a left join":   {"join right on=(k = k)\n  scan a (k)\n  scan b (k)", distplan.JoinBroadcast, join(operator.Left), "preserved"},
		"right side of a right join": {"join left on=(k = k)\n  scan a (k)\n  scan b (k)", distplan.JoinBroadcast, join(operator.Right), "preserved"},
		"a side of a full join":      {"join left on=(k = k)\n  scan a (k)\n  scan b (k)", distplan.JoinBroadcast, join(operator.Full), "preserved"},
		"left side of an anti join":  {"join semi on=(k = k)\n  scan a (k)\n  scan b (k)", distplan.JoinBroadcast, join(operator.RightAnti), "preserved"},
		"the whole stage":            {"join left on=(k = k)\n  scan a (k)\n  scan b (k)", distplan.JoinBroadcast, replicate(0), "spread over splits without a scan"},
		"a branch of a union":        {"union all\n  scan a (k)\n  scan b (k)", "", replicate(1), "one branch"},
		"two scans as the splits fell": {"union all\n  scan a (k)\n  scan b (k)", "", func(p *distplan.Plan) {
			inputs := p.Root().Body.(*operator.SetOp).Inputs
			p.Root().Body = &operator.Join{Kind: operator.Semi, Left: inputs[0], Right: inputs[1]}
		}, "several tasks"},
	} {
		tree, names, err := plantest.Tree(c.tree, tables)
		if err != nil {
			t.Fatal(err)
		}
		p, err := distplan.Build(distplan.Statement{Tree: tree, Columns: resultColumns(tree, names)},
			distplan.Options{Workers: 2, Distributed: distplan.Always, JoinStrategy: c.strategy})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.damage(p)
		columns := p.Root().Body.Types()
		p.Root().Types, p.Columns = columns, make([]table.Column, len(columns))
		for i := range columns {
			p.Columns[i].Type = columns[i]
		}
		if err := distplan.Validate(p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
