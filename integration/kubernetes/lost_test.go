package kubernetes

import (
	"context"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/kubetest"
)

const (
	// endless is a query that takes hours.
	endless = "SELECT count(*) FROM lineitem a, lineitem b, lineitem c WHERE a.l_orderkey * b.l_partkey + c.l_suppkey = -1"
	// answerLimit is how long after its coordinator's death a client may wait to learn what became of its query.
	answerLimit = 10 * time.Second
)

// TestCoordinatorDies kills the coordinator of running queries. Without a store that coordinators share nobody goes on with them, and
// clients that ask the other one for them are told so, by the status for which they send a statement again. Results that
// workers hold already can be read through it.
func TestCoordinatorDies(t *testing.T) {
	kubetest.Enabled(t)
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	_, cluster, sessions := start(ctx, t)
	first, second := sessions[0].SQL, sessions[1]
	want, err := harness.Count(ctx, second, orderTotals)
	if err != nil {
		t.Fatal(err)
	}
	read, err := first.Execute(ctx, orderTotals)
	if err != nil {
		t.Fatal(err)
	}
	poll, err := first.ExecutePoll(ctx, endless, nil)
	if err != nil || poll.GetFlightDescriptor() == nil {
		t.Fatalf("start a long query: %v, %v", poll, err)
	}
	waits := make(chan error, 1)
	go func() {
		_, err := first.Execute(ctx, endless)
		waits <- err
	}()
	awaitRunning(ctx, t, sessions[0], 2)

	cluster.Door.Kill()
	for what, ask := range map[string]func(context.Context) error{
		"wait in GetFlightInfo at the killed one": func(ctx context.Context) error {
			select {
			case err := <-waits:
				return err
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		},
		"poll": func(ctx context.Context) error {
			_, err := second.SQL.ExecutePoll(ctx, endless, poll.GetFlightDescriptor())
			return err
		},
		"wait for the polled query": func(ctx context.Context) error {
			_, err := second.SQL.Client.GetFlightInfo(ctx, poll.GetFlightDescriptor())
			return err
		},
		"ask for its schema": func(ctx context.Context) error {
			_, err := second.SQL.Client.GetSchema(ctx, poll.GetFlightDescriptor())
			return err
		},
		"cancel": func(ctx context.Context) error {
			_, err := second.SQL.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: poll.GetInfo()})
			return err
		},
	} {
		soon, cancel := context.WithTimeout(ctx, answerLimit)
		if err := ask(soon); status.Code(err) != codes.Unavailable {
			t.Errorf("%s: %v, want UNAVAILABLE", what, err)
		}
		cancel()
	}
	for i, endpoint := range read.GetEndpoint() {
		through := &flight.FlightEndpoint{Ticket: endpoint.GetTicket()} // names no location: it is read at the door
		soon, cancel := context.WithTimeout(ctx, answerLimit)
		var part client.Part
		if err := second.ReadEndpoint(soon, through, &part, nil, nil); err != nil && status.Code(err) != codes.Unavailable {
			t.Errorf("endpoint %d of a result that was known: %v, want its rows, or UNAVAILABLE", i, err)
		}
		for _, b := range part.Batches {
			b.Release()
		}
		cancel()
	}
	if n, err := harness.Count(ctx, second, orderTotals); err != nil || n != want {
		t.Errorf("the statement sent again counts %d, %v; want %d", n, err, want)
	}
	for _, w := range cluster.Workers { // what the dead one wanted of them runs for two minutes more
		w.Kill()
	}
}

// awaitRunning waits until a coordinator runs so many queries beside the one that asks.
func awaitRunning(ctx context.Context, t *testing.T, s *client.Session, want int64) {
	t.Helper()
	for {
		n, err := harness.Count(ctx, s, "SELECT count(*) FROM sys.queries WHERE state = 'running' AND statement LIKE '%lineitem c%' AND statement NOT LIKE '%sys.queries%'")
		if err == nil && n >= want {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d queries run, want %d: %v", n, want, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
