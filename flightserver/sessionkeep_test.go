package flightserver

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"

	"github.com/arbalest-sql/arbalest/internal/temptable"
)

func trySet(t testing.TB, c *flightsql.Client, name string, value any) error {
	t.Helper()
	v, err := flight.NewSessionOptionValue(value)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.SetSessionOptions(testContext(t), &flight.SetSessionOptionsRequest{SessionOptions: map[string]*flight.SessionOptionValue{name: &v}})
	return err
}

func setOption(t testing.TB, c *flightsql.Client, name string, value any) {
	t.Helper()
	if err := trySet(t, c, name, value); err != nil {
		t.Fatal(err)
	}
}

// zoneOf is the time zone that the server's newest statement ran in.
func zoneOf(f *fixture) string {
	r, _ := f.fake.last()
	return r.Settings.TimeZone()
}

// A session that rests loses its statements, and not its options: the next statement would give other rows.
func TestRestingSessionsKeepTheirOptions(t *testing.T) {
	now := time.Now()
	f := start(t, func(c *Config) { c.Now = func() time.Time { return now } })
	c := f.session(t)
	setOption(t, c, "TimeZone", "Asia/Tokyo")
	p := prepareStatement(t, c, "params ?")
	now = now.Add(f.cfg.SessionIdleMax)
	if u := f.Usage(); u != (Usage{}) {
		t.Errorf("after the idle time: %+v", u)
	}
	query(t, c, "rows 1 1")
	if zone := zoneOf(f); zone != "Asia/Tokyo" {
		t.Errorf("after a rest, a statement ran in %s", zone)
	}
	_, err := p.GetSchema(testContext(t))
	wantCode(t, err, codes.NotFound)
	// As long as its token is good, and used.
	for range 3 {
		now = now.Add(f.cfg.TokenTTL * 9 / 10)
		query(t, c, "rows 1 1")
	}
	if zone := zoneOf(f); zone != "Asia/Tokyo" {
		t.Errorf("after long use, a statement ran in %s", zone)
	}
	// Options that are the defaults again leave nothing.
	setOption(t, c, "TimeZone", "UTC")
	if records := f.cfg.Sessions.(*restingRecords); records.order.Len() != 0 {
		t.Errorf("%d records are left", records.order.Len())
	}
	setOption(t, c, "TimeZone", "Asia/Tokyo")
	now = now.Add(f.cfg.SessionIdleMax)
	f.Usage()
	if _, err := c.CloseSession(testContext(t), &wire.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	query(t, c, "rows 1 1")
	if zone := zoneOf(f); zone != "UTC" {
		t.Errorf("after it was closed, a statement ran in %s", zone)
	}
	if records := f.cfg.Sessions.(*restingRecords); records.order.Len() != 0 || len(f.sessions.resting) != 0 {
		t.Errorf("%d records, %d sessions are left", records.order.Len(), len(f.sessions.resting))
	}
}

// Temporary tables that are gone are not taken for none, which would let a statement read another table of the name.
func TestLostTemporaryTablesAreTold(t *testing.T) {
	now := time.Now()
	f := start(t, func(c *Config) { c.Now = func() time.Time { return now } })
	c := f.session(t)
	setOption(t, c, "arbalest.partitions", int64(4))
	f.sessions.mu.Lock()
	s := f.sessions.order.Front().Value.(*session)
	f.sessions.mu.Unlock()
	if err := s.tables.In(0).Put(temptable.NewVersion("t", nil, nil)); err != nil {
		t.Fatal(err)
	}
	query(t, c, "rows 1 1") // a statement that ends notes them
	setOption(t, c, "arbalest.partitions", int64(0))
	s.tables.In(0).Drop("t")
	if f.Usage().Sessions != 1 {
		t.Error("the session was forgotten before its record")
	}
	query(t, c, "rows 1 1") // and that they are gone
	if u, records := f.Usage(), f.cfg.Sessions.(*restingRecords); u != (Usage{}) || records.order.Len() != 0 {
		t.Errorf("without tables and options: %+v, %d records", u, records.order.Len())
	}
	setOption(t, c, "arbalest.partitions", int64(4))
	f.sessions.mu.Lock()
	s = f.sessions.order.Front().Value.(*session)
	f.sessions.mu.Unlock()
	if err := s.tables.In(0).Put(temptable.NewVersion("t", nil, nil)); err != nil {
		t.Fatal(err)
	}
	query(t, c, "rows 1 1")
	now = now.Add(f.cfg.SessionIdleMax)
	f.Usage()
	for range 2 {
		_, err := c.Execute(testContext(t), "rows 1 1")
		wantCode(t, err, codes.Unauthenticated)
	}
	if _, err := c.CloseSession(testContext(t), &wire.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	query(t, c, "rows 1 1")
}
