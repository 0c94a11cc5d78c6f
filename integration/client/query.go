package client

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"golang.org/x/sync/errgroup"
)

// A Result is a whole result, read from all its endpoints.
type Result struct {
	Schema  *arrow.Schema
	Batches []arrow.RecordBatch // in the order of the endpoints
	Parts   []Part              // one an endpoint
	QueryID string              // the server's name for the query, from FlightInfo.app_metadata
	Elapsed time.Duration       // from the statement's sending to the last row
}

// A Part is what one endpoint gave.
type Part struct {
	Location string // where it was read; "" = at the door
	Rows     int64
	Batches  []arrow.RecordBatch // the same batches as in Result, borrowed
	Refused  []error             // why earlier locations gave no schema
}

// Rows adds up the rows of all parts.
func (r *Result) Rows() int64 {
	var n int64
	for _, p := range r.Parts {
		n += p.Rows
	}
	return n
}

// Release gives the batches back.
func (r *Result) Release() {
	for _, b := range r.Batches {
		b.Release()
	}
	r.Batches = nil
}

// Query runs a statement and reads its whole result.
func (s *Session) Query(ctx context.Context, sql string) (*Result, error) {
	start := time.Now()
	info, err := s.SQL.Execute(ctx, sql)
	if err != nil {
		return nil, err
	}
	r, err := s.Read(ctx, info)
	if err != nil {
		return nil, err
	}
	r.Elapsed = time.Since(start)
	return r, nil
}

// Exec runs a statement for its effect.
func (s *Session) Exec(ctx context.Context, sql string) error {
	r, err := s.Query(ctx, sql)
	if err != nil {
		return err
	}
	r.Release()
	return nil
}

// Read reads every endpoint of a result, all at once, and checks each stream's schema against the announced one.
func (s *Session) Read(ctx context.Context, info *flight.FlightInfo) (*Result, error) {
	r := &Result{QueryID: string(info.GetAppMetadata()), Parts: make([]Part, len(info.GetEndpoint()))}
	var err error
	if r.Schema, err = flight.DeserializeSchema(info.GetSchema(), nil); err != nil {
		return nil, fmt.Errorf("schema of FlightInfo: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, endpoint := range info.GetEndpoint() {
		group.Go(func() error {
			return s.ReadEndpoint(ctx, endpoint, &r.Parts[i], func(reader *flight.Reader) error {
				if !reader.Schema().Equal(r.Schema) {
					return fmt.Errorf("endpoint %d sends %s, FlightInfo announced %s", i, reader.Schema(), r.Schema)
				}
				return nil
			}, nil)
		})
	}
	err = group.Wait()
	for _, p := range r.Parts {
		r.Batches = append(r.Batches, p.Batches...)
	}
	if err != nil {
		r.Release()
		return nil, err
	}
	return r, nil
}

// ReadEndpoint reads one endpoint into part, at the first of its locations that gives the schema. opened sees the reader
// when the schema has come; each, when not nil, sees every batch instead of part keeping it, and ends the reading by an error.
func (s *Session) ReadEndpoint(ctx context.Context, endpoint *flight.FlightEndpoint, part *Part,
	opened func(*flight.Reader) error, each func(arrow.RecordBatch) error,
) error {
	ctx, cancel := context.WithCancel(ctx) // ends the stream when we return early
	defer cancel()
	ways, err := s.ways(ctx, endpoint)
	if err != nil {
		return err
	}
	var reader *flight.Reader
	for _, at := range ways {
		part.Location = at.location
		if reader, err = at.client.DoGet(ctx, endpoint.GetTicket()); err == nil || ctx.Err() != nil {
			break
		}
		part.Refused = append(part.Refused, err)
	}
	if err != nil {
		return err
	}
	defer reader.Release()
	if opened != nil {
		if err := opened(reader); err != nil {
			return err
		}
	}
	for reader.Next() {
		batch := reader.RecordBatch()
		part.Rows += batch.NumRows()
		if each != nil {
			if err := each(batch); err != nil {
				return err
			}
			continue
		}
		batch.Retain()
		part.Batches = append(part.Batches, batch)
	}
	return reader.Err()
}
