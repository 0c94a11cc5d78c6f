package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/frontend/planjson"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// errPlanDeadline is the cause when the optimiser took too long.
var errPlanDeadline = errors.New("the optimiser took longer than its deadline")

// Plan plans a query (a statement that Classify calls KindQuery).
//
// Outcomes: a Planned; User with DuckDB's message and position for faults of the statement; PermissionDenied and Unsupported
// for what is refused; what reading the catalog gives; Cancelled or Deadline when ctx ended.
func (f *Frontend) Plan(ctx context.Context, r Request) (*Planned, error) {
	begun := time.Now()
	params, err := parameterLiterals(r.Params)
	if err != nil {
		return nil, err
	}
	key := cacheKey(&r, params)
	if p := f.cache.get(key); p != nil {
		p.Cached, p.PlanTime = true, time.Since(begun)
		return p, nil
	}
	p, cacheable, err := f.plan(ctx, &r, params)
	if err != nil {
		if stopped(ctx) {
			return nil, qerr.Wrap(qerr.Cancelled, "plan statement", context.Cause(ctx))
		}
		return nil, err
	}
	p.PlanTime = time.Since(begun)
	if cacheable {
		f.cache.put(key, p)
	}
	return p, nil
}

// A statement is what is known of a request's text before anything is optimised. It is not shared between goroutines.
type statement struct {
	r      *Request
	sql    string // with parameters replaced by their values
	syntax *syntax
	facts  *facts
	res    *resolution
	// catalogViews says that the engine's own catalog is asked.
	catalogViews bool
}

func (f *Frontend) plan(ctx context.Context, r *Request, params []parameter) (p *Planned, cacheable bool, err error) {
	st, err := f.read(ctx, r, params)
	if err != nil {
		return nil, false, err
	}
	if st.catalogViews {
		p, err = f.planCatalogViews(ctx, st)
		return p, false, err
	}
	p, err = f.planTree(ctx, st)
	if err != nil {
		return nil, false, err
	}
	for _, t := range st.res.tables {
		if t.Inline == nil {
			p.Tables = append(p.Tables, t.Name)
		}
	}
	slices.SortFunc(p.Tables, compareNames)
	return p, !st.res.system && f.functions.cacheable(st.facts), nil
}

func compareNames(a, b table.Name) int { return strings.Compare(a.String(), b.String()) }

// read parses, puts the parameters in, checks functions and finds the tables.
func (f *Frontend) read(ctx context.Context, r *Request, params []parameter) (*statement, error) {
	st := &statement{r: r, sql: r.SQL}
	err := f.withDeadline(ctx, r, func(in *plandb.Instance) (func(), error) {
		s, err := in.Syntax(r.SQL)
		if err != nil {
			return nil, err
		}
		tree, err := parseSyntax(s)
		if err != nil {
			return nil, err
		}
		sql, facts := r.SQL, tree.facts()
		changed, err := substitute(in, tree, facts, params, r.User)
		if err != nil {
			return nil, err
		}
		if changed {
			if sql, err = printed(in, tree); err != nil {
				return nil, err
			}
		}
		return func() { st.sql, st.syntax, st.facts = sql, tree, facts }, nil
	})
	if err != nil {
		return nil, faultError(err)
	}
	catalogFunctions, err := checkTableFunctions(st.facts)
	if err != nil {
		return nil, err
	}
	if st.res, err = f.resolve(ctx, r, st.facts); err != nil {
		return nil, err
	}
	st.catalogViews = catalogFunctions || st.res.views || len(st.facts.show) > 0
	return st, nil
}

func printed(in *plandb.Instance, s *syntax) (string, error) {
	data, err := s.json()
	if err != nil {
		return "", err
	}
	return in.Text(data)
}

// withDeadline runs work on a planning database for at most the plan deadline. work returns what is to be done with its
// results, which happens only when it came back in time: an abandoned call must not write to what others read.
func (f *Frontend) withDeadline(ctx context.Context, r *Request, work func(in *plandb.Instance) (func(), error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.cfg.PlanDeadline, errPlanDeadline)
	defer cancel()
	var publish func()
	result := make(chan func(), 1)
	err := f.onInstance(ctx, r, func(in *plandb.Instance) error {
		done, err := work(in)
		result <- done
		return err
	})
	if err != nil {
		return err
	}
	if publish = <-result; publish != nil {
		publish()
	}
	return nil
}

// planTree plans over stubs, as a tree when it can be read, else as text.
func (f *Frontend) planTree(ctx context.Context, st *statement) (*Planned, error) {
	p := &Planned{}
	unread := f.textOnly
	if unread == "" {
		err := f.withDeadline(ctx, st.r, func(in *plandb.Instance) (func(), error) {
			got, why, err := optimise(in, st)
			return func() { p, unread = got, why }, err
		})
		switch {
		case err == nil && unread == "":
			return p, nil
		case errors.Is(err, errPlanDeadline) && !stopped(ctx):
			unread = errPlanDeadline.Error()
		case err != nil:
			return nil, f.original(ctx, st, err)
		}
	}
	err := f.withDeadline(ctx, st.r, func(in *plandb.Instance) (func(), error) {
		got, err := asText(in, st)
		return func() { p = got }, err
	})
	if err != nil {
		return nil, f.original(ctx, st, err)
	}
	p.Statement.Unread = unread
	return p, nil
}

// original reports an error with the position in the text that the client wrote: a statement whose parameters were
// replaced is bound once more as it came.
func (f *Frontend) original(ctx context.Context, st *statement, err error) error {
	if st.sql == st.r.SQL {
		return faultError(err)
	}
	again := f.withDeadline(ctx, st.r, func(in *plandb.Instance) (func(), error) {
		if err := bindable(in, st); err != nil {
			return nil, err
		}
		_, err := in.Describe(st.r.SQL)
		return nil, err
	})
	var was, is *plandb.Fault
	if errors.As(err, &was) && errors.As(again, &is) && was.Type == is.Type {
		return faultError(again)
	}
	if was != nil {
		was.Position = 0 // It counts in a text that the client never saw.
	}
	return faultError(err)
}

// bindable prepares an instance for binding the statement.
func bindable(in *plandb.Instance, st *statement) error {
	if err := in.Define(st.res.tables...); err != nil {
		return err
	}
	return in.Use(st.r.Settings.Catalog(), st.r.Settings.Schema(), st.r.Settings.TimeZone())
}

// columns binds the statement and returns its result columns, named as in the text that the client wrote.
func columns(in *plandb.Instance, st *statement) ([]table.Column, error) {
	d, err := in.Describe(st.sql)
	if err != nil {
		return nil, err
	}
	if st.sql == st.r.SQL {
		return d.Columns, nil
	}
	if o := described(in, st.r); o != nil && len(o.Columns) == len(d.Columns) {
		for i := range o.Columns {
			d.Columns[i].Name = o.Columns[i].Name
		}
	}
	return d.Columns, nil
}

// described binds a request's own text as Describe does, nil when that fails.
func described(in *plandb.Instance, r *Request) *plandb.Description {
	data, err := in.Syntax(r.SQL)
	if err != nil {
		return nil
	}
	s, err := parseSyntax(data)
	if err != nil {
		return nil
	}
	d, err := describeOn(in, &statement{r: r, sql: r.SQL, syntax: s, facts: s.facts()})
	if err != nil {
		return nil
	}
	return d
}

// optimise plans the statement and reads its tree. A reason why the tree cannot be used is no error.
func optimise(in *plandb.Instance, st *statement) (p *Planned, unread string, err error) {
	if err := bindable(in, st); err != nil {
		return nil, "", err
	}
	p = &Planned{}
	if p.Columns, err = columns(in, st); err != nil {
		return nil, "", err
	}
	p.Statement.Columns = p.Columns
	plan, err := in.Plan(st.sql)
	if err != nil {
		// What binds but cannot be planned fails (or not) when it runs.
		return nil, "the optimiser failed: " + firstLine(err.Error()), nil
	}
	tree, err := planjson.Decode(plan, in.Stub)
	if err != nil {
		return nil, err.Error(), nil
	}
	if len(operator.Scans(tree)) > 0 {
		// Estimates decide between plans only: without them the statement still runs.
		if explain, err := in.Explain(st.sql); err == nil {
			planjson.Estimates(tree, explain)
		}
	}
	sql, err := rebind(in, tree, p.Columns)
	if err != nil {
		return nil, err.Error(), nil
	}
	p.Statement.Tree = tree
	if len(operator.Scans(tree)) == 0 {
		p.Local, p.LocalSQL = true, sql
	}
	return p, "", nil
}

// rebind prints a tree as a worker would run it and has it bound again: it must give the columns that the statement has.
func rebind(in *plandb.Instance, tree operator.Node, columns []table.Column) (string, error) {
	sql, err := sqltext.SelectOver(tree, overStub)
	if err != nil {
		return "", err
	}
	d, err := in.Describe(sql)
	if err != nil {
		return "", errors.New("the printed tree does not bind: " + firstLine(err.Error()))
	}
	types := tree.Types()
	if len(d.Columns) != len(columns) || len(types) != len(columns) {
		return "", errors.New("the printed tree has another number of columns")
	}
	same := true
	for i, c := range columns {
		if !d.Columns[i].Type.Equal(types[i]) {
			return "", errors.New("the printed tree's column " + c.Name + " is " + d.Columns[i].Type.SQL() + ", not " + types[i].SQL())
		}
		same = same && types[i].Equal(c.Type)
	}
	if !same {
		sql = sqltext.SelectText(sql, columns)
	}
	return sql, nil
}

// overStub names a scan by the view over its stub.
func overStub(s *operator.Scan) (string, error) {
	list := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		list[i] = "CAST(NULL AS BIGINT)"
		if c >= 0 {
			list[i] = table.Quote(s.Table.Columns[c].Name)
		}
		list[i] += " AS c" + itoa(i)
	}
	if len(list) == 0 {
		list = []string{"NULL AS none"}
	}
	n := s.Table.Name
	return "(SELECT " + strings.Join(list, ", ") + " FROM " + table.Quote(n.Catalog) + "." + table.Quote(n.Schema) + "." + table.Quote(n.Table) + ")", nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
