package flightserver

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// refused are the messages of FlightSql.proto that this server does not do: each is answered as Unimplemented.
var refused = []string{"ActionCreatePreparedSubstraitPlanRequest", "CommandStatementSubstraitPlan"}

// replies are the messages that only a server sends, and parts of others.
var replies = []string{"ActionBeginSavepointResult", "ActionBeginTransactionResult", "ActionCancelQueryResult", "ActionCreatePreparedStatementResult",
	"DoPutPreparedStatementResult", "DoPutUpdateResult", "SubstraitPlan"}

// A visitor sends the messages of the protocol to a server with workers.
type visitor struct {
	*flightsql.Client
	t *testing.T
}

// rows is how many rows a command's result has, by each way to ask for it: GetFlightInfo, PollFlightInfo, whose schemas
// GetSchema and the streams have to agree with.
func (v visitor) rows(command proto.Message) int {
	v.t.Helper()
	ctx, d := testContext(v.t), descriptor(v.t, command)
	info, err := v.Client.Client.GetFlightInfo(ctx, d)
	if err != nil {
		v.t.Fatal(err)
	}
	n := count(read(v.t, v.Client, info))
	schema, err := v.Client.Client.GetSchema(ctx, d)
	if err != nil {
		v.t.Fatal(err)
	}
	if !sameSchema(v.t, schema.GetSchema(), info.GetSchema()) {
		v.t.Error("GetSchema and GetFlightInfo disagree")
	}
	poll := &flight.PollInfo{FlightDescriptor: d}
	for last := 0.0; poll.GetFlightDescriptor() != nil; {
		if poll, err = v.Client.Client.PollFlightInfo(ctx, poll.GetFlightDescriptor()); err != nil {
			v.t.Fatal(err)
		}
		if p := poll.GetProgress(); p < last || p > 1 || poll.Progress == nil || poll.GetInfo() == nil {
			v.t.Errorf("progress %v after %v", p, last)
		}
		last = poll.GetProgress()
	}
	if polled := count(read(v.t, v.Client, poll.GetInfo())); polled != n {
		v.t.Errorf("%d rows when polled, %d otherwise", polled, n)
	}
	return n
}

func count(batches []arrow.RecordBatch) (n int) {
	for _, b := range batches {
		n += int(b.NumRows())
	}
	return n
}

func sameSchema(t *testing.T, a, b []byte) bool {
	t.Helper()
	x, err := flight.DeserializeSchema(a, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	y, err := flight.DeserializeSchema(b, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return x.Equal(y)
}

// update puts a command and returns the count of the reply.
func (v visitor) update(command proto.Message) (int64, error) {
	v.t.Helper()
	stream, err := v.Client.Client.DoPut(testContext(v.t))
	if err != nil {
		return 0, err
	}
	if err := stream.Send(&flight.FlightData{FlightDescriptor: descriptor(v.t, command)}); err != nil {
		return 0, err
	}
	_ = stream.CloseSend()
	reply, err := stream.Recv()
	if err != nil {
		return 0, err
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) { // to the end, as only then the client looks at the session's cookie
		return 0, err
	}
	var result wire.DoPutUpdateResult
	return result.GetRecordCount(), proto.Unmarshal(reply.GetAppMetadata(), &result)
}

func (v visitor) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Error(err)
	}
}

func (v visitor) want(rows, want int) {
	v.t.Helper()
	if rows != want {
		v.t.Errorf("%d rows, want %d", rows, want)
	}
}

// visits says for each message of the protocol how it is sent, and what has to come back.
var visits = map[string]func(v visitor){
	"CommandGetSqlInfo":      func(v visitor) { v.want(v.rows(&wire.CommandGetSqlInfo{Info: []uint32{0, 4}}), 2) },
	"CommandGetXdbcTypeInfo": func(v visitor) { v.want(v.rows(&wire.CommandGetXdbcTypeInfo{DataType: proto.Int32(-5)}), 2) },
	"CommandGetCatalogs":     func(v visitor) { v.want(v.rows(&wire.CommandGetCatalogs{}), 1) },
	"CommandGetDbSchemas": func(v visitor) {
		v.want(v.rows(&wire.CommandGetDbSchemas{DbSchemaFilterPattern: proto.String("m%")}), 1)
	},
	"CommandGetTables": func(v visitor) {
		v.want(v.rows(&wire.CommandGetTables{TableNameFilterPattern: proto.String("ev_nts")}), 1)
	},
	"CommandGetTableTypes":   func(v visitor) { v.want(v.rows(&wire.CommandGetTableTypes{}), len(tableTypes)) },
	"CommandGetPrimaryKeys":  func(v visitor) { v.want(v.rows(&wire.CommandGetPrimaryKeys{Table: "events"}), 0) },
	"CommandGetExportedKeys": func(v visitor) { v.want(v.rows(&wire.CommandGetExportedKeys{Table: "events"}), 0) },
	"CommandGetImportedKeys": func(v visitor) { v.want(v.rows(&wire.CommandGetImportedKeys{Table: "events"}), 0) },
	"CommandGetCrossReference": func(v visitor) {
		v.want(v.rows(&wire.CommandGetCrossReference{PkTable: "events", FkTable: "events"}), 0)
	},
	"CommandStatementQuery": func(v visitor) {
		v.want(v.rows(&wire.CommandStatementQuery{Query: "SELECT kind, max(id) FROM events GROUP BY 1"}), 3)
	},
	"CommandStatementUpdate": func(v visitor) {
		_, err := v.update(&wire.CommandStatementUpdate{Query: "SET arbalest.partitions = 3"})
		v.must(err)
		if got := texts(read(v.t, v.Client, v.execute("SELECT value FROM sys.settings WHERE name = 'arbalest.partitions'")), 0); !slices.Equal(got, []string{"3"}) {
			v.t.Errorf("the update set %v", got)
		}
	},
	"TicketStatementQuery": func(v visitor) {
		// What a poll gives to ask again with. A complete query needs none, so that this one runs for ever.
		poll, err := v.ExecutePoll(testContext(v.t), endless, nil)
		if err != nil {
			v.t.Fatal(err)
		}
		schema, err := v.Client.Client.GetSchema(testContext(v.t), poll.GetFlightDescriptor())
		if err != nil || !sameSchema(v.t, schema.GetSchema(), poll.GetInfo().GetSchema()) {
			v.t.Errorf("schema of a polled query: %v", err)
		}
		_, err = v.CancelFlightInfo(testContext(v.t), &wire.CancelFlightInfoRequest{Info: poll.GetInfo()})
		v.must(err)
	},
	"ActionCreatePreparedStatementRequest": func(v visitor) { v.prepared("SELECT id FROM events WHERE id < ?", 5, 5) },
	"CommandPreparedStatementQuery":        func(v visitor) { v.prepared("SELECT ?", 7, 1) },
	"ActionClosePreparedStatementRequest": func(v visitor) {
		p := prepareStatement(v.t, v.Client, "SELECT 1")
		v.must(p.Close(testContext(v.t)))
		_, err := v.Client.Client.GetFlightInfo(testContext(v.t), descriptor(v.t, &wire.CommandPreparedStatementQuery{PreparedStatementHandle: p.Handle()}))
		wantCode(v.t, err, codes.NotFound)
	},
	"CommandPreparedStatementUpdate": func(v visitor) {
		p := prepareStatement(v.t, v.Client, "SET arbalest.task_attempts = 5")
		_, err := p.ExecuteUpdate(testContext(v.t))
		v.must(err)
		v.must(p.Close(testContext(v.t)))
		if got := get(v.t, v.Client)["arbalest.task_attempts"].GetInt64Value(); got != 5 {
			v.t.Errorf("the update set %d", got)
		}
	},
	"ActionBeginTransactionRequest": func(v visitor) { v.must(v.begin().Rollback(testContext(v.t))) },
	"ActionEndTransactionRequest":   func(v visitor) { v.must(v.begin().Commit(testContext(v.t))) },
	"ActionBeginSavepointRequest": func(v visitor) {
		txn := v.begin()
		_, err := txn.BeginSavepoint(testContext(v.t), "s")
		v.must(err)
		v.must(txn.Commit(testContext(v.t)))
	},
	"ActionEndSavepointRequest": func(v visitor) {
		txn := v.begin()
		point, err := txn.BeginSavepoint(testContext(v.t), "s")
		v.must(err)
		v.must(txn.RollbackSavepoint(testContext(v.t), point))
		v.must(txn.ReleaseSavepoint(testContext(v.t), point))
		v.must(txn.Rollback(testContext(v.t)))
	},
	"ActionCancelQueryRequest": func(v visitor) {
		result, err := v.CancelQuery(testContext(v.t), v.execute("SELECT id FROM events")) //nolint:staticcheck // deprecated, and still sent
		if v.must(err); result != flightsql.CancelResultCancelled {
			v.t.Errorf("cancelled: %v", result)
		}
	},
	"ActionCreatePreparedSubstraitPlanRequest": func(v visitor) {
		_, err := v.PrepareSubstrait(testContext(v.t), flightsql.SubstraitPlan{Plan: []byte("x"), Version: "1"})
		v.unimplemented(err)
	},
	"CommandStatementSubstraitPlan": func(v visitor) {
		_, err := v.ExecuteSubstrait(testContext(v.t), flightsql.SubstraitPlan{Plan: []byte("x")})
		v.unimplemented(err)
		_, err = v.ExecuteSubstraitUpdate(testContext(v.t), flightsql.SubstraitPlan{Plan: []byte("x")})
		v.unimplemented(err)
	},
	"CommandStatementIngest": func(v visitor) {
		v.want(int(ingest(v.t, v.Client, true, "create", "t", integersBatch(v.t, 1, 2, 3))), 3)
		v.want(count(read(v.t, v.Client, v.execute("SELECT * FROM t"))), 3)
		_, err := v.CloseSession(testContext(v.t), &flight.CloseSessionRequest{})
		v.must(err)
	},
}

func (v visitor) execute(sql string) *flight.FlightInfo {
	v.t.Helper()
	info, err := v.Execute(testContext(v.t), sql)
	if err != nil {
		v.t.Fatal(err)
	}
	return info
}

func (v visitor) begin() *flightsql.Txn {
	v.t.Helper()
	txn, err := v.BeginTransaction(testContext(v.t))
	if err != nil {
		v.t.Fatal(err)
	}
	return txn
}

// prepared runs a statement with one parameter by all ways.
func (v visitor) prepared(sql string, parameter int64, want int) {
	v.t.Helper()
	p := prepareStatement(v.t, v.Client, sql)
	defer func() { v.must(p.Close(testContext(v.t))) }()
	if p.ParameterSchema().NumFields() != 1 || p.DatasetSchema().NumFields() != 1 {
		v.t.Errorf("prepared as %v with %v", p.DatasetSchema(), p.ParameterSchema())
	}
	params := integersBatch(v.t, parameter)
	p.SetParameters(params)
	v.want(count(run(v.t, v.Client, p)), want)
	poll, err := p.ExecutePoll(testContext(v.t), nil)
	for err == nil && poll.GetFlightDescriptor() != nil {
		poll, err = p.ExecutePoll(testContext(v.t), poll.GetFlightDescriptor())
	}
	if err != nil {
		v.t.Fatal(err)
	}
	v.want(count(read(v.t, v.Client, poll.GetInfo())), want)
	_, err = p.GetSchema(testContext(v.t))
	v.must(err)
}

func (v visitor) unimplemented(err error) {
	v.t.Helper()
	wantCode(v.t, err, codes.Unimplemented)
	if text := status.Convert(err).Message(); !strings.Contains(text, " ") {
		v.t.Errorf("the refusal %q gives no reason", text)
	}
}

// Every message of FlightSql.proto is sent, and answered with what it asks for, but those that are refused by name.
func TestProtocol(t *testing.T) {
	r := startReal(t, 2, nil)
	var unimplemented []string
	messages := wire.File_FlightSql_proto.Messages()
	for i := range messages.Len() {
		name := string(messages.Get(i).Name())
		if slices.Contains(replies, name) {
			continue
		}
		visit := visits[name]
		if visit == nil {
			t.Errorf("no test sends %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) { visit(visitor{r.session(t), t}) })
		if slices.Contains(refused, name) {
			unimplemented = append(unimplemented, name)
		}
	}
	slices.Sort(unimplemented)
	if !slices.Equal(unimplemented, refused) {
		t.Errorf("the list of refusals names %v, of which the protocol has %v", refused, unimplemented)
	}
	r.cluster.Idle(t)
}

// ListActions tells every action that the protocols name, and no other.
func TestListActions(t *testing.T) {
	f := start(t, nil)
	want := map[string]bool{"CancelFlightInfo": true, "RenewFlightEndpoint": true, "SetSessionOptions": true, "GetSessionOptions": true, "CloseSession": true}
	messages := wire.File_FlightSql_proto.Messages()
	for i := range messages.Len() {
		name, isRequest := strings.CutSuffix(string(messages.Get(i).Name()), "Request")
		if name, isAction := strings.CutPrefix(name, "Action"); isAction && isRequest {
			want[name] = true
		}
	}
	known, err := f.session(t).Client.ListActions(testContext(t), &flight.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		a, err := known.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || a.GetDescription() == "" || !want[a.GetType()] {
			t.Fatal(a, err)
		}
		delete(want, a.GetType())
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", slices.Collect(maps.Keys(want)))
	}
}

// Plain Flight clients find tables by ListFlights and read them by their paths.
func TestFlightsOfTables(t *testing.T) {
	r := startReal(t, 2, nil)
	c := r.session(t)
	listed := func(criteria string) (all []*flight.FlightInfo) {
		list, err := c.Client.ListFlights(testContext(t), &flight.Criteria{Expression: []byte(criteria)})
		for err == nil {
			var info *flight.FlightInfo
			if info, err = list.Recv(); err == nil {
				all = append(all, info)
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		return all
	}
	if n := len(listed("")); n != 1+len(r.cfg.SystemTables) {
		t.Errorf("%d flights", n)
	}
	found := listed("eve%")
	if len(found) != 1 {
		t.Fatalf("%d flights named eve%%", len(found))
	}
	for _, path := range [][]string{found[0].GetFlightDescriptor().GetPath(), {"main", "events"}, {"events"}} {
		d := &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: path}
		info, err := c.Client.GetFlightInfo(testContext(t), d)
		if err != nil {
			t.Fatal(err)
		}
		if n := count(read(t, c, info)); n != eventFiles*eventPerFile || !sameSchema(t, info.GetSchema(), found[0].GetSchema()) {
			t.Errorf("%v: %d rows", path, n)
		}
	}
	_, err := c.Client.GetFlightInfo(testContext(t), &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{`ev"ents; DROP`}})
	wantCode(t, err, codes.NotFound)
	r.cluster.Idle(t)
}
