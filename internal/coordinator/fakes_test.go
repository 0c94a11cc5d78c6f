package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// fakeFrontend knows three statements: "scan" (one stage over all files), "group" (stages), and everything else, which is
// local. Commands are recognised by their first word.
type fakeFrontend struct {
	evaluated func(sql string) error // nil = fine
}

func (f *fakeFrontend) Classify(sql string) (frontend.Command, error) {
	word, rest, _ := strings.Cut(sql, " ")
	switch word {
	case "SET":
		name, value, _ := strings.Cut(rest, "=")
		return frontend.Command{Kind: frontend.KindSet, Name: name, Value: value}, nil
	case "RESET":
		return frontend.Command{Kind: frontend.KindReset, Name: rest}, nil
	case "USE":
		return frontend.Command{Kind: frontend.KindUse, Schema: rest}, nil
	case "KILL":
		return frontend.Command{Kind: frontend.KindKill, QueryID: ids.QueryID(rest)}, nil
	case "EXPLAIN":
		return frontend.Command{Kind: frontend.KindExplain, SQL: rest}, nil
	case "ANALYZE":
		return frontend.Command{Kind: frontend.KindExplainAnalyze, SQL: rest}, nil
	case "BEGIN":
		return frontend.Command{Kind: frontend.KindBegin}, nil
	case "BAD":
		return frontend.Command{}, qerr.New(qerr.User, "no such statement")
	}
	return frontend.Command{Kind: frontend.KindQuery, SQL: sql}, nil
}

// filesTable has n files of one row group each.
func filesTable(n int) *table.Table {
	t := &table.Table{Name: table.Name{Catalog: "arbalest", Schema: "main", Table: "t"}, Format: table.Parquet,
		Columns: []table.Column{column("k", table.BigInt)}, Rows: int64(n), RowsExact: true}
	for i := range n {
		t.Files = append(t.Files, table.File{Path: fmt.Sprintf("/data/t/%d.parquet", i), Size: 1 << 20, ModTime: 1, Rows: 1,
			RowGroups: []table.RowGroup{{Rows: 1, Bytes: []int64{1 << 20}}}})
	}
	return t
}

func (f *fakeFrontend) Plan(_ context.Context, r frontend.Request) (*frontend.Planned, error) {
	scan := &operator.Scan{Table: filesTable(8), Columns: []int{0}}
	bigint := table.Of(table.BigInt)
	switch {
	case strings.HasPrefix(r.SQL, "scan"):
		cols := []table.Column{column("k", table.BigInt)}
		return &frontend.Planned{Statement: distplan.Statement{Tree: scan, Columns: cols}, Columns: cols}, nil
	case strings.HasPrefix(r.SQL, "group"):
		cols := []table.Column{column("k", table.BigInt), column("n", table.BigInt)}
		tree := &operator.Aggregate{Child: scan, Groups: []expr.Expr{&expr.Ref{Result: bigint}},
			Aggregates: []*expr.Aggregate{{Name: "count_star", Result: bigint}}}
		return &frontend.Planned{Statement: distplan.Statement{Tree: tree, Columns: cols}, Columns: cols}, nil
	case strings.HasPrefix(r.SQL, "sys."):
		t, err := r.System(strings.TrimPrefix(r.SQL, "sys."))
		if err != nil {
			return nil, err
		}
		return &frontend.Planned{Local: true, LocalSQL: fmt.Sprint(t.Inline), Columns: t.Columns}, nil
	case r.SQL == "wrong":
		return nil, qerr.New(qerr.User, "no such column")
	}
	return &frontend.Planned{Local: true, LocalSQL: r.SQL, Columns: []table.Column{column("x", table.BigInt)}}, nil
}

func (f *fakeFrontend) Describe(context.Context, frontend.Request) (*frontend.Description, error) {
	return &frontend.Description{}, nil
}

// Evaluate gives a row of NULLs for any statement.
func (f *fakeFrontend) Evaluate(_ context.Context, sql string, cols []table.Column, zone string) (flightx.Reader, error) {
	if f.evaluated != nil {
		if err := f.evaluated(sql); err != nil {
			return nil, err
		}
	}
	return oneRow(arrowtype.ClientSchema(cols, zone)), nil
}

func oneRow(schema *arrow.Schema) flightx.Reader {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, field := range b.Fields() {
		field.AppendNull()
	}
	return flightx.Batches(schema, b.NewRecordBatch())
}

// A fakeWorker is a control service that notes what it is told and reports what the test says.
type fakeWorker struct {
	pb.UnimplementedTasksServer
	record   *pb.WorkerRecord
	server   *grpc.Server
	listener *bufconn.Listener

	created  chan *pb.TaskSpec
	released chan string
	causes   chan error // of released
	canceled chan *pb.CancelRequest

	mu        sync.Mutex
	createErr func() error
	relErr    func() error
	watchers  map[chan *pb.WatchEvent]struct{}
	mute      bool                           // Watch says nothing at all
	refused   int                            // calls to another life
	has       func(*pb.TaskKey) pb.TaskState // what there is of a task that a successor asks for
	proxied   bool                           // coordinators have read its results
}

// Succeed answers with what the test says that the worker has.
func (w *fakeWorker) Succeed(_ context.Context, r *pb.SucceedRequest) (*pb.SucceedReply, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	reply := &pb.SucceedReply{}
	for _, q := range r.GetQueries() {
		for _, key := range q.GetKeep() {
			if w.has != nil && w.has(key) != pb.TaskState_TASK_STATE_UNSPECIFIED {
				reply.Tasks = append(reply.Tasks, &pb.TaskEvent{Key: key, State: w.has(key), Proxied: w.proxied && key.GetStage() == 1})
			}
		}
	}
	return reply, nil
}

func (w *fakeWorker) Create(_ context.Context, r *pb.CreateRequest) (*pb.CreateReply, error) {
	w.mu.Lock()
	fault := w.createErr
	w.mu.Unlock()
	if fault != nil {
		if err := fault(); err != nil {
			return nil, grpcerr.ToStatus(err)
		}
	}
	if err := w.meant(r.GetIncarnation()); err != nil {
		return nil, err
	}
	w.created <- r.GetTask()
	return &pb.CreateReply{}, nil
}

// meant refuses calls to another life, as workers do.
func (w *fakeWorker) meant(incarnation string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if incarnation == "" || incarnation == w.record.GetIncarnation() {
		return nil
	}
	w.refused++
	return grpcerr.ToStatus(qerr.New(qerr.Fenced, "this is another life"))
}

// restart begins another life at the same address: its control streams break. The membership does not hear of it.
func (w *fakeWorker) restart() {
	w.mu.Lock()
	w.record = proto.CloneOf(w.record)
	w.record.Incarnation += "+"
	w.mu.Unlock()
	w.tell(nil)
}

func (w *fakeWorker) refusals() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused
}

func (w *fakeWorker) Release(_ context.Context, r *pb.ReleaseRequest) (*pb.ReleaseReply, error) {
	w.mu.Lock()
	fault := w.relErr
	w.mu.Unlock()
	if fault != nil {
		if err := fault(); err != nil {
			return nil, grpcerr.ToStatus(err)
		}
	}
	if r.GetCause() == nil {
		w.causes <- nil
	} else {
		w.causes <- grpcerr.FromProto(r.GetCause())
	}
	w.released <- r.GetQueryId()
	return &pb.ReleaseReply{}, nil
}

func (w *fakeWorker) Cancel(_ context.Context, r *pb.CancelRequest) (*pb.CancelReply, error) {
	w.canceled <- r
	return &pb.CancelReply{}, nil
}

func (w *fakeWorker) Watch(r *pb.WatchRequest, stream pb.Tasks_WatchServer) error {
	if err := w.meant(r.GetIncarnation()); err != nil {
		return err
	}
	events := make(chan *pb.WatchEvent, 100)
	w.mu.Lock()
	w.watchers[events] = struct{}{}
	mute := w.mute
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.watchers, events)
		w.mu.Unlock()
	}()
	if !mute {
		if err := stream.Send(&pb.WatchEvent{Load: &pb.WorkerLoad{}}); err != nil {
			return err
		}
	}
	for {
		select {
		case e := <-events:
			if e == nil {
				return errors.New("the watch was broken")
			}
			if err := stream.Send(e); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}

// tell sends an event to every watcher; nil breaks their streams.
func (w *fakeWorker) tell(e *pb.WatchEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for events := range w.watchers {
		events <- e
	}
}

func (w *fakeWorker) report(key *pb.TaskKey, state pb.TaskState, change ...func(*pb.TaskEvent)) {
	e := &pb.TaskEvent{Key: key, State: state}
	for _, c := range change {
		c(e)
	}
	w.tell(&pb.WatchEvent{Task: e})
}

// fakeClients reaches fake workers by their address.
type fakeClients struct {
	mu    sync.Mutex
	conns map[string]*grpc.ClientConn
	calls map[string]string // what was done last with an address: "connected" or "dropped"
	hold  chan struct{}     // connecting waits until it is closed; nil = not at all
	open  func(address string) (flightx.Reader, error)
}

func (c *fakeClients) Conn(address string, _ bool) (grpc.ClientConnInterface, error) {
	if c.hold != nil {
		<-c.hold
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[address] = "connected"
	conn, ok := c.conns[address]
	if !ok {
		return nil, qerr.New(qerr.Unavailable, "no worker at %s", address)
	}
	return conn, nil
}

func (c *fakeClients) Drop(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[address] = "dropped"
}

func (c *fakeClients) last(address string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[address]
}

func (c *fakeClients) Open(_ context.Context, address string, _ bool, _ []byte) (flightx.Reader, error) {
	return c.open(address)
}

func (f *fakeFrontend) Definition(context.Context, *frontend.Write) ([]table.Column, error) {
	return nil, qerr.New(qerr.Unsupported, "no definitions here")
}
