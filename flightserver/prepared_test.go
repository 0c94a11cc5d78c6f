package flightserver

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

func prepareStatement(t testing.TB, c *flightsql.Client, sql string) *flightsql.PreparedStatement {
	t.Helper()
	p, err := c.Prepare(testContext(t), sql)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// integersBatch is a batch of one column.
func integersBatch(t testing.TB, values ...int64) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil))
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	r := b.NewRecordBatch()
	t.Cleanup(r.Release)
	return r
}

func run(t testing.TB, c *flightsql.Client, p *flightsql.PreparedStatement) []arrow.RecordBatch {
	t.Helper()
	info, err := p.Execute(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, c, info)
}

func TestPrepared(t *testing.T) {
	f := start(t, nil)
	// A client that keeps no session reaches its statements by their handles all the same.
	for name, c := range map[string]*flightsql.Client{"session": f.session(t), "forgetful": f.client(t)} {
		t.Run(name, func(t *testing.T) {
			p := prepareStatement(t, c, "params ?")
			if update, ok := p.IsUpdate(); update || !ok {
				t.Errorf("is_update %v, %v", update, ok)
			}
			if s := p.DatasetSchema(); s == nil || s.NumFields() != 1 {
				t.Errorf("dataset schema %v", s)
			}
			// A type that is not known is text, never null.
			if s := p.ParameterSchema(); s == nil || s.NumFields() != 1 || s.Field(0).Type.ID() != arrow.STRING {
				t.Errorf("parameter schema %v", s)
			}
			p.SetParameters(integersBatch(t, 42))
			if got := integers(run(t, c, p)); !slices.Equal(got, []int64{42}) {
				t.Errorf("got %v", got)
			}
			p.SetParameters(integersBatch(t, 43))
			if got := integers(run(t, c, p)); !slices.Equal(got, []int64{43}) {
				t.Errorf("bound anew: %v", got)
			}
			if s, err := p.GetSchema(testContext(t)); err != nil || len(s.GetSchema()) == 0 {
				t.Errorf("GetSchema: %v", err)
			}
			if err := p.Close(testContext(t)); err != nil {
				t.Error(err)
			}
			_, err := flightsql.NewPreparedStatement(c, p.Handle()).Execute(testContext(t))
			wantCode(t, err, codes.NotFound)
			if err := flightsql.NewPreparedStatement(c, p.Handle()).Close(testContext(t)); err != nil {
				t.Errorf("closing again: %v", err)
			}
		})
	}
	if u := f.Usage(); u.Statements != 0 || u.StateBytes != 0 {
		t.Errorf("after closing all: %+v", u)
	}
}

func TestPreparedUpdate(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	query(t, c, "rows 1 1")
	p := prepareStatement(t, c, "SET arbalest.partitions 4")
	if update, ok := p.IsUpdate(); !update || !ok || p.DatasetSchema() != nil {
		t.Errorf("is_update %v, %v, dataset schema %v", update, ok, p.DatasetSchema())
	}
	if n, err := p.ExecuteUpdate(testContext(t)); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	query(t, c, "rows 1 1")
	if r, _ := f.fake.last(); r.Settings.Partitions() != 4 {
		t.Error("the prepared SET is lost")
	}
	// Each row is one execution.
	q := prepareStatement(t, c, "params ?")
	q.SetParameters(integersBatch(t, 1, 2, 3))
	before := len(f.fake.submitted)
	if _, err := q.ExecuteUpdate(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if n := len(f.fake.submitted) - before; n != 3 {
		t.Errorf("%d executions", n)
	}
}

// A query with many rows gives all results, in order; none gives none.
func TestManyRows(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	p := prepareStatement(t, c, "params ?")
	p.SetParameters(integersBatch(t, 5, 3, 4))
	for range 2 { // It can be read twice: the ticket is the command.
		if got := integers(run(t, c, p)); !slices.Equal(got, []int64{5, 3, 4}) {
			t.Errorf("got %v", got)
		}
	}
	poll, err := p.ExecutePoll(testContext(t), nil)
	if err != nil || poll.GetFlightDescriptor() != nil || len(poll.GetInfo().GetEndpoint()) != 1 {
		t.Errorf("poll %v, %v", poll, err)
	}
	several, err := array.NewRecordReader(integersBatch(t, 1).Schema(), []arrow.RecordBatch{integersBatch(t, 1, 2), integersBatch(t), integersBatch(t, 3)})
	if err != nil {
		t.Fatal(err)
	}
	defer several.Release()
	p.SetRecordReader(several)
	if got := integers(run(t, c, p)); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("several batches: %v", got)
	}
	empty, err := array.NewRecordReader(integersBatch(t, 1).Schema(), []arrow.RecordBatch{integersBatch(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Release()
	p.SetRecordReader(empty)
	if got := run(t, c, p); len(got) != 0 {
		t.Errorf("no rows: %v", got)
	}
}

// The first handle stands for the newest binding, each later handle for its own.
func TestHandlesAndBindings(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	p := prepareStatement(t, c, "params ?")
	first := p.Handle()
	var handles [][]byte
	for i := range int64(bindingsMax + 1) {
		p.SetParameters(integersBatch(t, i))
		if err := p.ExecutePut(testContext(t)); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(p.Handle(), first) {
			t.Fatal("binding gave no new handle")
		}
		handles = append(handles, p.Handle())
	}
	with := func(handle []byte) []int64 { return integers(run(t, c, flightsql.NewPreparedStatement(c, handle))) }
	if got := with(first); got[0] != bindingsMax {
		t.Errorf("first handle: %v", got)
	}
	if got := with(handles[3]); got[0] != 3 {
		t.Errorf("fourth binding: %v", got)
	}
	_, err := flightsql.NewPreparedStatement(c, handles[0]).Execute(testContext(t))
	wantCode(t, err, codes.NotFound)
}

func TestPreparedFaults(t *testing.T) {
	f := start(t, func(c *Config) { withUsers(c); c.StatementsMax = 3; c.BindingBytesMax = 1 << 20 })
	anna, zoe := as(t, f, "anna"), as(t, f, "zoe")
	_, err := anna.Prepare(testContext(t), "fail")
	wantCode(t, err, codes.InvalidArgument)

	p := prepareStatement(t, anna, "params ? ?")
	p.SetParameters(integersBatch(t, 1))
	_, err = p.Execute(testContext(t))
	wantCode(t, err, codes.InvalidArgument) // One of two.
	p = prepareStatement(t, anna, "params ?")
	p.SetParameters(integersBatch(t, make([]int64, 1<<18)...))
	_, err = p.Execute(testContext(t))
	wantCode(t, err, codes.ResourceExhausted)

	wantCode(t, putCompressed(t, anna, p, make([]int64, 1<<18)), codes.ResourceExhausted)
	if err := putCompressed(t, anna, p, make([]int64, 1<<10)); err != nil {
		t.Error(err)
	}

	_, err = flightsql.NewPreparedStatement(zoe, p.Handle()).Execute(testContext(t))
	wantCode(t, err, codes.PermissionDenied)
	forged := slices.Clone(p.Handle())
	forged[len(forged)-1] ^= 1
	for _, bad := range [][]byte{nil, []byte("x"), forged} {
		stmt := flightsql.NewPreparedStatement(anna, bad)
		_, err = stmt.Execute(testContext(t))
		if code := codes.Unauthenticated; len(bad) > 0 {
			wantCode(t, err, code)
		} else {
			wantCode(t, err, codes.InvalidArgument)
		}
	}
	// A client that leaks statements loses the one it has not used for longest.
	last := prepareStatement(t, anna, "params ?")
	for range 2 {
		prepareStatement(t, anna, "params ?")
	}
	if u := f.Usage(); u.Statements != 3 {
		t.Errorf("%+v", u)
	}
	if _, err := last.GetSchema(testContext(t)); err != nil {
		t.Error(err)
	}
	_, err = p.GetSchema(testContext(t))
	wantCode(t, err, codes.NotFound)
	// A statement does not survive its session.
	if _, err := anna.CloseSession(testContext(t), &wire.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	_, err = last.GetSchema(testContext(t))
	wantCode(t, err, codes.NotFound)
	if u := f.Usage(); u != (Usage{}) {
		t.Errorf("after CloseSession: %+v", u)
	}
}

// putCompressed binds values that are small on the wire.
func putCompressed(t testing.TB, c *flightsql.Client, p *flightsql.PreparedStatement, values []int64) error {
	t.Helper()
	stream, err := c.Client.DoPut(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	batch := integersBatch(t, values...)
	w := flight.NewRecordWriter(stream, ipc.WithSchema(batch.Schema()), ipc.WithZstd())
	w.SetFlightDescriptor(descriptor(t, &wire.CommandPreparedStatementQuery{PreparedStatementHandle: p.Handle()}))
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	_ = stream.CloseSend()
	_, err = stream.Recv()
	return err
}

func TestIdleSessionsAndBudgets(t *testing.T) {
	now := time.Now()
	f := start(t, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.SessionsMax, c.StateBytesMax = 2, 64<<10
	})
	one, two, three := f.session(t), f.session(t), f.session(t)
	query(t, one, "rows 1 1")
	if u := f.Usage(); u.Sessions != 0 {
		t.Errorf("a session without anything is kept: %+v", u)
	}
	for _, c := range []*flightsql.Client{one, two, three} {
		query(t, c, "SET arbalest.partitions 4")
	}
	if u := f.Usage(); u.Sessions != 2 {
		t.Errorf("%+v", u)
	}
	query(t, two, "rows 1 1")
	query(t, one, "rows 1 1")
	if r, _ := f.fake.last(); r.Settings.Partitions() != 4 {
		t.Error("the session idle longest has lost its options")
	}
	_, err := two.Prepare(testContext(t), "params ?"+strings.Repeat(" ", 64<<10))
	wantCode(t, err, codes.ResourceExhausted)
	now = now.Add(f.cfg.SessionIdleMax)
	if u := f.Usage(); u != (Usage{}) {
		t.Errorf("after the idle time: %+v", u)
	}
}

func TestTransactions(t *testing.T) {
	f := start(t, withUsers)
	anna, zoe := as(t, f, "anna"), as(t, f, "zoe")
	ctx := testContext(t)
	begin := func() *flightsql.Txn {
		t.Helper()
		txn, err := anna.BeginTransaction(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return txn
	}
	txn := begin()
	id := slices.Clone(txn.ID())
	if _, err := txn.Execute(ctx, "rows 1 1"); err != nil {
		t.Error(err)
	}
	if p, err := txn.Prepare(ctx, "params ?"); err != nil || len(p.Handle()) == 0 {
		t.Error(err)
	}
	outer, err := txn.BeginSavepoint(ctx, "outer")
	if err != nil {
		t.Fatal(err)
	}
	inner, err := txn.BeginSavepoint(ctx, "inner")
	if err != nil {
		t.Fatal(err)
	}
	if err := txn.RollbackSavepoint(ctx, outer); err != nil {
		t.Error(err)
	}
	wantCode(t, txn.ReleaseSavepoint(ctx, inner), codes.NotFound) // Rolled back with the outer one.
	if err := txn.ReleaseSavepoint(ctx, outer); err != nil {
		t.Error(err)
	}
	wantCode(t, txn.ReleaseSavepoint(ctx, outer), codes.NotFound)
	if err := txn.Commit(ctx); err != nil {
		t.Error(err)
	}
	in := func(c *flightsql.Client, id []byte) error {
		_, err := c.Client.GetFlightInfo(ctx, descriptor(t, &wire.CommandStatementQuery{Query: "rows 1 1", TransactionId: id}))
		return err
	}
	wantCode(t, in(anna, id), codes.NotFound)
	second := begin()
	wantCode(t, in(zoe, second.ID()), codes.PermissionDenied)
	wantCode(t, in(anna, []byte("x")), codes.Unauthenticated)
	if err := in(anna, second.ID()); err != nil {
		t.Error(err)
	}
	if err := second.Rollback(ctx); err != nil {
		t.Error(err)
	}
	// Clients that never end theirs.
	for range 2 * transactionsMax {
		begin()
	}
	wantCode(t, act(t, anna, "EndTransaction", &wire.ActionEndTransactionRequest{TransactionId: begin().ID()}), codes.InvalidArgument)
	wantCode(t, act(t, anna, "BeginSavepoint", &wire.ActionBeginSavepointRequest{TransactionId: begin().ID()}), codes.InvalidArgument)
}

// act runs one action of Flight SQL for its error.
func act(t testing.TB, c *flightsql.Client, name string, request proto.Message) error {
	t.Helper()
	packed, err := anypb.New(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := proto.Marshal(packed)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := c.Client.DoAction(testContext(t), &wire.Action{Type: name, Body: body})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}
