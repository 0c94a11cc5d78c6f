package oracle_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/oracle/contest"
	"github.com/arbalest-sql/arbalest/integration/oracle/gen"
	"github.com/arbalest-sql/arbalest/internal/duck/plaindb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

const (
	// lanes is how many statements run at a time: enough to keep both sides busy while one waits for the other.
	lanes = 4
	// plainBytes is the oracle's memory: half of what each worker's engine has, so that what it can do, they can.
	plainBytes = 512 << 20
	// shrinkTries bounds the search for a smaller statement.
	shrinkTries = 1500
)

// A run is many statements over one set of tables.
type run struct {
	seed    int64
	queries int
	only    int  // one case alone, by number; < 0 = all
	first   bool // stop at the first failure
	stats   *contest.Stats

	arena  *contest.Arena
	asking sync.Mutex // of db
	db     *plaindb.DB
	tables []gen.Table
}

// A numbered case, with what went wrong.
type numbered struct {
	n      int
	c      gen.Case
	config contest.Config
	err    error
}

func (r *run) test(t *testing.T) {
	r.open(t)
	g := gen.New(r.seed, r.tables)
	cases := make(chan numbered)
	var failures []numbered
	var mu sync.Mutex
	var working sync.WaitGroup
	for range lanes {
		working.Go(func() {
			for c := range cases {
				if failed := r.try(t, c); failed != nil {
					mu.Lock()
					failures = append(failures, *failed)
					mu.Unlock()
				}
			}
		})
	}
	for n := range max(r.queries, r.only+1) {
		mu.Lock()
		enough := r.first && len(failures) > 0
		mu.Unlock()
		if enough {
			break
		}
		if c := g.Case(); r.only < 0 || n == r.only {
			cases <- numbered{n: n, c: c}
		}
	}
	close(cases)
	working.Wait()
	for i, f := range failures {
		r.tell(t, f, i < shrinksMax)
	}
	r.arena.Idle()
	// Half of the runs have every exchange on disk: nothing there would mean that the setting does nothing.
	if spilled, err := r.arena.Spilled(t.Context()); err != nil || spilled == 0 && r.only < 0 {
		t.Errorf("%d bytes were spilled, %v", spilled, err)
	}
}

func (r *run) open(t *testing.T) {
	t.Helper()
	var err error
	if r.db, err = plaindb.Open(plainBytes); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.db.Close)
	dir := t.TempDir()
	if r.tables == nil {
		r.tables = gen.NewTables(r.seed, "")
	}
	if r.tables, err = contest.Write(r.db, dir, r.tables); err != nil {
		t.Fatal(err)
	}
	r.arena = contest.Open(t, dir)
	system, err := r.arena.CopySystemTable(t.Context(), r.db)
	if err != nil {
		t.Fatal(err)
	}
	r.tables = append(r.tables, system)
}

// ask is Ask, one at a time.
func (r *run) ask(ctx context.Context, sql string) (*contest.Want, error) {
	r.asking.Lock()
	defer r.asking.Unlock()
	return contest.Ask(ctx, r.db, sql)
}

// try runs a case under its configurations, and returns the first that fails.
func (r *run) try(t *testing.T, c numbered) *numbered {
	want, err := r.ask(t.Context(), c.c.Want.String())
	if err != nil {
		if strings.Contains(err.Error(), "Failed to bind column reference") {
			r.stats.Accept("DuckDB's optimiser breaks on the statement itself")
			return nil
		}
		if !errors.Is(err, contest.ErrSkip) {
			c.err = err
			return &c
		}
		r.stats.Count(nil, 0)
		return nil
	}
	configs := contest.Draw(c.n + int(r.seed))
	if want.Refusal != nil {
		configs = configs[c.n%len(configs):][:1] // a refusal is mostly the planner's: once is enough
	}
	r.stats.Count(want, len(configs))
	if want.Refusal != nil && os.Getenv("ARBALEST_FUZZ_REFUSALS") != "" {
		t.Logf("refused: %v\n  %s", want.Refusal, c.c.Want)
	}
	for _, config := range configs {
		if err := r.arena.Judge(t.Context(), config, c.c.Have.String(), want, c.c.Ordered); err != nil {
			reason := accepted(err)
			if !r.selfConsistent(t, c.c, want) {
				reason = "DuckDB's answers to the two forms differ"
			}
			if reason == "" && !r.sameWithoutPushedFilters(t, c.c, want) {
				reason = "DuckDB's own answer depends on filters it hands to scans"
			}
			if reason != "" {
				r.stats.Accept(reason)
				return nil
			}
			c.config, c.err = config, err
			return &c
		}
	}
	if want.Refusal == nil {
		spread := configs[2]
		spread.Distributed = settings.Always
		if c.n%2 == 0 { // some rules are for this strategy only
			spread.Join = settings.Auto
		}
		plan, err := r.arena.Explain(t.Context(), spread, c.c.Have.String())
		if err != nil {
			c.config, c.err = spread, fmt.Errorf("explain: %w", err)
			return &c
		}
		r.stats.CountPlan(plan)
	}
	return nil
}

// selfConsistent reports whether DuckDB gives one answer to both forms of a case.
func (r *run) selfConsistent(t *testing.T, c gen.Case, want *contest.Want) bool {
	if c.Want == c.Have || want.Refusal != nil {
		return true
	}
	have, err := r.ask(t.Context(), c.Have.String())
	return err == nil && have.Refusal == nil && oracle.CompareExactly(want.Rows, have.Rows) == nil
}

// sameWithoutPushedFilters reports whether DuckDB gives the same answer when neither joins nor ORDER BY … LIMIT hand filters down to
// scans while they run. DuckDB 1.5.5 hands a join's through ORDER BY … LIMIT of a subquery too, which then takes its rows from fewer,
// and a LIMIT's through outer joins, which then find fewer matches.
func (r *run) sameWithoutPushedFilters(t *testing.T, c gen.Case, want *contest.Want) bool {
	if want.Refusal != nil {
		return true
	}
	r.asking.Lock()
	defer r.asking.Unlock()
	if err := r.db.Exec("SET disabled_optimizers = 'join_filter_pushdown,top_n'"); err != nil {
		t.Error(err)
	}
	other, err := contest.Ask(t.Context(), r.db, c.Want.String())
	if err := r.db.Exec("RESET disabled_optimizers"); err != nil {
		t.Error(err)
	}
	return err != nil || other.Refusal != nil || oracle.CompareExactly(want.Rows, other.Rows) == nil
}

// accepted names the differences that are known and let pass.
func accepted(err error) string {
	// The statement's tree cannot be read, so that its text runs over inputs named in a WITH; and DuckDB decorrelates
	// fewer subqueries over a WITH than over tables. It says so; nothing wrong is answered.
	if qerr.Is(err, qerr.Unsupported) && strings.Contains(err.Error(), "cannot be distributed, nor printed back as text") &&
		(strings.Contains(err.Error(), "flattening correlated subquery") || strings.Contains(err.Error(), "on correlated columns")) {
		return "correlated subquery over WITH in a statement that runs as text"
	}
	// DuckDB 1.5.5's Parquet reader fails on a filter of a list column that is not itself selected; the oracle has tables, to
	// which that does not happen. SELECT b FROM read_parquet(…) WHERE a IS DISTINCT FROM []::INTEGER[] shows it in plain DuckDB.
	if qerr.Is(err, qerr.Internal) && strings.HasSuffix(err.Error(), "Invalid Error: Out of buffer") {
		return "DuckDB's Parquet reader cannot filter by a nested column that is not selected"
	}
	// DuckDB fails on the statement itself, by an error that C++ raises where it looks up what it has not put there.
	if qerr.Is(err, qerr.Internal) && strings.Contains(err.Error(), "DuckDB says: Invalid Error: unordered_map::at") {
		return "DuckDB fails on the statement itself"
	}
	return ""
}

// tell reports a failure, made small if it is to be.
func (r *run) tell(t *testing.T, f numbered, shrink bool) {
	t.Helper()
	whole := f.c
	if shrink && f.config.Workers > 0 && os.Getenv("ARBALEST_FUZZ_SHRINK") != "0" {
		f.c = gen.Shrink(f.c, shrinkTries, func(c gen.Case) bool {
			want, err := r.ask(t.Context(), c.Want.String())
			if err != nil || want.Refusal != nil && f.c.Kind != gen.KindFault || !r.selfConsistent(t, c, want) {
				return false
			}
			err = r.arena.Judge(t.Context(), f.config, c.Have.String(), want, stillThere(whole, c, want))
			return err != nil && sameFault(err, f.err)
		})
		if want, err := r.ask(t.Context(), f.c.Want.String()); err == nil {
			if err := r.arena.Judge(t.Context(), f.config, f.c.Have.String(), want, stillThere(whole, f.c, want)); err != nil {
				f.err = err
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ARBALEST_FUZZ_SEED=%d ARBALEST_FUZZ_CASE=%d (%s) fails with %s\n", r.seed, f.n, f.c.Kind, f.config)
	fmt.Fprintf(&b, "%s\n", f.c.Have)
	if f.c.Want != f.c.Have {
		fmt.Fprintf(&b, "must give what DuckDB gives for\n%s\n", f.c.Want)
	}
	fmt.Fprintf(&b, "%v\n", f.err)
	if f.config.Workers > 0 {
		plan, err := r.arena.Explain(t.Context(), f.config, f.c.Have.String())
		fmt.Fprintf(&b, "%s%v", plan, errText(err))
	}
	t.Error(b.String())
}

// stillThere gives the columns of ORDER BY when the smaller statement has the whole's.
func stillThere(whole, smaller gen.Case, want *contest.Want) []int {
	text := whole.Have.String()
	at := strings.LastIndex(text, " ORDER BY ")
	if at < 0 || want.Rows == nil || !strings.HasSuffix(smaller.Have.String(), text[at:]) {
		return nil
	}
	return whole.Ordered
}

// sameFault keeps a search for a smaller statement on the track of one fault.
func sameFault(a, b error) bool {
	first := func(err error) string {
		text, _, _ := strings.Cut(err.Error(), ":")
		return strings.Trim(text, "0123456789 ")
	}
	return first(a) == first(b)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
