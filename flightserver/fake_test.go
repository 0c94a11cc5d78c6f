package flightserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// fakeQueries stands in for the coordinator where a test must decide when something happens. Its statements:
//
//	rows N M        M endpoints of N rows each, numbered through
//	params ? ? …    one row: the parameters
//	wide N          one endpoint with one row of N bytes in each of 4 rows
//	SET name value  as the coordinator does it
//	block           is not placed before it is cancelled or let go
//	stall           one endpoint that yields a row and then nothing
//	fail, late, panic, ddl  end in an error of that sort
type fakeQueries struct {
	keys *auth.Keyring
	name string          // as handles name it
	heir map[string]bool // the coordinators whose sessions it goes on with; guarded by mu

	mu      sync.Mutex
	queries map[ids.QueryID]*fakeQuery
	// submitted are all statements, in order.
	submitted []coordinator.Request
	readers   int // open ones
	// others gives the connection to another coordinator; nil: there are none.
	others func(at coordinator.Place) (grpc.ClientConnInterface, error)
	// mem is where batches are made.
	mem memory.Allocator
}

func newFakeQueries(keys *auth.Keyring, mem memory.Allocator) *fakeQueries {
	return &fakeQueries{keys: keys, name: "here", queries: map[ids.QueryID]*fakeQuery{}, mem: mem}
}

type fakeQuery struct {
	f      *fakeQueries
	id     ids.QueryID
	schema *arrow.Schema
	make   func(endpoint int) []arrow.RecordBatch
	stall  bool
	ready  chan struct{}
	// cancelled is closed by the first Cancel.
	cancelled chan struct{}
	promised  atomic.Int64
	unsafe    atomic.Bool // no promise can be made

	mu    sync.Mutex
	state coordinator.QueryState
}

func (q *fakeQuery) ID() ids.QueryID       { return q.id }
func (q *fakeQuery) Schema() *arrow.Schema { return q.schema }
func (q *fakeQuery) Ordered() bool         { return len(q.state.Endpoints) > 1 }

func (q *fakeQuery) Ready(ctx context.Context) error {
	select {
	case <-q.ready:
	case <-ctx.Done():
		return qerr.Wrap(qerr.Cancelled, "wait", ctx.Err())
	}
	return q.State().Err
}

func (q *fakeQuery) State() coordinator.QueryState {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.state
}

func (q *fakeQuery) Cancel(cause error) { q.end(cause) }

func (q *fakeQuery) Promise(context.Context) error {
	q.promised.Add(1)
	if q.unsafe.Load() {
		return qerr.New(qerr.Unavailable, "ask again")
	}
	return nil
}

func (q *fakeQuery) end(cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state.Err == nil {
		q.state.Err = cause
		close(q.cancelled)
	}
	if !q.state.Complete {
		q.state.Complete = true
		close(q.ready)
	}
}

// place gives the query n endpoints.
func (q *fakeQuery) place(n int, subject string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range n {
		ticket, err := q.f.keys.SignTicket(&pb.Ticket{Audience: pb.Audience_AUDIENCE_RESULT, Subject: subject,
			Key: &pb.TaskKey{QueryId: string(q.id), Task: uint32(i), Attempt: 1}, ExpiresUnixMs: time.Now().Add(time.Hour).UnixMilli()})
		if err != nil {
			panic(err)
		}
		q.state.Endpoints = append(q.state.Endpoints, coordinator.Endpoint{Ticket: ticket, Rows: -1, Bytes: -1})
	}
	q.state.Complete, q.state.Progress = true, 1
	close(q.ready)
}

var numberSchema = arrowtype.ClientSchema([]table.Column{{Name: "n", Type: table.Of(table.BigInt)}}, "UTC")

func (f *fakeQueries) Submit(_ context.Context, r coordinator.Request) (Query, error) {
	q := &fakeQuery{f: f, schema: numberSchema, ready: make(chan struct{}), cancelled: make(chan struct{})}
	q.state.Settings, q.state.Changed = r.Settings, -1
	words := strings.Fields(r.SQL)
	endpoints := 1
	switch words[0] {
	case "rows":
		var n int
		if _, err := fmt.Sscan(r.SQL[len("rows"):], &n, &endpoints); err != nil || max(n, endpoints) > 1000 || min(n, endpoints) < 0 {
			return nil, qerr.New(qerr.User, "rows N M: %v", err) // A fuzzer asks for anything.
		}
		q.make = func(e int) []arrow.RecordBatch { return []arrow.RecordBatch{f.numbers(e*n, n)} }
	case "wide":
		var n int
		if _, err := fmt.Sscan(r.SQL[len("wide"):], &n); err != nil || n < 0 || n > 4<<20 {
			return nil, qerr.New(qerr.User, "wide N: %v", err)
		}
		q.schema = arrowtype.ClientSchema([]table.Column{{Name: "s", Type: table.Of(table.Varchar)}}, "UTC")
		q.make = func(int) []arrow.RecordBatch { return []arrow.RecordBatch{f.texts(q.schema, n)} }
	case "params":
		q.schema = parameterResult(r)
		var row arrow.RecordBatch
		if r.Params != nil {
			row = array.NewRecordBatch(q.schema, r.Params.Columns(), r.Params.NumRows())
		}
		q.make = func(int) []arrow.RecordBatch { return []arrow.RecordBatch{row} }
	case "SET":
		if len(words) < 3 {
			return nil, qerr.New(qerr.User, "SET name value")
		}
		values, err := r.Settings.Set(words[1], words[2])
		if err != nil {
			return nil, err
		}
		q.state.Settings = values
		q.make = func(int) []arrow.RecordBatch { return nil }
	case "block":
		endpoints = -1
	case "stall":
		q.stall = true
		q.make = func(int) []arrow.RecordBatch { return []arrow.RecordBatch{f.numbers(0, 1)} }
	case "fail":
		return nil, &qerr.Error{Kind: qerr.User, Msg: "syntax error at or near \"fail\"", Position: 1}
	case "late":
		endpoints = -1
		q.end(qerr.New(qerr.IO, "file t.parquet vanished"))
	case "panic":
		panic("a fault in the planner")
	case "ddl":
		return nil, qerr.New(qerr.Unsupported, "CREATE TABLE is not supported yet")
	default:
		return nil, qerr.New(qerr.User, "unknown statement %q", r.SQL)
	}
	f.mu.Lock()
	f.submitted = append(f.submitted, r)
	q.id = ids.QueryID(fmt.Sprintf("q%d", len(f.submitted)))
	f.queries[q.id] = q
	f.mu.Unlock()
	if endpoints >= 0 {
		q.place(endpoints, r.User)
	}
	return q, nil
}

func parameterResult(r coordinator.Request) *arrow.Schema {
	fields := make([]arrow.Field, strings.Count(r.SQL, "?"))
	for i := range fields {
		fields[i] = arrow.Field{Name: fmt.Sprintf("p%d", i+1), Type: arrow.BinaryTypes.String, Nullable: true}
		if r.Params != nil {
			fields[i].Type = r.Params.Schema().Field(i).Type
		}
	}
	return arrow.NewSchema(fields, nil)
}

func (f *fakeQueries) Describe(_ context.Context, r coordinator.Request) (*frontend.Description, error) {
	switch {
	case strings.HasPrefix(r.SQL, "fail"):
		return nil, &qerr.Error{Kind: qerr.User, Msg: "syntax error", Position: 1}
	case strings.HasPrefix(r.SQL, "SET"):
		return &frontend.Description{IsUpdate: true}, nil
	case strings.HasPrefix(r.SQL, "params"):
		d := &frontend.Description{}
		for i, field := range parameterResult(r).Fields() {
			t, err := arrowtype.FromArrow(field.Type)
			if err != nil {
				return nil, err
			}
			d.Columns = append(d.Columns, table.Column{Name: field.Name, Type: t})
			d.Params = append(d.Params, table.Column{Name: fmt.Sprint(i + 1), Type: table.Of(table.Null)})
		}
		return d, nil
	}
	return &frontend.Description{Columns: []table.Column{{Name: "n", Type: table.Of(table.BigInt)}}}, nil
}

func (f *fakeQueries) ID() string { return f.name }

// Owner knows its own queries, and says of those of others that they are elsewhere.
func (f *fakeQueries) Owner(_ context.Context, id ids.QueryID, life string) (Query, coordinator.Place, error) {
	if q := f.find(id); q != nil {
		return q, coordinator.Place{}, nil
	}
	if life != f.ID() && f.others != nil {
		return nil, coordinator.Place{Address: life}, nil
	}
	return nil, coordinator.Place{}, qerr.New(qerr.NotFound, "query %s is over and forgotten", id)
}

// Home knows its own sessions, and says of those of others that they are elsewhere.
func (f *fakeQueries) Home(_ context.Context, life string) (here bool, at coordinator.Place, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if life == f.name || f.heir[life] {
		return true, coordinator.Place{}, nil
	}
	if f.others == nil {
		return false, coordinator.Place{}, qerr.New(qerr.Unauthenticated, "the session is over")
	}
	return false, coordinator.Place{Address: life}, nil
}

func (f *fakeQueries) While(ctx context.Context, _ coordinator.Place) (context.Context, func()) {
	return ctx, func() {}
}

func (f *fakeQueries) Reach(at coordinator.Place) (grpc.ClientConnInterface, error) {
	return f.others(at)
}

func (f *fakeQueries) Ingest(context.Context, coordinator.Request, coordinator.Ingest, flightx.Reader) (int64, error) {
	return 0, qerr.New(qerr.Unsupported, "no tables here")
}

func (f *fakeQueries) Renew([]byte, string) (coordinator.Endpoint, error) {
	return coordinator.Endpoint{}, qerr.New(qerr.User, "read once")
}

func (f *fakeQueries) find(id ids.QueryID) *fakeQuery {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queries[id]
}

// last is the statement submitted last.
func (f *fakeQueries) last() (coordinator.Request, *fakeQuery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.submitted)
	return f.submitted[n-1], f.queries[ids.QueryID(fmt.Sprintf("q%d", n))]
}

func (f *fakeQueries) openReaders() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readers
}

func (f *fakeQueries) Open(_ context.Context, ticket []byte, subject string) (flightx.Reader, error) {
	t, err := f.keys.VerifyTicket(ticket, time.Now())
	if err != nil {
		return nil, err
	}
	q := f.find(ids.QueryID(t.GetKey().GetQueryId()))
	if q == nil || t.GetSubject() != subject {
		return nil, qerr.New(qerr.NotFound, "there is no such result for this user")
	}
	f.mu.Lock()
	f.readers++
	f.mu.Unlock()
	return &fakeReader{Reader: flightx.Batches(q.schema, q.make(int(t.GetKey().GetTask()))...), q: q}, nil
}

type fakeReader struct {
	flightx.Reader
	q    *fakeQuery
	once sync.Once
}

func (r *fakeReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, err := r.Reader.Next(ctx)
	if r.q.stall && errors.Is(err, io.EOF) {
		select {
		case <-ctx.Done():
			return nil, qerr.Wrap(qerr.Cancelled, "read", ctx.Err())
		case <-r.q.cancelled:
			return nil, r.q.State().Err
		}
	}
	return batch, err
}

func (r *fakeReader) Close() error {
	r.once.Do(func() {
		r.q.f.mu.Lock()
		r.q.f.readers--
		r.q.f.mu.Unlock()
	})
	return r.Reader.Close()
}

func (f *fakeQueries) SystemTable(name string) (*table.Table, error) {
	return &table.Table{Columns: []table.Column{{Name: "name", Type: table.Of(table.Varchar)}}}, nil
}

func (f *fakeQueries) numbers(from, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(f.mem, numberSchema)
	defer b.Release()
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(from + i))
	}
	return b.NewRecordBatch()
}

func (f *fakeQueries) texts(schema *arrow.Schema, bytes int) arrow.RecordBatch {
	b := array.NewRecordBuilder(f.mem, schema)
	defer b.Release()
	for range 4 {
		b.Field(0).(*array.StringBuilder).Append(strings.Repeat("x", bytes))
	}
	return b.NewRecordBatch()
}

// A memoryDriver lists tables that a test makes up.
type memoryDriver struct {
	catalog string
	tables  map[table.Name]func() (*table.Table, error)
}

func (d *memoryDriver) Catalog() string     { return d.catalog }
func (d *memoryDriver) Locations() []string { return nil }
func (d *memoryDriver) Close() error        { return nil }

func (d *memoryDriver) List(context.Context) (driver.Listing, error) {
	l := driver.Listing{}
	seen := map[string]bool{}
	for name, load := range d.tables {
		if !seen[name.Schema] {
			l.Schemas = append(l.Schemas, name.Schema)
		}
		seen[name.Schema] = true
		l.Entries = append(l.Entries, driver.Entry{Name: name, Version: "1", Load: func(context.Context) (*table.Table, error) { return load() }})
	}
	return l, nil
}
