package exchange

import (
	"sync"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A budget counts bytes, of all queries and of each, against two limits.
type budget struct {
	// what is limited, for errors.
	what          string
	max, queryMax int64

	mu      sync.Mutex
	used    int64                 // guarded by mu
	queries map[ids.QueryID]int64 // guarded by mu; only those that use something
}

func newBudget(what string, limit, queryMax int64) *budget {
	return &budget{what: what, max: limit, queryMax: queryMax, queries: map[ids.QueryID]int64{}}
}

// take books bytes, or fails with Resource.
func (b *budget) take(query ids.QueryID, bytes int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch own := b.queries[query]; {
	case b.used+bytes > b.max:
		return qerr.New(qerr.Resource, "%s of this worker is full: %d bytes more do not fit beside %d of %d", b.what, bytes, b.used, b.max)
	case own+bytes > b.queryMax:
		return qerr.New(qerr.Resource, "%s of one query is full: %d bytes more do not fit beside %d of %d", b.what, bytes, own, b.queryMax)
	}
	b.used += bytes
	b.queries[query] += bytes
	return nil
}

// give takes bytes off again.
func (b *budget) give(query ids.QueryID, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= bytes
	if b.queries[query] -= bytes; b.queries[query] == 0 {
		delete(b.queries, query)
	}
}

func (b *budget) inUse() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
