package logic

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/oracle/contest"
	"github.com/arbalest-sql/arbalest/integration/oracle/gen"
	"github.com/arbalest-sql/arbalest/internal/duck/plaindb"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// plainBytes is DuckDB's memory.
const plainBytes = 1 << 30

// planWorkers is the size of cluster whose plans are looked at.
const planWorkers = 3

// A runner runs one script.
type runner struct {
	t       *testing.T
	script  *Script
	db      *plaindb.DB
	layouts map[string]gen.Table
	changed bool // tables have changed since they were written
	written int  // how often they were
	arena   *contest.Arena
	options contest.Config // without Workers
}

// Run runs a script: DuckDB and every cluster must agree with it.
func Run(t *testing.T, s *Script) {
	r := open(t, s)
	for _, record := range s.Records {
		if err := r.run(record); err != nil {
			t.Errorf("line %d: %v\n%s", record.Line, err, record.SQL)
		}
	}
	if r.arena != nil {
		r.arena.Idle()
	}
}

func open(t *testing.T, s *Script) *runner {
	t.Helper()
	db, err := plaindb.Open(plainBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	r := &runner{t: t, script: s, db: db, layouts: map[string]gen.Table{}, changed: true}
	r.options = contest.Config{Distributed: settings.Always, Join: settings.Auto, Spill: settings.Auto}
	return r
}

func (r *runner) run(record Record) error {
	switch record.Kind {
	case SetOption:
		return r.option(record.Set[0], record.Set[1])
	case LayTable:
		r.layouts[record.Layout.Name] = record.Layout
		r.changed = true
		return nil
	case StatementOK:
		if isSelect(record.SQL) {
			return r.query(record, false)
		}
		r.changed = true
		return r.db.Exec(record.SQL)
	}
	return r.query(record, true)
}

func (r *runner) option(name, value string) error {
	switch name {
	case settings.Partitions:
		n, err := strconv.Atoi(value)
		r.options.Partitions = n
		return err
	case settings.JoinStrategy:
		r.options.Join = value
	case settings.Spill:
		r.options.Spill = value
	case settings.Distributed:
		r.options.Distributed = value
	case settings.Adaptive:
		r.options.Adaptive = value
	case settings.OrderedEndpoints:
		r.options.Ordered = value == "true"
	default:
		return fmt.Errorf("scripts cannot set %s", name)
	}
	return nil
}

func isSelect(sql string) bool {
	words := strings.Fields(strings.TrimLeft(sql, "("))
	return len(words) > 0 && slices.Contains([]string{"SELECT", "WITH", "FROM", "VALUES"}, strings.ToUpper(words[0]))
}

// query asks DuckDB, then the script, then every cluster.
func (r *runner) query(record Record, check bool) error {
	if err := r.write(); err != nil {
		return err
	}
	want, err := contest.Ask(r.t.Context(), r.db, record.SQL)
	if err != nil {
		return err
	}
	var ordered []int
	if check {
		if err := agree(record, want); err != nil {
			return fmt.Errorf("the script is wrong: %w", err)
		}
		if record.Kind == Query && record.Sort == NoSort {
			for i := range record.Columns {
				ordered = append(ordered, i)
			}
		}
	} else if want.Refusal != nil {
		return want.Refusal
	}
	if record.Skip != "" {
		return nil
	}
	for _, config := range r.configs() {
		if err := r.arena.Judge(r.t.Context(), config, record.SQL, want, ordered); err != nil {
			plan, _ := r.arena.Explain(r.t.Context(), config, record.SQL)
			return fmt.Errorf("with %s: %w\n%s", config, err, plan)
		}
	}
	return r.plan(record)
}

// configs are one a size of cluster. Plans run as they were made, not as they are adapted to what turns out to be small:
// that would do in one task what the scripts are to see in many. The last size runs by the default too.
func (r *runner) configs() []contest.Config {
	var all []contest.Config
	for i, workers := range r.script.Clusters {
		config := r.options
		config.Workers = workers
		if config.Adaptive != "" {
			all = append(all, config)
			continue
		}
		config.Adaptive = settings.Never
		all = append(all, config)
		if i == len(r.script.Clusters)-1 {
			config.Adaptive = ""
			all = append(all, config)
		}
	}
	return all
}

// write makes the files anew, and clusters over them, when the tables have changed.
func (r *runner) write() error {
	if !r.changed {
		return nil
	}
	if r.arena != nil {
		r.arena.Idle()
	}
	r.changed = false
	r.written++
	dir := filepath.Join(r.t.TempDir(), strconv.Itoa(r.written))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	names, err := r.db.Query(r.t.Context(), "SELECT table_name, estimated_size FROM duckdb_tables() WHERE NOT temporary ORDER BY 1", 1000)
	if err != nil {
		return err
	}
	defer names.Release()
	for _, row := range oracle.FromBatches(names.Schema, names.Batches).Cells {
		name := row[0].Text
		t, ok := r.layouts[name]
		if !ok {
			t = gen.Table{Name: name, Format: gen.Parquet, Files: 3}
		}
		if t.GroupRows > 0 {
			n, err := strconv.Atoi(row[1].Text)
			if err != nil {
				return err
			}
			t.Rows = make([][]string, n)
		}
		if err := contest.Export(r.db, dir, t); err != nil {
			return fmt.Errorf("write table %s: %w", name, err)
		}
	}
	r.arena = contest.Open(r.t, dir)
	return nil
}

func (r *runner) plan(record Record) error {
	config := r.options
	config.Workers = planWorkers
	if len(record.Ran) > 0 {
		ran, err := r.arena.Analyze(r.t.Context(), config, record.SQL)
		if err != nil {
			return err
		}
		for _, text := range record.Ran {
			if !strings.Contains(ran, text) {
				return fmt.Errorf("what ran has no %q:\n%s", text, ran)
			}
		}
	}
	if len(record.Plan)+len(record.PlanNot) == 0 {
		return nil
	}
	plan, err := r.arena.Explain(r.t.Context(), config, record.SQL)
	if err != nil {
		return err
	}
	for _, text := range record.Plan {
		if !strings.Contains(plan, text) {
			return fmt.Errorf("the plan has no %q:\n%s", text, plan)
		}
	}
	for _, text := range record.PlanNot {
		if strings.Contains(plan, text) {
			return fmt.Errorf("the plan has %q:\n%s", text, plan)
		}
	}
	return nil
}
