package testcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// Settings returns the defaults with the named options changed, for Submit.
func Settings(t testing.TB, changes map[string]any) settings.Values {
	t.Helper()
	values := settings.Defaults()
	for name, value := range changes {
		var err error
		if values, err = values.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

// Submit gives a statement to the coordinator.
func (c *Cluster) Submit(t testing.TB, sql string, change ...func(*coordinator.Request)) (*coordinator.Query, error) {
	t.Helper()
	r := coordinator.Request{SQL: sql, Settings: settings.Defaults()}
	for _, f := range change {
		f(&r)
	}
	return c.Coordinator.Submit(t.Context(), r)
}

// Run runs a statement to its end, reading each endpoint where its first location says, and returns its rows as text, one a
// row, in the order of the endpoints.
func (c *Cluster) Run(t testing.TB, sql string, change ...func(*coordinator.Request)) ([]string, error) {
	t.Helper()
	q, err := c.Submit(t, sql, change...)
	if err != nil {
		return nil, err
	}
	if err := q.Ready(t.Context()); err != nil {
		return nil, err
	}
	var rows []string
	for _, e := range q.State().Endpoints {
		some, err := c.ReadEndpoint(t.Context(), q.Schema(), e)
		if err != nil {
			q.Cancel(err)
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// Rows is Run for statements that must succeed.
func (c *Cluster) Rows(t testing.TB, sql string, change ...func(*coordinator.Request)) []string {
	t.Helper()
	rows, err := c.Run(t, sql, change...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

// Open opens an endpoint as a client does: at the worker that it names, or at the coordinator.
func (c *Cluster) Open(ctx context.Context, e coordinator.Endpoint) (flightx.Reader, error) {
	for _, n := range c.Workers {
		if slices.Contains(e.Locations, "grpc+tcp://"+n.Address) {
			return c.clients.Open(ctx, n.Address, false, e.Ticket)
		}
	}
	return c.Coordinator.Open(ctx, e.Ticket, "")
}

// ReadEndpoint reads an endpoint to its end; its schema must be the query's.
func (c *Cluster) ReadEndpoint(ctx context.Context, schema *arrow.Schema, e coordinator.Endpoint) ([]string, error) {
	reader, err := c.Open(ctx, e)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	if !reader.Schema().Equal(schema) {
		return nil, fmt.Errorf("the stream's schema is\n%v\nbut the query's is\n%v", reader.Schema(), schema)
	}
	var rows []string
	for {
		batch, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, Text(batch)...)
		batch.Release()
	}
}

// Text prints each row of a batch, values divided by |. The texts do not point into the batch.
func Text(batch arrow.RecordBatch) []string {
	rows := make([]string, batch.NumRows())
	for i := range rows {
		for k := range int(batch.NumCols()) {
			if k > 0 {
				rows[i] += "|"
			}
			if column := batch.Column(k); column.IsNull(i) {
				rows[i] += "NULL"
			} else {
				rows[i] += column.ValueStr(i)
			}
		}
		rows[i] = strings.Clone(rows[i]) // the text of a lone string column is the batch's own memory
	}
	return rows
}
