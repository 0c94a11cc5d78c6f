package flightx

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// ahead reads a Reader one batch ahead of its taker, so that the source works while a batch is on its way. Until begin it reads
// when it is asked.
type ahead struct {
	reader  Reader
	cancel  context.CancelCauseFunc
	ctx     context.Context //nolint:containedctx // lives exactly as long as the Send that made it
	batches chan read       // nil until begin
}

type read struct {
	batch arrow.RecordBatch
	err   error
}

// readAhead prepares it; the caller stops it.
func readAhead(ctx context.Context, r Reader) *ahead {
	ctx, cancel := context.WithCancelCause(ctx)
	return &ahead{reader: r, ctx: ctx, cancel: cancel}
}

// next returns the next batch, which the caller owns, or the error that ended the reader.
func (a *ahead) next() (arrow.RecordBatch, error) {
	if a.batches == nil {
		return a.reader.Next(a.ctx)
	}
	got, more := <-a.batches
	if !more {
		// The reading ended because the context did, and must not pass for the end of the rows; or next was called after it.
		if a.ctx.Err() != nil {
			return nil, contextError(a.ctx)
		}
		return nil, io.EOF
	}
	return got.batch, got.err
}

// begin starts reading ahead, unless it was started.
func (a *ahead) begin() {
	if a.batches == nil {
		a.batches = make(chan read)
		go a.run()
	}
}

// run reads until an error or stop, and then closes the channel.
func (a *ahead) run() {
	defer close(a.batches)
	for {
		got := a.read()
		select {
		case a.batches <- got:
		case <-a.ctx.Done():
			if got.batch != nil {
				got.batch.Release()
			}
			return
		}
		if got.err != nil {
			return
		}
	}
}

// read makes a panic of the reader an error: in this goroutine no interceptor would catch it.
func (a *ahead) read() (got read) {
	defer func() {
		if p := recover(); p != nil {
			got = read{err: Recovered(p)}
		}
	}()
	batch, err := a.reader.Next(a.ctx)
	return read{batch, err}
}

// stop ends the reading and waits for it. The reader is left open, but may not be read on: a batch may be lost.
func (a *ahead) stop() {
	a.cancel(errClosed)
	if a.batches == nil {
		return
	}
	for got := range a.batches {
		if got.batch != nil {
			got.batch.Release()
		}
	}
}
