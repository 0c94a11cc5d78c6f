package frontend

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

const (
	// planDeadlineDefault is beyond any plan whose join order is worth its search: a star of 50 tables takes 0.9 s, of 100
	// tables 22 s.
	planDeadlineDefault = 2 * time.Second
	// bindDeadlineDefault bounds parsing and binding, whose time grows with the text alone: a few milliseconds for what people
	// write, some hundred for a join of 60 tables on a busy machine.
	bindDeadlineDefault = 20 * time.Second
	// statementBytesMax bounds the text of one statement: far beyond what people and generators write, far below what
	// would hurt.
	statementBytesMax = 4 << 20
	// cacheEntriesDefault and cacheBytesDefault hold the statements of some hundred dashboards.
	cacheEntriesDefault = 1024
	cacheBytesDefault   = 64 << 20
	// waitMax is how long a statement waits for a planning database. Plans take milliseconds; only statements that reach
	// the plan deadline keep one for long.
	waitMax = 10 * time.Second
	// evaluateMemory bounds local statements: constants and system tables need next to nothing, and a generate_series of a
	// billion rows streams.
	evaluateMemory = 512 << 20
	// evaluateMax bounds how long a local statement may be read: the coordinator is not the place for long ones.
	evaluateMax = 10 * time.Minute
)

// Config of a Frontend; the zero value takes every default.
type Config struct {
	// PoolMax is the number of planning databases; default 4. Each takes some 10 MB and, while planning, a core.
	PoolMax int
	// PlanDeadline is how long the optimiser may take before the statement runs as one unoptimised fragment; default 2 s.
	PlanDeadline time.Duration
	// BindDeadline is how long parsing or binding a statement may take before it is refused; default 20 s.
	BindDeadline time.Duration
	// CacheEntries and CacheBytes bound the plan cache; defaults 1024 and 64 MiB. Negative = no cache.
	CacheEntries int
	CacheBytes   int64
	Log          zerolog.Logger
}

// EnsureDefaults fills in what is zero.
func (c *Config) EnsureDefaults() {
	if c.PlanDeadline == 0 {
		c.PlanDeadline = planDeadlineDefault
	}
	if c.BindDeadline == 0 {
		c.BindDeadline = bindDeadlineDefault
	}
	if c.CacheEntries == 0 {
		c.CacheEntries = cacheEntriesDefault
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = cacheBytesDefault
	}
}

// A Frontend plans statements. Safe for concurrent use.
type Frontend struct {
	cfg  Config
	pool *plandb.Pool
	// catalogs holds databases with all tables, empty, for statements about the catalog.
	catalogs  *plandb.Pool
	local     *duck.Engine
	cache     *cache
	functions *functions
	// textOnly is the reason why trees are not used at all: the self-test failed.
	textOnly string
}

// New opens the planner and tests it: statements whose plans must be readable. A failed test is logged, and everything is
// planned as text from then on.
func New(cfg Config) (*Frontend, error) {
	cfg.EnsureDefaults()
	f := &Frontend{cfg: cfg, pool: plandb.NewPool(plandb.Config{InstancesMax: cfg.PoolMax}),
		catalogs: plandb.NewPool(plandb.Config{InstancesMax: 1}), cache: newCache(cfg.CacheEntries, cfg.CacheBytes)}
	ctx := context.Background()
	var err error
	if f.functions, err = loadFunctions(ctx, f.pool); err == nil {
		f.local, err = duck.Open(duck.Config{Threads: 1, MemoryBytes: evaluateMemory})
	}
	if err != nil {
		f.pool.Close()
		return nil, qerr.Wrap(qerr.Internal, "open the planner", err)
	}
	if err := f.selfTest(ctx); err != nil {
		f.textOnly = "the planner's self-test failed"
		cfg.Log.Error().Err(err).Msg("self-test of the planner failed: every statement runs as one fragment")
	}
	return f, nil
}

// Close ends the planner and waits for everything it started; idempotent.
func (f *Frontend) Close() error {
	f.pool.Close()
	f.catalogs.Close()
	return f.local.Close()
}

// Rest frees what the evaluator of local statements remembers of finished ones, unless one is under way, and reports whether it did.
// Planning databases remember nothing.
func (f *Frontend) Rest() bool { return f.local.Rest() }

// onInstance runs work over a planning database of the request's snapshot for at most limit; waiting for a free one does
// not count. It returns the cause errPlanDeadline inside of an *plandb.Abandoned when the limit was reached: the work is left
// behind then, and must not write to what others read.
func (f *Frontend) onInstance(ctx context.Context, r *Request, limit time.Duration, work func(in *plandb.Instance) error) error {
	in, err := f.instance(ctx, f.pool, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errPlanDeadline)
	defer cancel()
	err = f.pool.Do(ctx, in, func() error { return work(in) })
	if !abandoned(err) {
		f.pool.Put(in)
	}
	return err
}

// instance waits for a planning database.
func (f *Frontend) instance(ctx context.Context, pool *plandb.Pool, r *Request) (*plandb.Instance, error) {
	return f.instanceOf(ctx, pool, r, versionOf(r.Snapshot))
}

// instanceOf is instance for what a version of the snapshot has become.
func (f *Frontend) instanceOf(ctx context.Context, pool *plandb.Pool, r *Request, version string) (*plandb.Instance, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, waitMax, qerr.New(qerr.Resource,
		"the planner is busy: no planning database came free within %s; try again later", waitMax))
	defer cancel()
	return pool.Get(ctx, version, requestCatalogs(r))
}

func abandoned(err error) bool {
	var left *plandb.Abandoned
	return errors.As(err, &left)
}

func requestCatalogs(r *Request) []string {
	if r.Snapshot == nil {
		return []string{settings.DefaultCatalog}
	}
	return catalogsOf(r.Snapshot)
}
