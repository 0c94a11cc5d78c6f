package frontend

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Evaluate runs a local statement (Planned.LocalSQL) in a sandboxed database and streams its rows in the client schema of
// cols. The caller closes the reader. Reading it takes at most ten minutes; then Next fails with Deadline.
func (f *Frontend) Evaluate(ctx context.Context, sql string, cols []table.Column, timeZone string) (flightx.Reader, error) {
	s, err := f.local.Stream(ctx, duck.Job{SQL: sql, TimeZone: timeZone, Columns: cols})
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "evaluate statement", err)
	}
	return &bounded{Reader: s, deadline: time.Now().Add(evaluateMax)}, nil
}

// bounded is a reader with a deadline.
type bounded struct {
	flightx.Reader
	deadline time.Time
}

// errEvaluate is the cause when a local statement took too long.
var errEvaluate = qerr.New(qerr.Deadline, "a statement that scans no table may take at most %s", evaluateMax)

// Next implements flightx.Reader.
func (b *bounded) Next(ctx context.Context) (arrow.RecordBatch, error) {
	ctx, cancel := context.WithDeadlineCause(ctx, b.deadline, errEvaluate)
	defer cancel()
	return b.Reader.Next(ctx)
}
