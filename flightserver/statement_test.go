package flightserver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func TestStatement(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	info, err := c.Execute(testContext(t), "rows 3 2")
	if err != nil {
		t.Fatal(err)
	}
	if len(info.GetEndpoint()) != 2 || !info.GetOrdered() || info.GetTotalRecords() != -1 || string(info.GetAppMetadata()) == "" {
		t.Errorf("info %v", info)
	}
	if got := integers(read(t, c, info)); !slices.Equal(got, []int64{0, 1, 2, 3, 4, 5}) {
		t.Errorf("got %v", got)
	}
	schema, err := c.GetExecuteSchema(testContext(t), "rows 3 2")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := flight.DeserializeSchema(schema.GetSchema(), memory.DefaultAllocator); err != nil || !s.Equal(numberSchema) {
		t.Errorf("schema %v, %v", s, err)
	}
}

// Rows of megabytes are cut into messages that plain Go clients take (4 MiB).
func TestLargeBatches(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	info, err := c.Execute(testContext(t), "wide 2000000")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, b := range read(t, c, info) {
		rows += int(b.NumRows())
	}
	if rows != 4 {
		t.Errorf("%d rows", rows)
	}
}

// A row is never cut: one that is larger than a client's limit fails there, and passes a client that takes larger messages.
func TestLargeRow(t *testing.T) {
	f := start(t, nil)
	const sql, plainLimit = "wide 4194304", 4 << 20
	for limit, fails := range map[int]bool{plainLimit: true, 2 * plainLimit: false} {
		c, err := flightsql.NewClient(f.addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(limit)))
		if err != nil {
			t.Fatal(err)
		}
		info, err := c.Execute(testContext(t), sql)
		if err != nil {
			t.Fatal(err)
		}
		if fails {
			r, err := c.DoGet(testContext(t), info.GetEndpoint()[0].GetTicket())
			if err == nil {
				for r.Next() {
					t.Error("a message over the limit came")
				}
				err = r.Err()
				r.Release()
			}
			wantCode(t, err, codes.ResourceExhausted)
		} else if rows := read(t, c, info); len(rows) != 4 {
			t.Errorf("%d batches, want one a row", len(rows))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestErrors(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	for sql, want := range map[string]codes.Code{
		"fail": codes.InvalidArgument, "late": codes.DataLoss, "panic": codes.Internal, "ddl": codes.Unimplemented,
		"": codes.InvalidArgument, " \n": codes.InvalidArgument, "nonsense": codes.InvalidArgument,
		strings.Repeat("x", 5<<20): codes.InvalidArgument,
	} {
		_, err := c.Execute(testContext(t), sql)
		wantCode(t, err, want)
		_, err = c.ExecuteUpdate(testContext(t), sql)
		wantCode(t, err, want)
		_, err = c.ExecutePoll(testContext(t), sql, nil)
		wantCode(t, err, want)
		if s := status.Convert(err).Message(); len(s) > 1000 || strings.Contains(s, "planner") && want == codes.Internal {
			t.Errorf("message %q", s)
		}
	}
	if _, err := c.Execute(testContext(t), "fail"); !strings.Contains(fmt.Sprint(err), "position 1") {
		t.Errorf("no position in %v", err)
	}
	// None of them harms the next statement.
	query(t, c, "rows 1 1")
}

func TestUpdate(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	query(t, c, "rows 1 1") // The client's middleware sees no cookie of a DoPut, from which it reads one message only.
	for sql, want := range map[string]int64{"SET arbalest.task_attempts 2": 0, "rows 3 2": -1, "rows 0 1": 0} {
		before := len(f.fake.submitted)
		n, err := c.ExecuteUpdate(testContext(t), sql)
		if err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", sql, n, err, want)
		}
		if runs := len(f.fake.submitted) - before; runs != 1 {
			t.Errorf("%s ran %d times", sql, runs)
		}
	}
	query(t, c, "rows 1 1")
	if r, _ := f.fake.last(); r.Settings.TaskAttempts() != 2 {
		t.Error("SET by an update is lost")
	}
}

// SET by a query works as well, a concurrent statement with the old settings does not undo it, and a name that does not exist is
// refused.
func TestSet(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	query(t, c, "rows 1 1")
	ctx, cancel := context.WithCancel(testContext(t))
	ended := make(chan error, 1)
	go func() {
		_, err := c.Execute(ctx, "block")
		ended <- err
	}()
	eventually(t, "the blocking statement runs", func() bool { r, _ := f.fake.last(); return r.SQL == "block" })
	_, blocked := f.fake.last()
	query(t, c, "SET arbalest.partitions 5")
	query(t, c, "SET catalog lake")
	blocked.place(1, "")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	cancel()
	_, err := c.Execute(testContext(t), "SET catalog nowhere")
	wantCode(t, err, codes.NotFound)
	query(t, c, "rows 1 1")
	if r, _ := f.fake.last(); r.Settings.Partitions() != 5 || r.Settings.Catalog() != "lake" {
		t.Errorf("settings %s", r.Settings.Fingerprint())
	}
}

func TestDisconnect(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	ctx, cancel := context.WithCancel(testContext(t))
	ended := make(chan error, 1)
	go func() {
		_, err := c.Execute(ctx, "block")
		ended <- err
	}()
	eventually(t, "the statement runs", func() bool {
		f.fake.mu.Lock()
		defer f.fake.mu.Unlock()
		return len(f.fake.submitted) == 1
	})
	cancel()
	wantCode(t, <-ended, codes.Canceled)
	_, q := f.fake.last()
	<-q.cancelled // Or the test times out.

	info, err := c.Execute(testContext(t), "stall")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(testContext(t))
	r, err := c.DoGet(ctx, info.GetEndpoint()[0].GetTicket())
	if err != nil || !r.Next() {
		t.Fatal("no first batch", err)
	}
	if n := f.fake.openReaders(); n != 1 {
		t.Errorf("%d readers", n)
	}
	cancel()
	eventually(t, "the reader is closed", func() bool { return f.fake.openReaders() == 0 })
	r.Release()
}

func TestCancel(t *testing.T) {
	f := start(t, withUsers)
	anna, zoe := as(t, f, "anna"), as(t, f, "zoe")
	for name, cancel := range map[string]func(c *flightsql.Client, info *flight.FlightInfo) error{
		"CancelFlightInfo": func(c *flightsql.Client, info *flight.FlightInfo) error {
			r, err := c.CancelFlightInfo(testContext(t), &flight.CancelFlightInfoRequest{Info: info})
			if err == nil && r.GetStatus() != flight.CancelStatusCancelled {
				t.Errorf("status %v", r.GetStatus())
			}
			return err
		},
		"CancelQuery": func(c *flightsql.Client, info *flight.FlightInfo) error {
			r, err := c.CancelQuery(testContext(t), info) //nolint:staticcheck // Older clients send it.
			if err == nil && r != flightsql.CancelResultCancelled {
				t.Errorf("result %v", r)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			info, err := anna.Execute(testContext(t), "stall")
			if err != nil {
				t.Fatal(err)
			}
			_, q := f.fake.last()
			wantCode(t, cancel(zoe, info), codes.PermissionDenied)
			forged := proto.Clone(info).(*flight.FlightInfo)
			forged.Endpoint[0].Ticket.Ticket[5] ^= 1
			wantCode(t, cancel(anna, forged), codes.Unauthenticated)
			wantCode(t, cancel(anna, &flight.FlightInfo{AppMetadata: info.GetAppMetadata()}), codes.NotFound)
			select {
			case <-q.cancelled:
				t.Fatal("cancelled by somebody who may not")
			default:
			}
			if err := cancel(anna, info); err != nil {
				t.Fatal(err)
			}
			<-q.cancelled

			poll, err := anna.ExecutePoll(testContext(t), "block", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, q = f.fake.last()
			wantCode(t, cancel(zoe, poll.GetInfo()), codes.PermissionDenied)
			if err := cancel(anna, poll.GetInfo()); err != nil {
				t.Fatal(err)
			}
			<-q.cancelled
		})
	}
	tables, err := anna.GetTables(testContext(t), &flightsql.GetTablesOpts{})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := anna.CancelFlightInfo(testContext(t), &flight.CancelFlightInfoRequest{Info: tables}); err != nil || r.GetStatus() != flight.CancelStatusNotCancellable {
		t.Errorf("cancelling metadata: %v, %v", r, err)
	}
	// Another user's ticket and handle are nobody's.
	info, err := anna.Execute(testContext(t), "rows 1 1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = zoe.DoGet(testContext(t), info.GetEndpoint()[0].GetTicket())
	wantCode(t, err, codes.NotFound)
}

func as(t testing.TB, f *fixture, user string) *flightsql.Client {
	t.Helper()
	c := f.session(t)
	// The reply's cookie keeps the login.
	if _, err := c.Client.AuthenticateBasicToken(testContext(t), user, user+"!"); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPoll(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	query(t, c, "SET arbalest.partitions 3")

	done, err := c.ExecutePoll(testContext(t), "rows 2 2", nil)
	if err != nil {
		t.Fatal(err)
	}
	if done.GetFlightDescriptor() != nil || done.GetProgress() != 1 || len(done.GetInfo().GetEndpoint()) != 2 {
		t.Errorf("a quick query is not complete: %v", done)
	}

	first, err := c.ExecutePoll(testContext(t), "block", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, q := f.fake.last()
	if first.GetFlightDescriptor() == nil || first.GetInfo() == nil || len(first.GetInfo().GetSchema()) == 0 || first.GetExpirationTime() == nil {
		t.Fatalf("first reply %v", first)
	}
	if first.GetProgress() < 0 || first.GetProgress() > 1 {
		t.Errorf("progress %v", first.GetProgress())
	}
	second, err := c.ExecutePoll(testContext(t), "block", first.GetFlightDescriptor())
	if err != nil || second.GetFlightDescriptor() == nil {
		t.Fatalf("second reply %v, %v", second, err)
	}
	q.make = func(int) []arrow.RecordBatch { return nil }
	q.place(1, "")
	third, err := c.ExecutePoll(testContext(t), "block", second.GetFlightDescriptor())
	if err != nil || third.GetFlightDescriptor() != nil || len(third.GetInfo().GetEndpoint()) != 1 {
		t.Errorf("last reply %v, %v", third, err)
	}
	if n := f.Usage().Polls; n != 0 {
		t.Errorf("%d polls are kept", n)
	}
	if r, _ := f.fake.last(); r.Settings.Partitions() != 3 {
		t.Error("a polled statement has other settings")
	}

	tables, err := c.Client.PollFlightInfo(testContext(t), descriptor(t, &wire.CommandGetTables{}))
	if err != nil || tables.GetFlightDescriptor() != nil || len(tables.GetInfo().GetEndpoint()) != 1 {
		t.Errorf("metadata %v, %v", tables, err)
	}
	forged := proto.Clone(first.GetFlightDescriptor()).(*flight.FlightDescriptor)
	forged.Cmd[len(forged.Cmd)-1] ^= 1
	_, err = c.ExecutePoll(testContext(t), "block", forged)
	wantCode(t, err, codes.Unauthenticated)
}

func TestPollExpires(t *testing.T) {
	f := start(t, func(c *Config) { c.PollIdleMax = 50 * time.Millisecond })
	if _, err := f.session(t).ExecutePoll(testContext(t), "block", nil); err != nil {
		t.Fatal(err)
	}
	_, q := f.fake.last()
	<-q.cancelled
	eventually(t, "the poll is forgotten", func() bool { return f.Usage().Polls == 0 })
}

func descriptor(t testing.TB, m proto.Message) *flight.FlightDescriptor {
	t.Helper()
	b, err := packCommand(m)
	if err != nil {
		t.Fatal(err)
	}
	return &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: b}
}
