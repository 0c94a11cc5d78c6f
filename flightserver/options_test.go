package flightserver

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/arbalest-sql/arbalest/internal/settings"
)

func set(t testing.TB, c *flightsql.Client, options map[string]any) map[string]*flight.SetSessionOptionsResultError {
	t.Helper()
	values, err := flight.NewSessionOptionValues(options)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.SetSessionOptions(testContext(t), &flight.SetSessionOptionsRequest{SessionOptions: values})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetErrors()
}

func get(t testing.TB, c *flightsql.Client) map[string]*flight.SessionOptionValue {
	t.Helper()
	r, err := c.GetSessionOptions(testContext(t), &flight.GetSessionOptionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetSessionOptions()
}

func TestSessionOptions(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	query(t, c, "rows 1 1")
	all := get(t, c)
	if len(all) != len(settings.Names()) || all["catalog"].GetStringValue() != "arbalest" || all["schema"].GetStringValue() != "main" {
		t.Errorf("options %v", all)
	}
	errs := set(t, c, map[string]any{
		"catalog": "lake", "schema": "RAW", "arbalest.partitions": int64(8), "arbalest.task_attempts": "2", "arbalest.ordered_endpoints": true,
		"TimeZone": "europe/berlin", "arbalest.query_timeout": 1.5,
		"threads": int64(4), "arbalest.spill": "never", "arbalest.results": []string{"spool"}, "arbalest.distributed": nil,
	})
	for name, want := range map[string]wire.SetSessionOptionsResult_ErrorValue{
		"threads": wire.SetSessionOptionsResult_INVALID_NAME, "arbalest.spill": wire.SetSessionOptionsResult_INVALID_VALUE,
		"arbalest.results": wire.SetSessionOptionsResult_INVALID_VALUE,
	} {
		if errs[name] == nil || errs[name].GetValue() != want {
			t.Errorf("%s: %v, want %v", name, errs[name], want)
		}
		delete(errs, name)
	}
	if len(errs) > 0 {
		t.Errorf("refused: %v", errs)
	}
	all = get(t, c)
	if all["catalog"].GetStringValue() != "lake" || all["schema"].GetStringValue() != "RAW" || all["arbalest.partitions"].GetInt64Value() != 8 ||
		!all["arbalest.ordered_endpoints"].GetBoolValue() || all["TimeZone"].GetStringValue() != "Europe/Berlin" ||
		all["arbalest.query_timeout"].GetStringValue() != "1.5s" {
		t.Errorf("options %v", all)
	}
	query(t, c, "rows 1 1")
	if r, _ := f.fake.last(); r.Settings.Partitions() != 8 || r.Settings.TaskAttempts() != 2 || r.Settings.Schema() != "RAW" {
		t.Errorf("a statement ran with %s", r.Settings.Fingerprint())
	}
	// A value that is unset is the default again, and a catalog that does not exist is refused: the JDBC driver's connect fails then.
	errs = set(t, c, map[string]any{"arbalest.partitions": nil, "catalog": "nowhere"})
	if len(errs) != 1 || errs["catalog"].GetValue() != wire.SetSessionOptionsResult_INVALID_VALUE {
		t.Errorf("errors %v", errs)
	}
	if all = get(t, c); all["arbalest.partitions"].GetInt64Value() != 0 || all["catalog"].GetStringValue() != "lake" {
		t.Errorf("options %v", all)
	}
	r, err := c.CloseSession(testContext(t), &flight.CloseSessionRequest{})
	if err != nil || r.GetStatus() != flight.CloseSessionResultClosed {
		t.Errorf("close: %v, %v", r, err)
	}
	if all = get(t, c); all["catalog"].GetStringValue() != "arbalest" {
		t.Errorf("options after close %v", all)
	}
}

// Options that come as headers are those that a session begins with.
func TestOptionHeaders(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	execute := func(headers ...string) (*flight.FlightInfo, error) {
		return c.Execute(metadata.AppendToOutgoingContext(testContext(t), headers...), "rows 1 1")
	}
	ran := func(partitions int, temporary bool, headers ...string) {
		t.Helper()
		info, err := execute(headers...)
		if err != nil {
			t.Fatal(err)
		}
		read(t, c, info)
		if r, _ := f.fake.last(); r.Settings.Partitions() != partitions || r.Settings.CreateTemporary() != temporary {
			t.Errorf("%v: ran with %s", headers, r.Settings.Fingerprint())
		}
	}
	ran(0, false)
	ran(3, true, "arbalest.partitions", "3", "Arbalest.Create_Temporary", "true")
	ran(4, false, "arbalest.partitions", "3", "arbalest.partitions", "4", "arbalest-other", "x")
	if n := f.Usage().Sessions; n != 0 {
		t.Errorf("%d sessions are kept for their headers", n)
	}
	for _, bad := range [][]string{{"arbalest.partitions", "many"}, {"arbalest.unknown", "1"}} {
		_, err := execute(bad...)
		wantCode(t, err, codes.InvalidArgument)
	}
	// What a session was told counts, not what calls that come later ask for.
	change := func(name string, value any) {
		t.Helper()
		values, err := flight.NewSessionOptionValues(map[string]any{name: value})
		if err != nil {
			t.Fatal(err)
		}
		ctx := metadata.AppendToOutgoingContext(testContext(t), "arbalest.partitions", "3")
		if _, err := c.SetSessionOptions(ctx, &flight.SetSessionOptionsRequest{SessionOptions: values}); err != nil {
			t.Fatal(err)
		}
	}
	change("arbalest.create_temporary", true)
	ran(3, true)
	ran(3, true, "arbalest.partitions", "9", "arbalest.create_temporary", "false")
	change("arbalest.partitions", nil)
	change("arbalest.create_temporary", false)
	ran(0, false, "arbalest.partitions", "3")
}
