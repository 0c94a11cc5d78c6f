package exchange

import (
	"sync"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Maker fills the batches that Writers are given. Those in the making are part of the budget of memory.
type Maker interface {
	// MakingBytes is what they take now.
	MakingBytes() int64
	// LimitMaking says how much they may take; past it the maker hands over what it has.
	LimitMaking(bytes int64)
}

// A budget counts bytes, of all queries and of each, against two limits.
type budget struct {
	// what is limited, for errors.
	what          string
	max, queryMax int64
	maker         Maker // nil when there is none

	mu      sync.Mutex
	used    int64                 // guarded by mu
	queries map[ids.QueryID]int64 // guarded by mu; only those that use something
}

func newBudget(what string, limit, queryMax int64, maker Maker) *budget {
	b := &budget{what: what, max: limit, queryMax: queryMax, maker: maker, queries: map[ids.QueryID]int64{}}
	b.tell()
	return b
}

// tell lets the maker know what is left. The caller holds mu, or is the only one.
func (b *budget) tell() {
	if b.maker != nil {
		b.maker.LimitMaking(b.max - b.used)
	}
}

// making is what the maker has.
func (b *budget) making() int64 {
	if b.maker == nil {
		return 0
	}
	return b.maker.MakingBytes()
}

// take books bytes, or fails with Resource.
func (b *budget) take(query ids.QueryID, bytes int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch own, making := b.queries[query], b.making(); {
	case b.used+making+bytes > b.max:
		return qerr.New(qerr.Resource, "%s of this worker is full: %d bytes more do not fit beside %d of %d", b.what, bytes, b.used+making, b.max)
	case own+bytes > b.queryMax:
		return qerr.New(qerr.Resource, "%s of one query is full: %d bytes more do not fit beside %d of %d", b.what, bytes, own, b.queryMax)
	}
	b.used += bytes
	b.queries[query] += bytes
	b.tell()
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
	b.tell()
}

func (b *budget) inUse() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
