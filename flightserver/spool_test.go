package flightserver

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
)

func renew(t testing.TB, c *flightsql.Client, e *flight.FlightEndpoint) (*flight.FlightEndpoint, error) {
	t.Helper()
	return c.RenewFlightEndpoint(testContext(t), &wire.RenewFlightEndpointRequest{Endpoint: e})
}

// A spooled result is read again and again, by whom it belongs to, until it expires; renewing moves that.
func TestSpooledResults(t *testing.T) {
	r := startReal(t, 3, nil)
	c := r.session(t)
	if faults := set(t, c, map[string]any{"arbalest.results": "spool"}); len(faults) > 0 {
		t.Fatal(faults)
	}
	for sql, rows := range map[string]int{
		"SELECT id FROM events":                             eventFiles * eventPerFile,
		"SELECT id FROM events ORDER BY id DESC":            eventFiles * eventPerFile,
		"SELECT max(id) FROM events GROUP BY kind":          3,
		"SELECT id FROM events WHERE id < 0":                0,
		"SELECT id FROM events WHERE id < 10 ORDER BY ALL":  10,
		"SELECT random()::BIGINT FROM events WHERE id < 10": 10,
		// By the coordinator alone.
		"SELECT 1::BIGINT": 1,
		"SELECT (random() * 1e15)::BIGINT FROM (VALUES (1), (2))": 2,
		"SELECT tasks::BIGINT FROM sys.queries WHERE false":       0,
		"SELECT count(*) FROM sys.workers":                        1,
	} {
		info, err := c.Execute(testContext(t), sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if int(info.GetTotalRecords()) != rows {
			t.Errorf("%s: %d records announced, want %d", sql, info.GetTotalRecords(), rows)
		}
		for _, e := range info.GetEndpoint() {
			if left := time.Until(e.GetExpirationTime().AsTime()); left < time.Minute || left > 10*time.Minute {
				t.Errorf("%s: an endpoint expires in %s", sql, left)
			}
		}
		first := integers(read(t, c, info))
		again := integers(read(t, c, info))
		if len(first) != rows || !slices.Equal(first, again) {
			t.Errorf("%s: %d rows, then %d, or others", sql, len(first), len(again))
		}
		if sql == "SELECT id FROM events ORDER BY id DESC" && !slices.IsSortedFunc(first, func(a, b int64) int { return int(b - a) }) {
			t.Error("the order is lost")
		}
		before := info.GetEndpoint()[0].GetExpirationTime().AsTime()
		renewed, err := renew(t, c, info.GetEndpoint()[0])
		if err != nil {
			t.Fatal(err)
		}
		if !renewed.GetExpirationTime().AsTime().After(before) {
			t.Errorf("%s: renewed from %s to %s", sql, before, renewed.GetExpirationTime().AsTime())
		}
		only := &flight.FlightInfo{Schema: info.GetSchema(), Endpoint: []*flight.FlightEndpoint{renewed}}
		read(t, c, only)
		if _, err := c.CancelFlightInfo(testContext(t), &wire.CancelFlightInfoRequest{Info: info}); err != nil {
			t.Error(err)
		}
		_, err = renew(t, c, info.GetEndpoint()[0])
		wantCode(t, err, codes.Canceled)
	}
	if _, err := c.Execute(testContext(t), "SELECT error('it failed')"); err == nil || !strings.Contains(err.Error(), "it failed") {
		t.Errorf("a fault shows at once: %v", err)
	}
	r.cluster.Idle(t)
}

// Streamed results have no expiration, and say how to get one; metadata can be read whenever.
func TestRenewOthers(t *testing.T) {
	r := startReal(t, 1, nil)
	c := r.session(t)
	info, err := c.Execute(testContext(t), "SELECT id FROM events")
	if err != nil {
		t.Fatal(err)
	}
	if e := info.GetEndpoint()[0]; e.GetExpirationTime() != nil {
		t.Errorf("a streamed result expires at %s", e.GetExpirationTime().AsTime())
	}
	_, err = renew(t, c, info.GetEndpoint()[0])
	wantCode(t, err, codes.InvalidArgument)
	read(t, c, info)
	if info, err = c.GetCatalogs(testContext(t)); err != nil {
		t.Fatal(err)
	}
	renewed, err := renew(t, c, info.GetEndpoint()[0])
	if err != nil {
		t.Fatal(err)
	}
	read(t, c, &flight.FlightInfo{Schema: info.GetSchema(), Endpoint: []*flight.FlightEndpoint{renewed}})
	for _, bad := range []*flight.FlightEndpoint{nil, {}, {Ticket: &flight.Ticket{Ticket: []byte("x")}}} {
		_, err := renew(t, c, bad)
		wantRefused(t, "renewing nonsense", err)
	}
	r.cluster.Idle(t)
}

// A worker that dies takes its part of a spooled result with it: the client is told, not given less.
func TestSpooledResultOfLostWorker(t *testing.T) {
	r := startReal(t, 2, nil)
	c := r.session(t)
	set(t, c, map[string]any{"arbalest.results": "spool"})
	info, err := c.Execute(testContext(t), "SELECT id FROM events")
	if err != nil {
		t.Fatal(err)
	}
	read(t, c, info)
	r.cluster.Workers[1].Kill()
	for _, e := range info.GetEndpoint() {
		stream, err := c.DoGet(testContext(t), e.GetTicket())
		if err == nil {
			stream.Release()
		}
		wantCode(t, err, codes.Unavailable)
	}
	_, err = renew(t, c, info.GetEndpoint()[0])
	wantCode(t, err, codes.Unavailable)
	r.cluster.Idle(t)
}
