package duck

/*
#include "sink.h"
*/
import "C"

import (
	"runtime/cgo"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A taker hands the batches of one COPY from DuckDB's threads to the job's put.
type taker struct {
	importer importer
	put      func(partition int, batch arrow.RecordBatch, bytes int64) error

	mu  sync.Mutex
	err error // guarded by mu: the first fault
}

// arbalestTake is called by DuckDB's threads; see sink.h.
//
//export arbalestTake
func arbalestTake(handle C.uintptr_t, batch *C.ab_batch) C.int {
	t, ok := cgo.Handle(handle).Value().(*taker)
	if !ok || t.take(batch) != nil {
		return 1
	}
	return 0
}

func (t *taker) take(batch *C.ab_batch) (err error) {
	defer func() {
		if recover() != nil {
			// Nothing above this frame could: it is DuckDB's thread. What it was, put's own recover has to tell.
			err = qerr.New(qerr.Internal, "internal fault in taking a batch")
		}
		if err != nil {
			t.mu.Lock()
			if t.err == nil {
				t.err = err
			}
			t.mu.Unlock()
		}
	}()
	partition, bytes := int(batch.partition), int64(batch.bytes)
	return t.put(partition, t.importer.take(batch), bytes)
}

func (t *taker) fault() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// progress tells how far a job is, as long as its connection lives.
type progress struct {
	mu   sync.Mutex
	conn *conn // guarded by mu; nil when the job has ended
	last float64
}

func (p *progress) now() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		// Not all of its numbers grow: a plan with many pipelines may begin anew.
		p.last = max(p.last, min(float64(C.duckdb_query_progress(p.conn.handle).percentage)/100, 1))
	}
	return p.last
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn = nil
}
