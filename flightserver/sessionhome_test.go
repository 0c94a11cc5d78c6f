package flightserver

import (
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/arbalest-sql/arbalest/internal/temptable"
)

// statements are the texts that a server ran.
func statements(f *fixture) (all []string) {
	f.fake.mu.Lock()
	defer f.fake.mu.Unlock()
	for _, r := range f.fake.submitted {
		all = append(all, r.SQL)
	}
	return all
}

// Every call of a session can be made at any coordinator: its home answers it.
func TestSessionsOfOtherCoordinators(t *testing.T) {
	owner, other := pair(t)
	cookies := flight.CreateClientMiddleware(flight.NewCookieMiddleware())
	mine, theirs := owner.client(t, cookies), other.client(t, cookies)
	query(t, mine, "rows 1 1")
	setOption(t, theirs, "TimeZone", "Asia/Tokyo")
	info, err := theirs.Execute(testContext(t), "rows 2 3")
	if err != nil {
		t.Fatal(err)
	}
	if got := integers(read(t, mine, info)); len(got) != 6 {
		t.Errorf("read %v", got)
	}
	if zone := zoneOf(owner); zone != "Asia/Tokyo" {
		t.Errorf("it ran in %s", zone)
	}
	options, err := mine.GetSessionOptions(testContext(t), &flight.GetSessionOptionsRequest{})
	if err != nil || options.GetSessionOptions()["TimeZone"].GetStringValue() != "Asia/Tokyo" {
		t.Errorf("options at home: %v, %v", options, err)
	}
	if _, err := theirs.ExecutePoll(testContext(t), "rows 1 1", nil); err != nil {
		t.Error(err)
	}
	if _, err := theirs.GetExecuteSchema(testContext(t), "rows 1 1"); err != nil {
		t.Error(err)
	}
	if n, err := theirs.ExecuteUpdate(testContext(t), "rows 1 1"); err != nil {
		t.Errorf("%d, %v", n, err)
	}
	tables, err := theirs.GetTables(testContext(t), &flightsql.GetTablesOpts{})
	if err != nil {
		t.Fatal(err)
	}
	if names := texts(read(t, theirs, tables), 2); !slices.Contains(names, "orders") {
		t.Errorf("tables %v", names)
	}
	flights, err := theirs.Client.ListFlights(testContext(t), &wire.Criteria{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flights.Recv(); err != nil {
		t.Error(err)
	}
	// Options that come as headers go on with the call.
	fresh := flight.CreateClientMiddleware(flight.NewCookieMiddleware())
	query(t, owner.client(t, fresh), "rows 1 1")
	if _, err := other.client(t, fresh).Execute(metadata.AppendToOutgoingContext(testContext(t), "arbalest.partitions", "7"), "rows 1 1"); err != nil {
		t.Fatal(err)
	}
	if r, _ := owner.fake.last(); r.Settings.Partitions() != 7 {
		t.Errorf("it ran with %d partitions", r.Settings.Partitions())
	}
	if ran := statements(other); len(ran) != 0 {
		t.Errorf("the other coordinator ran %q", ran)
	}
	if _, err := theirs.CloseSession(testContext(t), &wire.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	query(t, mine, "rows 1 1")
	if zone := zoneOf(owner); zone != "UTC" {
		t.Errorf("after it was closed elsewhere, it ran in %s", zone)
	}
	if u := other.Usage(); u != (Usage{}) {
		t.Errorf("the other coordinator holds %+v", u)
	}
}

// Handles work anywhere, for clients without tokens too: they name the session.
func TestHandlesOfOtherCoordinators(t *testing.T) {
	owner, other := pair(t)
	mine, theirs := owner.client(t), other.client(t)
	p := prepareStatement(t, mine, "params ?")
	there := flightsql.NewPreparedStatement(theirs, p.Handle())
	there.SetParameters(integersBatch(t, 41))
	if _, err := there.Execute(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if r, _ := owner.fake.last(); r.Params == nil {
		t.Error("the parameters were lost on the way")
	}
	txn, err := mine.BeginTransaction(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	moved, err := other.client(t).Client.DoAction(testContext(t), endOf(t, txn.ID()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := moved.Recv(); err != nil {
		t.Error(err)
	}
	if err := there.Close(testContext(t)); err != nil {
		t.Error(err)
	}
	if u := owner.Usage(); u != (Usage{}) {
		t.Errorf("the owner holds %+v", u)
	}
	_, err = flightsql.NewPreparedStatement(theirs, p.Handle()).Execute(testContext(t))
	wantCode(t, err, codes.NotFound)
	if ran := statements(other); len(ran) != 0 {
		t.Errorf("the other coordinator ran %q", ran)
	}
}

func endOf(t *testing.T, transaction []byte) *wire.Action {
	t.Helper()
	body, err := packCommand(&wire.ActionEndTransactionRequest{TransactionId: transaction, Action: wire.ActionEndTransactionRequest_END_TRANSACTION_COMMIT})
	if err != nil {
		t.Fatal(err)
	}
	return &wire.Action{Type: flightsql.EndTransactionActionType, Body: body}
}

// The heir of a coordinator goes on with its sessions by their records. What has none had nothing to lose, and what was lost is told.
func TestSessionsOfFallenCoordinators(t *testing.T) {
	var records SessionRecords
	owner, other := pair(t, func(c *Config) { c.Sessions = records })
	records = owner.cfg.Sessions
	other.Server.cfg.Sessions = records
	both := func() (mine, theirs *flightsql.Client) {
		cookies := flight.CreateClientMiddleware(flight.NewCookieMiddleware())
		mine, theirs = owner.client(t, cookies), other.client(t, cookies)
		query(t, mine, "rows 1 1")
		return mine, theirs
	}
	zoned, zonedLater := both()
	setOption(t, zoned, "TimeZone", "Asia/Tokyo")
	_, plainLater := both()
	holding, holdingLater := both()
	setOption(t, holding, "arbalest.partitions", int64(4))
	owner.sessions.mu.Lock()
	tables := owner.sessions.order.Back().Value.(*session).tables
	owner.sessions.mu.Unlock()
	if err := tables.In(0).Put(temptable.NewVersion("t", nil, nil)); err != nil {
		t.Fatal(err)
	}
	query(t, holding, "rows 1 1")
	p := prepareStatement(t, zoned, "params ?")

	other.fake.mu.Lock()
	other.fake.heir = map[string]bool{"here": true}
	other.fake.mu.Unlock()
	query(t, zonedLater, "rows 1 1")
	if zone := zoneOf(other); zone != "Asia/Tokyo" {
		t.Errorf("the session goes on in %s", zone)
	}
	query(t, plainLater, "rows 1 1")
	if zone := zoneOf(other); zone != "UTC" {
		t.Errorf("a session without options goes on in %s", zone)
	}
	_, err := holdingLater.Execute(testContext(t), "rows 1 1")
	wantCode(t, err, codes.Unauthenticated)
	_, err = flightsql.NewPreparedStatement(zonedLater, p.Handle()).Execute(testContext(t))
	wantCode(t, err, codes.NotFound)
	setOption(t, zonedLater, "TimeZone", "UTC")
	if r, err := records.Session(testContext(t), lastSession(other)); err != nil || r != nil {
		t.Errorf("a session with the defaults has the record %v, %v", r, err)
	}
}

func lastSession(f *fixture) string {
	r, _ := f.fake.last()
	return r.Session
}

// A session of a coordinator that nobody knows of is over, and what needs no session goes on.
func TestSessionsWithoutOthers(t *testing.T) {
	owner, other := pair(t)
	other.fake.others = nil
	cookies := flight.CreateClientMiddleware(flight.NewCookieMiddleware())
	mine, theirs := owner.client(t, cookies), other.client(t, cookies)
	query(t, mine, "rows 1 1")
	_, err := theirs.Execute(testContext(t), "rows 1 1")
	wantCode(t, err, codes.Unauthenticated)
	wantCode(t, trySet(t, theirs, "TimeZone", "Asia/Tokyo"), codes.Unauthenticated)
	if _, err := theirs.GetCatalogs(testContext(t)); err != nil {
		t.Error(err)
	}
}
