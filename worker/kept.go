package worker

import (
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/worker/exchange"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// keepResult runs a result task whose rows are to be read again and again: what a client would be sent goes into the store,
// in order, as one partition. It goes to disk from the start, as nobody knows how long it stays.
func (w *Worker) keepResult(r *run, p *prepared, outcome lifecycle.Outcome) (lifecycle.Outcome, error) {
	stream, err := w.cfg.Engine.Stream(r.ctx, p.job)
	if err != nil {
		return outcome, err
	}
	defer func() { _ = stream.Close() }()
	r.stream.Store(stream)
	output, err := w.store.Begin(r.id.Key, stream.Schema(), 1, true)
	if err != nil {
		return outcome, err
	}
	defer output.Abort()
	r.output.Store(output)
	for err == nil {
		var batch arrow.RecordBatch
		if batch, err = stream.Next(r.ctx); err == nil {
			err = output.Put(0, batch, flightx.BatchBytes(batch))
		}
	}
	if errors.Is(err, io.EOF) {
		err = checkFiles(r.ctx, r.spec.GetScans())
	}
	var stats exchange.Stats
	if err == nil {
		stats, err = output.Commit()
	}
	if err != nil {
		outcome.Rows, outcome.Bytes = output.Written()
		return outcome, err
	}
	outcome.Rows, outcome.Bytes, outcome.SpillBytes = stats.Rows, stats.Bytes, outcome.SpillBytes+stats.SpillBytes
	return outcome, nil
}

// openKept opens the result that a ticket names, if it is one that is kept; nil when it is not.
func (w *Worker) openKept(t *pb.Ticket) (flightx.Reader, error) {
	if t.GetTask() != nil {
		return nil, nil //nolint:nilnil // another kind of ticket
	}
	key := keyFrom(t.GetKey())
	w.mu.Lock()
	kept, err := w.registry.KeptResult(key)
	w.mu.Unlock()
	if !kept || err != nil {
		return nil, err
	}
	reader, err := w.store.Open(key, []uint32{0})
	if qerr.Is(err, qerr.NotFound) || err == nil && reader == nil {
		return nil, qerr.New(qerr.NotFound, "the result of task %s has expired; send the statement again", key)
	}
	if err != nil {
		return nil, err
	}
	return reader, nil
}
