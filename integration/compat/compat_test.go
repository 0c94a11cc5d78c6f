package compat

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/scenario"
)

const (
	// scale is small: this is about clients, not about speed, and every client runs all 22 queries.
	scale = 0.05
	parts = 4
	// clientLimit bounds one client's whole plan.
	clientLimit = 5 * time.Minute
	workers     = 2
)

// A client is one program under test.
type clientUnderTest struct {
	name string
	run  func(context.Context, *scenario.Plan) error
	json bool // writes rows as JSON, not as Arrow
	// endpoints: the client tells how many endpoints a result has.
	endpoints bool
	// locations: the client goes to the workers itself; others read all through the door.
	locations bool
}

var clients = []clientUnderTest{
	{name: "flightsql-v18", run: runFlightSQL, endpoints: true, locations: true},
	{name: "flightsql-v15", run: runV15, endpoints: true},
	{name: "adbc-go", run: runADBC},
	{name: "adbc-python", run: runPython("adbc_client.py")},
	{name: "pyarrow", run: runPython("pyarrow_client.py"), endpoints: true, locations: true},
	{name: "jdbc", run: runJDBC, json: true},
}

// TestClients runs every client against one coordinator with two workers.
func TestClients(t *testing.T) {
	ctx := t.Context()
	data, err := harness.TPCH(ctx, scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	made := t.TempDir()
	copyTypes, selectTypes := makeTypes(filepath.Join(made, "alltypes.parquet"))
	tables, err := harness.Tables(data)
	if err != nil {
		t.Fatal(err)
	}
	setup := oracle.Question{Out: t.TempDir(), Setup: []string{copyTypes}, Tables: tables,
		Statements: []oracle.Statement{{Name: "lineitem", SQL: "SELECT count(*) AS n FROM lineitem"}}}
	lineitem := ask(t, setup)["lineitem"]
	total, err := strconv.ParseInt(lineitem.Cells[0][0].Text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	checks := steps(total, selectTypes)
	tables["alltypes"] = filepath.Join(made, "alltypes.parquet")
	wanted := ask(t, oracle.Question{Out: t.TempDir(), Tables: tables, Statements: questions(checks)})

	cluster := harness.Start(t, harness.Options{Data: []string{data, made}, Workers: workers})
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			report, dir := perform(t, cluster, c, checks, scenario.Plan{})
			if report.Error != "" {
				t.Fatalf("%s could not connect: %s %s", report.Client, report.Status, report.Error)
			}
			column := newSheet(c.name, "")
			for _, check := range checks {
				ok := t.Run(check.step.Name, func(t *testing.T) { judge(t, c, check, report, dir, wanted) })
				c.measured(column, check, ok)
			}
			column.write(t, "-clients")
			if err := cluster.WaitIdle(ctx); err != nil {
				t.Errorf("after %s something is left: %v", c.name, err)
			}
		})
	}
}

// measured notes what a step says of a feature. The features' own harnesses measure most again, in more ways.
func (c clientUnderTest) measured(column *sheet, check check, ok bool) {
	name := check.step.Name
	for prefix, feature := range map[string]string{"q": "tpch", "types": "types", "param": "parameters", "error": "errors", "after_error": "errors",
		"cancel": "cancel", "after_cancel": "cancel", "endpoints": "endpoints"} {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		column.passed(feature, ok)
		if feature == "endpoints" && c.locations {
			column.passed("locations", ok)
		}
	}
	if c.name == "flightsql-v15" {
		column.note("locations", "no: programs of v15 know no locations and read all through the coordinator")
	}
}

// ask puts questions to the oracle and reads every answer.
func ask(t *testing.T, q oracle.Question) map[string]*oracle.Rows {
	t.Helper()
	answers, err := oracle.Ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*oracle.Rows{}
	for name, answer := range answers {
		if all[name], err = answer.Rows(); err != nil {
			t.Fatalf("the oracle refuses %s: %v", name, err)
		}
	}
	return all
}

// perform lets a client run the checks' steps and reads its report.
func perform(t *testing.T, cluster *harness.Cluster, c clientUnderTest, checks []check, p scenario.Plan) (*scenario.Report, string) {
	t.Helper()
	host, port, err := net.SplitHostPort(cluster.Door.Address)
	if err != nil {
		t.Fatal(err)
	}
	p.URI, p.Host, p.Out = cluster.URI(), host, t.TempDir()
	if p.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		p.Steps = append(p.Steps, check.step)
	}
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	defer cancel()
	if err := c.run(ctx, &p); err != nil {
		t.Fatal(err)
	}
	report, err := scenario.ReadReport(p.Out)
	if err != nil {
		t.Fatal(err)
	}
	return report, p.Out
}

// judge compares one step's outcome with what must come of it.
func judge(t *testing.T, c clientUnderTest, check check, report *scenario.Report, dir string, wanted map[string]*oracle.Rows) {
	result, err := report.Step(check.step.Name)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case check.step.Kind == "cancel":
		// How a client words its own cancel is its affair; that it ended early and by a fault is ours. A JDBC result that
		// is cancelled may also just end.
		if result.Error == "" && c.name != "jdbc" {
			t.Errorf("was not cancelled: %d rows", result.Rows)
		}
		return
	case check.status != "":
		if result.Status != check.status || !strings.Contains(result.Error, check.fault) {
			t.Errorf("failed with %s %q, want %s and %q in the message", result.Status, result.Error, check.status, check.fault)
		}
		return
	case result.Error != "":
		t.Fatalf("%s: %s\n%s", result.Status, result.Error, check.step.SQL)
	case check.step.Count:
		if result.Rows != check.rows {
			t.Errorf("%d rows, want %d", result.Rows, check.rows)
		}
	case check.step.Kind != "execute":
		got, err := readResult(c, dir, check.step.Name)
		if err != nil {
			t.Fatal(err)
		}
		if err := oracle.Compare(wanted[check.step.Name], got, check.order...); err != nil {
			t.Errorf("%s\n%v", check.step.SQL, err)
		}
	}
	if strings.HasPrefix(check.step.Name, "endpoints") && c.endpoints {
		if result.Endpoints != workers {
			t.Errorf("%d endpoints, want one a worker", result.Endpoints)
		}
		if c.locations && len(result.Locations) < workers {
			t.Errorf("read at %q, want %d places", result.Locations, workers)
		}
	}
}

func readResult(c clientUnderTest, dir, name string) (*oracle.Rows, error) {
	if c.json {
		rows, err := oracle.ReadJSON(filepath.Join(dir, name+".json"))
		if err == nil && name == "types" {
			undoDriver(rows)
		}
		return rows, err
	}
	return oracle.ReadStream(filepath.Join(dir, name+".arrow"))
}

// TestLogin runs every client against a door that wants a user and a password: right and wrong ones.
func TestLogin(t *testing.T) {
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte(harness.UserLine("ada", "s3cret")), 0o600); err != nil {
		t.Fatal(err)
	}
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: 1, Flags: []string{"--users", users}})
	checks := []check{{step: scenario.Step{Name: "n", Kind: "query", SQL: "SELECT count(*) AS n FROM nation"}}}
	want := oracle.FromText("25")
	for _, c := range clients {
		right := t.Run(c.name, func(t *testing.T) {
			report, dir := perform(t, cluster, c, checks, scenario.Plan{User: "ada", Password: "s3cret"})
			judge(t, c, checks[0], report, dir, map[string]*oracle.Rows{"n": want})
		})
		wrong := t.Run(c.name+"-wrong", func(t *testing.T) {
			for _, p := range []scenario.Plan{{User: "ada", Password: "wrong"}, {User: "nobody", Password: "s3cret"}, {}} {
				status := refusal(t, cluster, c, checks, p)
				if !slices.Contains([]string{"UNAUTHENTICATED", "FlightUnauthenticatedError"}, status) {
					t.Errorf("user %q: %q, want UNAUTHENTICATED", p.User, status)
				}
			}
		})
		column := newSheet(c.name, "")
		column.passed("login", right && wrong)
		column.write(t, "-login")
	}
}

// refusal gives the status with which the connection or its first step failed; "" when neither did.
func refusal(t *testing.T, cluster *harness.Cluster, c clientUnderTest, checks []check, p scenario.Plan) string {
	t.Helper()
	report, _ := perform(t, cluster, c, checks, p)
	if report.Error != "" || len(report.Steps) == 0 {
		return report.Status
	}
	return report.Steps[0].Status
}
