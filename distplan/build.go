package distplan

import (
	"errors"
	"fmt"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Build plans a statement for the membership and the session that opts describe.
//
// A tree that SQL cannot print, or that contradicts itself, is set aside for the statement's text. Without a text the first
// is an error that wraps sqltext.ErrUnprintable, the second one of kind qerr.Internal.
func Build(st Statement, opts Options) (*Plan, error) {
	opts = opts.withDefaults()
	if st.Tree == nil {
		return buildText(st, opts, st.Unread)
	}
	plan, err := buildTree(st, opts)
	if st.Text != "" && (errors.Is(err, sqltext.ErrUnprintable) || errors.Is(err, errBadTree)) {
		return buildText(st, opts, err.Error())
	}
	return plan, err
}

// errBadTree is a tree that contradicts itself as it came: it was misread, and must not be run.
var errBadTree = errors.New("operator tree contradicts itself")

// partitionsPerWorker gives each consumer task several hash partitions, so that they can be dealt anew by size or after a
// loss.
const partitionsPerWorker = 4

// partitionsMax bounds what a session may ask for: every task of a producer keeps a buffer a partition.
const partitionsMax = 4096

func (o Options) withDefaults() Options {
	o.Workers = max(o.Workers, 1)
	if o.Partitions <= 0 {
		o.Partitions = partitionsPerWorker * o.Workers
	}
	o.Partitions = min(o.Partitions, partitionsMax)
	if o.Distributed == "" {
		o.Distributed = Auto
	}
	if o.JoinStrategy == "" {
		o.JoinStrategy = JoinAuto
	}
	return o
}

// A rule rewrites a tree into another that gives the same rows on one node.
type rule struct {
	Rule
	apply func(operator.Node) (operator.Node, error)
}

// rewrites are the rules that every tree needs, in this order.
var rewrites = []rule{
	{newRule("projections are merged"), mergeProjections},
	{newRule("scans are pruned by bounds"), pruneScans},
}

// spreadRewrites are the rules that make more of a tree fit for many tasks, in this order. A tree that stays in one task
// does without: DuckDB chose its form.
var spreadRewrites = []rule{
	{newRule("a correlated EXISTS that only compares is a plain join"), plainExists},
	{newRule("a CTE read once stands where it is read"), inlineCTEs},
	{newRule("equalities are taken out of a join's predicate"), hoistEqualities},
	{newRule("a grouping set that is given again repeats its rows"), repeatSets},
	{newRule("a lone DISTINCT aggregate reads distinct rows"), distinctAggregates},
	{newRule("a SINGLE join that cannot match twice is a LEFT join"), singleJoins},
}

// rewrite applies the rules, and notes in plan those that changed something.
func rewrite(plan *Plan, tree operator.Node, rules []rule) (operator.Node, error) {
	for _, r := range rules {
		before := tree
		var err error
		if tree, err = r.apply(tree); err != nil {
			return nil, err
		}
		if tree != before {
			plan.Rules = append(plan.Rules, r.name)
		}
		if err := validateTree(tree); err != nil {
			return nil, qerr.Wrap(qerr.Internal, "plan statement: after "+r.name, err)
		}
	}
	return tree, nil
}

func buildTree(st Statement, opts Options) (*Plan, error) {
	if err := validateTree(st.Tree); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "plan statement", fmt.Errorf("%w: %w", errBadTree, err))
	}
	tree, err := resultTypes(st.Tree, st.Columns)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Columns: st.Columns}
	if tree, err = rewrite(plan, tree, rewrites); err != nil {
		return nil, err
	}
	plan.Ordered = ordered(tree)
	if oneStage(tree, opts) {
		if err := cutSingle(plan, tree, opts); err != nil {
			return nil, err
		}
	} else {
		if tree, err = rewrite(plan, tree, spreadRewrites); err != nil {
			return nil, err
		}
		d := newDistributor(opts)
		if opts.OrderedEndpoints {
			d.spreads = rootOrder(tree)
		}
		root := d.place(tree)
		divided, err := d.divide(root.node)
		if err != nil {
			return nil, err
		}
		plan.Fallbacks = d.reasons
		plan.Rules = append(plan.Rules, d.rules...)
		if err := cut(plan, divided, opts, &d.sizes); err != nil {
			return nil, err
		}
	}
	for _, s := range plan.Stages {
		plan.Indeterminate = plan.Indeterminate || s.Indeterminate
	}
	if err := Validate(plan); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "plan statement: cut into stages", err)
	}
	return plan, nil
}

// buildText plans a statement whose tree could not be read: its text runs in one task over all splits.
func buildText(st Statement, opts Options, reason string) (*Plan, error) {
	if st.Text == "" {
		return nil, qerr.New(qerr.Internal, "plan statement: neither a tree nor a text (%s)", reason)
	}
	if reason == "" {
		reason = "its operator tree could not be read"
	}
	stage := &Stage{
		Fragment:      sqltext.SelectText(st.Text, st.Columns),
		Scans:         append([]ScanInput(nil), st.TextScans...),
		Spread:        SpreadSingle,
		Output:        Output{Kind: OutputResult, Partitions: 1},
		Types:         columnTypes(st.Columns),
		Rows:          -1,
		Bytes:         -1,
		Indeterminate: true, // nothing is known of it
	}
	for i := range stage.Scans {
		stage.Scans[i].Splits = splitsOf(stage.Scans[i].Table, stage.Scans[i].Columns, nil, opts.Workers)
	}
	plan := &Plan{
		Stages:        []*Stage{stage},
		Columns:       st.Columns,
		Ordered:       true, // it may end in ORDER BY, and one task keeps its order anyhow
		Indeterminate: true,
		Fallbacks:     []string{"the whole statement: " + reason},
	}
	if err := Validate(plan); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "plan statement as text", err)
	}
	return plan, nil
}

// resultTypes puts a projection on top that casts to the result's types where they differ.
func resultTypes(tree operator.Node, columns []table.Column) (operator.Node, error) {
	types := tree.Types()
	if len(types) != len(columns) {
		err := fmt.Errorf("%w: it has %d columns, the result %d", errBadTree, len(types), len(columns))
		return nil, qerr.Wrap(qerr.Internal, "plan statement", err)
	}
	same := true
	exprs := make([]expr.Expr, len(types))
	for i, t := range types {
		exprs[i] = &expr.Ref{Index: i, Result: t}
		if !t.Equal(columns[i].Type) {
			exprs[i] = &expr.Cast{Child: exprs[i], Result: columns[i].Type}
			same = false
		}
	}
	if same {
		return tree, nil
	}
	return &operator.Project{Estimated: operator.Estimated{Rows: tree.Estimate()}, Child: tree, Exprs: exprs}, nil
}

func columnTypes(columns []table.Column) []table.Type {
	types := make([]table.Type, len(columns))
	for i, c := range columns {
		types[i] = c.Type
	}
	return types
}

// ordered reports whether the tree promises an order of its rows.
func ordered(n operator.Node) bool {
	switch n := n.(type) {
	case *operator.Order, *operator.TopN:
		return true
	case *operator.Limit:
		return ordered(n.Child)
	case *operator.Project:
		return ordered(n.Child)
	case *operator.Filter:
		return ordered(n.Child)
	case *operator.CTE:
		return ordered(n.Body)
	}
	return false
}

// oneStage decides whether the whole tree is one fragment: nothing to scan, one worker, or too little data to be worth an
// exchange.
func oneStage(tree operator.Node, opts Options) bool {
	scans := operator.Scans(tree)
	if len(scans) == 0 || opts.Distributed == Never {
		return true
	}
	if opts.Distributed == Always {
		return false
	}
	if opts.Workers <= 1 {
		return true
	}
	var bytes int64
	for _, s := range scans {
		bytes += scanBytes(s)
	}
	return bytes < opts.SmallBytes*int64(min(opts.Workers, smallWorkersMax))
}

// smallWorkersMax bounds how many workers' share of small data one task may have: what the others would save grows with
// their number, and so must not be weighed against them.
const smallWorkersMax = 2
