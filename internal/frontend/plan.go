package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
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
	if p := f.cache.get(key); p != nil && r.Temporary == nil {
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
	return p, !st.res.system && r.Temporary == nil && f.functions.cacheable(st.facts), nil
}

func compareNames(a, b table.Name) int { return strings.Compare(a.String(), b.String()) }

// read parses, puts the parameters in, checks functions and finds the tables.
func (f *Frontend) read(ctx context.Context, r *Request, params []parameter) (*statement, error) {
	st := &statement{r: r, sql: r.SQL}
	err := f.withDeadline(ctx, r, f.cfg.BindDeadline, func(in *plandb.Instance) (func(), error) {
		s, err := in.Syntax(r.SQL)
		if err != nil {
			return nil, err
		}
		tree, err := parseSyntax(s)
		if err != nil {
			return nil, err
		}
		sql, facts := r.SQL, tree.facts()
		changed, err := substitute(in, tree, facts, params, r)
		if err != nil {
			return nil, err
		}
		changed = unqualifyTemporary(r, facts) || changed
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
	catalogFunctions, err := checkFunctions(st.facts)
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

// withDeadline runs work on a planning database for at most limit. work returns what is to be done with its
// results, which happens only when it came back in time: an abandoned call must not write to what others read.
func (f *Frontend) withDeadline(ctx context.Context, r *Request, limit time.Duration, work func(in *plandb.Instance) (func(), error)) error {
	result := make(chan func(), 1)
	err := f.onInstance(ctx, r, limit, func(in *plandb.Instance) error {
		done, err := work(in)
		result <- done
		return err
	})
	if err != nil {
		return err
	}
	if publish := <-result; publish != nil {
		publish()
	}
	return nil
}

// planTree plans over stubs, as a tree when it can be read, else as text.
func (f *Frontend) planTree(ctx context.Context, st *statement) (*Planned, error) {
	p := &Planned{}
	unread := f.textOnly
	if unread == "" {
		err := f.withDeadline(ctx, st.r, f.cfg.PlanDeadline, func(in *plandb.Instance) (func(), error) {
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
	err := f.withDeadline(ctx, st.r, f.cfg.BindDeadline, func(in *plandb.Instance) (func(), error) {
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
	again := f.withDeadline(ctx, st.r, f.cfg.BindDeadline, func(in *plandb.Instance) (func(), error) {
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
