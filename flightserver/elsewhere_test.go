package flightserver

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
)

// pair starts two servers of one cluster, of which the second passes on what it does not know to the first.
func pair(t *testing.T, change ...func(*Config)) (owner, other *fixture) {
	t.Helper()
	keys := auth.GenerateKeyring()
	owner = start(t, func(c *Config) { c.Keys = keys })
	owner.fake.keys = keys
	conn, err := grpc.NewClient(owner.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	other = start(t, func(c *Config) {
		c.Keys = keys
		for _, f := range change {
			f(c)
		}
	})
	other.fake.keys = keys
	other.fake.name = "there"
	other.fake.others = func(at coordinator.Place) (grpc.ClientConnInterface, error) {
		if at.Address != "here" {
			t.Errorf("a call goes to %q", at.Address)
		}
		return conn, nil
	}
	return owner, other
}

// A query is polled, waited for and cancelled at any coordinator.
func TestQueriesOfOtherCoordinators(t *testing.T) {
	owner, other := pair(t)
	mine, theirs := owner.session(t), other.session(t)
	first, err := mine.ExecutePoll(testContext(t), "block", nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := theirs.ExecutePoll(testContext(t), "block", first.GetFlightDescriptor())
	if err != nil || second.GetFlightDescriptor() == nil {
		t.Fatalf("polled elsewhere: %v, %v", second, err)
	}
	q := owner.fake.find("q1")
	if n := q.promised.Load(); n != 2 {
		t.Errorf("a client was told of the query twice, and it was promised %d times", n)
	}
	q.place(2, "")
	third, err := theirs.ExecutePoll(testContext(t), "block", second.GetFlightDescriptor())
	if err != nil || third.GetFlightDescriptor() != nil || len(third.GetInfo().GetEndpoint()) != 2 {
		t.Fatalf("polled elsewhere to its end: %v, %v", third, err)
	}
	info, err := theirs.Client.GetFlightInfo(testContext(t), first.GetFlightDescriptor())
	if err != nil || len(info.GetEndpoint()) != 2 {
		t.Errorf("waited for elsewhere: %v, %v", info, err)
	}
	schema, err := theirs.Client.GetSchema(testContext(t), first.GetFlightDescriptor())
	if err != nil || len(schema.GetSchema()) == 0 {
		t.Errorf("the schema elsewhere: %v", err)
	}
	result, err := theirs.CancelFlightInfo(testContext(t), &flight.CancelFlightInfoRequest{Info: &wire.FlightInfo{FlightDescriptor: first.GetFlightDescriptor()}})
	if err != nil || result.GetStatus() != wire.CancelStatus_CANCEL_STATUS_CANCELLED {
		t.Errorf("cancelled elsewhere: %v, %v", result, err)
	}
	select {
	case <-q.cancelled:
	default:
		t.Error("the query goes on")
	}
}

// What another coordinator does not know either is not passed on for ever.
func TestUnknownQueriesAreNotPassedOnTwice(t *testing.T) {
	var calls atomic.Int64 // of a clock that makes waiting short
	owner, other := pair(t, func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(calls.Add(1)) * time.Second) }
	})
	first, err := owner.session(t).ExecutePoll(testContext(t), "block", nil)
	if err != nil {
		t.Fatal(err)
	}
	owner.fake.mu.Lock()
	clear(owner.fake.queries)
	owner.fake.name, owner.fake.others = "another", other.fake.others
	owner.fake.mu.Unlock()
	_, err = other.session(t).ExecutePoll(testContext(t), "block", first.GetFlightDescriptor())
	wantCode(t, err, codes.Unavailable)
	if !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("refused with %v", err)
	}
}

// Who cannot be told of a query for the moment asks again, and is told then.
func TestPollsThatCannotBePromised(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	first, err := c.ExecutePoll(testContext(t), "block", nil)
	if err != nil {
		t.Fatal(err)
	}
	q := f.fake.find("q1")
	q.place(2, "")
	q.unsafe.Store(true)
	_, err = c.ExecutePoll(testContext(t), "block", first.GetFlightDescriptor())
	wantCode(t, err, codes.Unavailable)
	_, err = c.Client.GetFlightInfo(testContext(t), first.GetFlightDescriptor())
	wantCode(t, err, codes.Unavailable)
	q.unsafe.Store(false)
	second, err := c.ExecutePoll(testContext(t), "block", first.GetFlightDescriptor())
	if err != nil || second.GetFlightDescriptor() != nil || len(second.GetInfo().GetEndpoint()) != 2 {
		t.Errorf("asked again: %v, %v", second, err)
	}
}

// A query that is complete without an endpoint is a fault, however its client waits: it would take it for no rows.
func TestPolledQueryWithoutEndpoint(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	first, err := c.ExecutePoll(testContext(t), "block", nil)
	if err != nil {
		t.Fatal(err)
	}
	f.fake.find("q1").place(0, "")
	_, err = c.ExecutePoll(testContext(t), "block", first.GetFlightDescriptor())
	wantCode(t, err, codes.Internal)
	_, err = c.Client.GetFlightInfo(testContext(t), first.GetFlightDescriptor())
	wantCode(t, err, codes.Internal)
}
