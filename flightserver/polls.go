package flightserver

import (
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// polls are the queries started by PollFlightInfo that are not placed yet. Nobody holds a call open for them, so that each has
// a timer, which ends it when it is polled no more.
type polls struct {
	cfg *Config

	mu     sync.Mutex
	byID   map[ids.QueryID]*poll // guarded by mu
	closed bool                  // guarded by mu
}

type poll struct {
	query  Query
	owner  caller
	before settings.Values
	timer  *time.Timer
}

// pollsMax bounds the queries waiting to be polled; the coordinator's own limit on live queries stands before it.
const pollsMax = 16 << 10

func newPolls(cfg *Config) *polls { return &polls{cfg: cfg, byID: map[ids.QueryID]*poll{}} }

func (p *polls) add(q Query, owner caller, before settings.Values) (*poll, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.byID) >= pollsMax {
		return nil, qerr.New(qerr.Unavailable, "the server is shutting down, or has too many queries to poll")
	}
	entry := &poll{query: q, owner: owner, before: before}
	entry.timer = time.AfterFunc(p.cfg.PollIdleMax, func() { p.expire(q.ID()) })
	p.byID[q.ID()] = entry
	return entry, nil
}

func (p *polls) get(id ids.QueryID) *poll {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byID[id]
}

// touch gives a query its whole idle time again, and returns when it ends.
func (p *polls) touch(id ids.QueryID) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if entry := p.byID[id]; entry != nil {
		entry.timer.Reset(p.cfg.PollIdleMax)
	}
	return p.cfg.Now().Add(p.cfg.PollIdleMax)
}

func (p *polls) remove(id ids.QueryID) *poll {
	p.mu.Lock()
	defer p.mu.Unlock()
	entry := p.byID[id]
	if entry != nil {
		entry.timer.Stop()
		delete(p.byID, id)
	}
	return entry
}

func (p *polls) expire(id ids.QueryID) {
	if entry := p.remove(id); entry != nil {
		entry.query.Cancel(qerr.New(qerr.Cancelled, "the client has not polled the query for %s", p.cfg.PollIdleMax))
	}
}

func (p *polls) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byID)
}

func (p *polls) close() {
	p.mu.Lock()
	p.closed = true
	left := p.byID
	p.byID = map[ids.QueryID]*poll{}
	p.mu.Unlock()
	for _, entry := range left {
		entry.timer.Stop()
		entry.query.Cancel(qerr.New(qerr.Unavailable, "the server is shutting down"))
	}
}
