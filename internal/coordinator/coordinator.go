package coordinator

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Coordinator plans and supervises queries. All methods may be called concurrently.
type Coordinator struct {
	cfg       Config
	registry  *registry
	admission *gate
	links     *links
	metrics   *metrics
	// group runs what follows the cluster and what is under way for queries; releaseCalls tells workers of ends, and outlives
	// group by the time of one call.
	group        *group
	releaseCalls *group
	releases     releases
	owed         owed
	turn         atomic.Uint64 // of the next plan with a single task
	localBytes   atomic.Int64  // of statements held to be answered here

	ledgerAway atomic.Int64 // Unix milliseconds until which no record is written, since the store did not answer
	fallen     atomic.Bool  // another coordinator has taken over

	closing   sync.Once
	closeDone chan struct{}
}

// New returns a coordinator that follows its cluster's membership until Close.
func New(cfg Config) (*Coordinator, error) {
	cfg.EnsureDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "configure coordinator", err)
	}
	c := &Coordinator{cfg: cfg, group: newGroup(), releaseCalls: newGroup(), metrics: newMetrics(), closeDone: make(chan struct{})}
	c.registry = newRegistry(cfg.Limits.LiveMax, cfg.Limits.EndedMax)
	c.admission = newGate(&c.cfg)
	c.links = newLinks(c)
	c.group.run(c.followMembers)
	c.group.run(c.keepTime)
	if c.cfg.Ledger != nil {
		c.group.run(c.followLives)
	}
	return c, nil
}

// Drain refuses further queries, with a status that clients may retry elsewhere, and waits until those there are have ended
// (read, cancelled, failed or expired) or ctx does; then it returns ctx's cause. Rows of temporary tables are not waited for: they
// end with their sessions, and those with the coordinator. Close follows.
func (c *Coordinator) Drain(ctx context.Context) error {
	c.registry.close()
	select {
	case <-c.registry.empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close cancels every query, tells the workers as far as they answer within the call timeout, and waits for everything
// that the coordinator runs. Idempotent.
func (c *Coordinator) Close() error {
	c.closing.Do(func() {
		defer close(c.closeDone)
		c.registry.close()
		for _, q := range c.registry.live() {
			q.Cancel(qerr.New(qerr.Cancelled, "the coordinator is stopping"))
		}
		c.group.close(errStopping)
		c.releaseCalls.drain(c.cfg.Limits.CallTimeout, errStopping)
	})
	<-c.closeDone
	return nil
}

var errStopping = qerr.New(qerr.Unavailable, "the coordinator is stopping; send the statement again, to another one or later")

// Query finds a query by its id: a live one, or one of the last that ended.
func (c *Coordinator) Query(id ids.QueryID) (*Query, bool) { return c.registry.find(id) }

// keepTime gives the state machines their time. Timers per query would be exact to the millisecond, and cost one a query;
// deadlines of seconds do not need that.
func (c *Coordinator) keepTime(ctx context.Context) {
	ticker := time.NewTicker(c.cfg.Limits.TickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.tick()
		}
	}
}

// tick lets time pass for every live query.
func (c *Coordinator) tick() {
	now := c.cfg.Now()
	for _, q := range c.registry.live() {
		q.step(lifecycle.Tick{Now: now})
		if q.starved() { // a worker that came before the query had begun is none that it heard of
			q.offer(c.links.usableOrWait(nil))
		}
	}
}

// newID makes a random id: 26 characters, sorted by nothing, unique for ever.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }
