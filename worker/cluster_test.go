package worker

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests for something that must happen, a gigabyte through an exchange on a busy machine
// included.
const patience = 3 * time.Minute

// A cluster is some workers on loopback ports, each with an engine of its own, over one directory of files.
type cluster struct {
	t       *testing.T
	dir     string
	keys    *auth.Keyring
	clients *flightx.Clients // a coordinator's
	workers []*Worker
	engines []*duck.Engine
	servers []*grpc.Server
}

// newCluster starts n workers; the test's end stops them and checks that nothing is left. configure may be nil.
func newCluster(t *testing.T, n int, configure func(*Config)) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), keys: auth.GenerateKeyring()}
	c.clients = flightx.NewClients(flightx.ClientConfig{Keys: c.keys})
	for i := range n {
		c.start(i, configure)
	}
	t.Cleanup(func() {
		c.nothingLeft()
		_ = c.clients.Close()
	})
	return c
}

func (c *cluster) start(i int, configure func(*Config)) {
	t := c.t
	t.Helper()
	engine, err := duck.Open(duck.Config{Threads: 2, MemoryBytes: 512 << 20, DataLocations: []string{c.dir}})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clients := flightx.NewClients(flightx.ClientConfig{Keys: c.keys})
	cfg := Config{ID: ids.WorkerID(fmt.Sprintf("w%d", i+1)), Address: listener.Addr().String(), Engine: engine, Keys: c.keys,
		Clients: clients, Log: zerolog.Nop(), PingInterval: 20 * time.Millisecond, SweepInterval: 20 * time.Millisecond}
	if configure != nil {
		configure(&cfg)
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(flightx.ServerOptions(zerolog.Nop())...)
	w.Register(server)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	c.workers, c.engines, c.servers = append(c.workers, w), append(c.engines, engine), append(c.servers, server)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		server.Stop()
		<-served
		_ = clients.Close()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
}

// nothingLeft waits until no worker holds anything of any query.
func (c *cluster) nothingLeft() {
	c.t.Helper()
	for i, w := range c.workers {
		engine := c.engines[i]
		c.eventually(func() string {
			runtime.GC() // batches that a gRPC connection held when it broke
			u, e := w.Usage(), engine.Usage()
			u.Watchers = 0
			if u != (Usage{}) || e.Connections != 0 || e.Inputs != 0 || e.Batches != 0 || e.Bytes != 0 {
				return fmt.Sprintf("%s still holds %+v, its engine %+v", w.cfg.ID, u, e)
			}
			return ""
		})
	}
}

// eventually polls until check returns nothing, or fails with what it returned last.
func (c *cluster) eventually(check func() string) {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		text := check()
		if text == "" {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatal(text)
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
}

// ctx ends with the test's patience.
func (c *cluster) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c.t.Cleanup(cancel)
	return ctx
}

func (c *cluster) tasks(i int) pb.TasksClient {
	c.t.Helper()
	conn, err := c.clients.Conn(c.workers[i].cfg.Address, false)
	if err != nil {
		c.t.Fatal(err)
	}
	return pb.NewTasksClient(conn)
}

func (c *cluster) create(i int, spec *pb.TaskSpec) {
	c.t.Helper()
	if _, err := c.tasks(i).Create(c.ctx(), &pb.CreateRequest{Task: spec}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) release(query string) {
	c.t.Helper()
	for i := range c.workers {
		if _, err := c.tasks(i).Release(c.ctx(), &pb.ReleaseRequest{QueryId: query}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// ticket makes a ticket for a task at a worker; change may be nil.
func (c *cluster) ticket(i int, spec *pb.TaskSpec, change func(*pb.Ticket)) []byte {
	c.t.Helper()
	w := c.workers[i]
	t := &pb.Ticket{Audience: pb.Audience_AUDIENCE_RESULT, Key: spec.GetKey(), WorkerId: string(w.cfg.ID),
		Incarnation: string(w.cfg.Incarnation), Subject: "ada", Address: w.cfg.Address, ExpiresUnixMs: time.Now().Add(time.Hour).UnixMilli()}
	if change != nil {
		change(t)
	}
	b, err := c.keys.SignTicket(t)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func direct(spec *pb.TaskSpec) func(*pb.Ticket) { return func(t *pb.Ticket) { t.Task = spec } }

// open reads a ticket at a worker through Flight, as a coordinator's proxy does.
func (c *cluster) open(ctx context.Context, i int, ticket []byte) (flightx.Reader, error) {
	return c.clients.Open(ctx, c.workers[i].cfg.Address, false, ticket)
}

// rows opens a ticket and reads it whole, as text, sorted.
func (c *cluster) rows(i int, ticket []byte) []string {
	c.t.Helper()
	r, err := c.open(c.ctx(), i, ticket)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	rows, err := readAll(c.ctx(), r)
	if err != nil {
		c.t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

func readAll(ctx context.Context, r interface {
	Next(context.Context) (arrow.RecordBatch, error)
}) (rows []string, err error) {
	for {
		batch, err := r.Next(ctx)
		if flightx.AtEnd(err) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		for i := range int(batch.NumRows()) {
			var values []string
			for _, column := range batch.Columns() {
				values = append(values, column.ValueStr(i))
			}
			rows = append(rows, strings.Clone(strings.Join(values, "|"))) // a value may lie in the batch
		}
		batch.Release()
	}
}

// oracle runs a statement on one engine, over whole files.
func (c *cluster) oracle(sql string) []string {
	c.t.Helper()
	s, err := c.engines[0].Stream(c.ctx(), duck.Job{SQL: sql})
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	rows, err := readAll(c.ctx(), s)
	if err != nil {
		c.t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

// write makes a Parquet file of rows i = from … from+rows-1 with columns k = i % 1000, v = i, s = text; nulls among them.
func (c *cluster) write(name string, from, rows int) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "v", Type: arrow.PrimitiveTypes.Int64}, {Name: "a \"text\"", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for i := from; i < from+rows; i++ {
		if i%17 == 0 {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.Int64Builder).Append(int64(i % 1000))
		}
		b.Field(1).(*array.Int64Builder).Append(int64(i))
		b.Field(2).(*array.StringBuilder).Append(fmt.Sprintf("text of row %d", i))
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	c.writeParquet(path, batch)
	return path
}

// writeParquet makes a file of small row groups.
func (c *cluster) writeParquet(path string, batch arrow.RecordBatch) {
	c.t.Helper()
	file, err := os.Create(path)
	if err != nil {
		c.t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(batch.Schema(), file, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(2048)), pqarrow.DefaultWriterProps())
	if err != nil {
		c.t.Fatal(err)
	}
	if err := w.WriteBuffered(batch); err != nil {
		c.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) split(path string, keys ...*pb.Key) *pb.Split {
	c.t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return &pb.Split{Path: path, Size: info.Size(), ModTimeUnixNs: info.ModTime().UnixNano(), Rows: -1, Keys: keys}
}

func (c *cluster) cut(path string, first, rows int64) *pb.Split {
	s := c.split(path)
	s.FirstRow, s.Rows = first, rows
	return s
}

func scan(splits ...*pb.Split) *pb.Scan {
	return &pb.Scan{Name: "scan_0", Table: "t", Format: "parquet", Splits: splits, Columns: []*pb.Column{
		{Name: "k", Type: "BIGINT"}, {Name: "v", Type: "BIGINT"}, {Name: `a "text"`, Type: "VARCHAR"}}}
}

// task makes a task of one scan; types are its output's.
func task(query string, stage, index int, fragment string, s *pb.Scan, types ...string) *pb.TaskSpec {
	spec := &pb.TaskSpec{Key: &pb.TaskKey{QueryId: query, Stage: uint32(stage), Task: uint32(index), Attempt: 1}, Fragment: fragment,
		TimeZone: "UTC", DeadlineUnixMs: time.Now().Add(time.Hour).UnixMilli()}
	if s != nil {
		spec.Scans = []*pb.Scan{s}
	}
	for i, t := range types {
		spec.Output = append(spec.Output, &pb.Column{Name: fmt.Sprintf("c%d", i), Type: t})
	}
	return spec
}

// finished waits until a kept task has finished.
func (c *cluster) finished(i int, key *pb.TaskKey) {
	c.t.Helper()
	c.eventually(func() string {
		w := c.workers[i]
		w.mu.Lock()
		err := w.registry.Kept(keyFrom(key))
		w.mu.Unlock()
		if err == nil {
			return ""
		}
		if !qerr.Is(err, qerr.Unavailable) {
			c.t.Fatal(err)
		}
		return err.Error()
	})
}

func wantKind(t *testing.T, err error, kind qerr.Kind, texts ...string) {
	t.Helper()
	if err == nil || qerr.KindOf(err) != kind {
		t.Fatalf("error %v, of kind %v; want kind %v", err, qerr.KindOf(err), kind)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Fatalf("error %q; want %q in it", err, text)
		}
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%d rows, want %d; got %.300q, want %.300q", len(got), len(want), got, want)
	}
}
