package worker

import (
	"bytes"
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/worker/exchange"
)

// sentProducer gives the rows that came with a task like a producer's. They are decoded at once: a fault in them is nobody's that
// could run again.
func (w *Worker) sentProducer(spec *pb.TaskSpec, input *pb.ExchangeSource) (exchange.Producer, error) {
	producer := exchange.Producer{Key: keyFrom(spec.GetKey()), Worker: w.cfg.ID}
	reader, err := ipc.NewReader(bytes.NewReader(input.GetRows()), ipc.WithAllocator(memory.DefaultAllocator))
	if err != nil {
		return producer, qerr.Wrap(qerr.Internal, "read the rows of "+input.GetName(), err)
	}
	defer reader.Release()
	var batches []arrow.RecordBatch
	for reader.Next() {
		batch := reader.RecordBatch()
		batch.Retain()
		batches = append(batches, batch)
	}
	if err := reader.Err(); err != nil {
		return producer, qerr.Wrap(qerr.Internal, "read the rows of "+input.GetName(), err)
	}
	schema := reader.Schema()
	producer.Open = func(context.Context) (flightx.Reader, error) { return flightx.Batches(schema, batches...), nil }
	return producer, nil
}

// onlySent reports whether all inputs of a task came with it: they are in memory already, and go soon.
func onlySent(spec *pb.TaskSpec) bool {
	for _, input := range spec.GetInputs() {
		if len(input.GetRows()) == 0 {
			return false
		}
	}
	return true
}

const (
	// mergedRowsMax is how many rows small batches of a temporary table are put together to: as many as one vector of the engine has,
	// which a batch is cut into.
	mergedRowsMax = 2048
	// mergedBytesMax bounds them, as they are copied beside the budget.
	mergedBytesMax = 1 << 20
)

// merged puts small batches together, so that many short writes to a table are not as many vectors to whoever reads it, and as many
// batches to the client. The caller releases what it returns, and keeps what it gave.
func merged(batches []arrow.RecordBatch) ([]arrow.RecordBatch, error) {
	var out, small []arrow.RecordBatch
	rows, size := int64(0), int64(0)
	flush := func() error {
		if len(small) == 0 {
			return nil
		}
		batch, err := concatenated(small)
		if err != nil {
			return err
		}
		out, small, rows, size = append(out, batch), small[:0], 0, 0
		return nil
	}
	for _, batch := range batches {
		n, bytes := batch.NumRows(), flightx.BatchBytes(batch)
		if rows+n > mergedRowsMax || size+bytes > mergedBytesMax {
			if err := flush(); err != nil {
				return out, err
			}
		}
		small, rows, size = append(small, batch), rows+n, size+bytes
	}
	return out, flush()
}

// concatenated makes one batch of some; the caller owns it.
func concatenated(batches []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(batches) == 1 {
		batches[0].Retain()
		return batches[0], nil
	}
	rows := int64(0)
	for _, batch := range batches {
		rows += batch.NumRows()
	}
	columns := make([]arrow.Array, 0, batches[0].NumCols())
	defer func() {
		for _, column := range columns {
			column.Release()
		}
	}()
	for i := range int(batches[0].NumCols()) {
		parts := make([]arrow.Array, len(batches))
		for k, batch := range batches {
			parts[k] = batch.Column(i)
		}
		column, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			return nil, qerr.Wrap(qerr.Internal, "put batches together", err)
		}
		columns = append(columns, column)
	}
	return array.NewRecordBatch(batches[0].Schema(), columns, rows), nil
}
