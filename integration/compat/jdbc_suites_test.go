package compat

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
)

const (
	// suitesLimit bounds all suites of one run, on a machine with other work.
	suitesLimit = 15 * time.Minute
	suiteMain   = "sql.arbalest.compat.SuiteMain"
	// Every row of lineitem so often makes the large result: 10.2 million rows, or 600 thousand as a sample.
	largeCopies, sampleCopies = 34, 2
)

// plain are the connection properties for a server without TLS.
var plain = map[string]string{"useEncryption": "false"}

// TestJDBC runs the suites of the JDBC driver against a coordinator and two workers, and sees that nothing of them is left.
func TestJDBC(t *testing.T) {
	data, made := typesData(t)
	calls := readCalls(t, "testdata/jdbc_metadata.txt")
	setup := javaSetup{Properties: plain, Calls: calls.list(),
		Suites: []string{"metadata", "tables", "parameters", "batches", "transactions", "ends", "urls", "pool", "large"}}
	large(t, data, &setup)
	cluster := harness.Start(t, harness.Options{Data: []string{data, made}, Workers: workers})
	outcome := runSuites(t, cluster, "jdbc", suiteMain, setup)
	left := cluster.WaitClosed(t.Context())
	if left != nil {
		t.Errorf("after all connections were closed something is left: %v", left)
	}
	places := strings.NewReplacer(cluster.Door.Address, "{address}", version(t), "{version}")
	getters := t.Run("getters", func(t *testing.T) { compareGetters(t, "testdata/jdbc_getters.txt", outcome.Getters, places) })
	metadata := t.Run("metadata", func(t *testing.T) { calls.compare(t, outcome.Calls, places) })
	writeColumn(t, jdbcColumn(outcome, getters, metadata, left), "-suites")
}

// jdbcColumn is what the suites showed, as docs/compatibility.md tells it.
func jdbcColumn(o *javaOutcome, getters, metadata bool, left error) Column {
	told := func(ok bool, detail string) Verdict {
		if !ok {
			return "no: the test fails"
		}
		return o.verdict(detail, "metadata/")
	}
	released := func(prefix string) Verdict {
		if left != nil {
			return Verdict("no: something is left at the server: " + left.Error())
		}
		return o.verdict("", prefix)
	}
	ours := "has no call for it"
	column := Column{Client: "jdbc", Version: strings.TrimPrefix(o.Client, "JDBC "), Features: map[string]Verdict{
		"prepared":         o.verdict("", "tables/prepared", "parameters/the metadata"),
		"parameters":       o.verdict("", "parameters/"),
		"many rows bound":  o.verdict("a batch of a prepared statement gives one count for all its rows; the driver has no batches of statements", "batches/"),
		"temporary tables": o.verdict("", "tables/"),
		"transactions":     o.verdict("by statements (BEGIN, COMMIT, ROLLBACK); the driver never tells a server of setAutoCommit, commit and rollback", "transactions/"),
		"session":          o.verdict("", "tables/another connection", "urls/a connection with a catalog"),
		"session options":  o.verdict("the property catalog; such a connection also closes its session", "urls/a URL with a catalog", "urls/an unknown catalog"),
		"catalogs":         told(metadata, ""),
		"table schema":     told(metadata, ""),
		"keys":             told(metadata, ""),
		"server info":      told(getters, "142 of 142 getters of DatabaseMetaData answer, 85 of them by what the server says"),
		"streaming":        o.verdict("", "ends/closing a result", "ends/cancel while"),
		"errors":           o.verdict("", "ends/a fault"),
		"cancel":           o.verdict("", "ends/cancel", "ends/closing"),
		"timeout":          o.verdict("", "ends/setQueryTimeout", "ends/the server's own"),
		"50 connections":   released("pool/"),
		"savepoints":       "no: the driver has none (SQLFeatureNotSupportedException)",
		"type info":        "no: the driver answers by itself, with no rows",
		"ingest":           Verdict("n/a: JDBC " + ours), "partitions": Verdict("n/a: JDBC " + ours), "poll": Verdict("n/a: JDBC " + ours),
		"renew": Verdict("n/a: JDBC " + ours), "data frames": Verdict("n/a: JDBC " + ours), "plain flight": Verdict("n/a: JDBC " + ours),
	}}
	if fullSize() {
		column.Features["10 M rows"] = released("large/")
	}
	return column
}

// typesData makes the TPC-H tables and, in another folder, the table of every type.
func typesData(t *testing.T) (data, made string) {
	t.Helper()
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	made = t.TempDir()
	copyTypes, _ := makeTypes(filepath.Join(made, "alltypes.parquet"))
	ask(t, oracle.Question{Out: t.TempDir(), Setup: []string{copyTypes}})
	return data, made
}

// large sets the large result, with its count and sum from the oracle.
func large(t *testing.T, data string, setup *javaSetup) {
	t.Helper()
	copies := sampleCopies
	if fullSize() {
		copies = largeCopies
	}
	tables, err := harness.Tables(data)
	if err != nil {
		t.Fatal(err)
	}
	setup.LargeSQL = fmt.Sprintf("SELECT l_orderkey AS id, n + 1 AS v, l_comment AS s FROM lineitem, range(%d) AS r(n)", copies)
	sums := ask(t, oracle.Question{Out: t.TempDir(), Tables: tables, Statements: []oracle.Statement{
		{Name: "large", SQL: fmt.Sprintf("SELECT count(*)::VARCHAR, sum(id * v)::VARCHAR FROM (%s)", setup.LargeSQL)}}})["large"]
	for i, to := range []*int64{&setup.LargeRows, &setup.LargeSum} {
		if *to, err = strconv.ParseInt(sums.Cells[0][i].Text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
}

// version is what the server calls itself: the second word of `arbalest version`.
func version(t *testing.T) string {
	t.Helper()
	binary, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), binary, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(string(text), ",")
	return strings.TrimPrefix(name, "arbalest ")
}

// TestJDBCLogin runs the suite of logins against a server that wants TLS and a user, in one process.
func TestJDBCLogin(t *testing.T) {
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	trusted, stranger := newAuthority(t, dir, "authority"), newAuthority(t, dir, "stranger")
	certificate, key := trusted.server(t, dir)
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte(harness.UserLine("ada", "s3cret")), 0o600); err != nil {
		t.Fatal(err)
	}
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: 2, Embedded: true,
		Flags: []string{"--users", users, "--tls-cert", certificate, "--tls-key", key, "--tls-ca", trusted.path}})
	login := javaLogin{User: "ada", Password: "s3cret", Authority: trusted.path, Stranger: stranger.path}
	login.Token = basicToken(t, cluster, trusted, login)
	outcome := runSuites(t, cluster, "jdbc", suiteMain, javaSetup{Suites: []string{"logins"}, Login: login})
	writeColumn(t, Column{Client: "jdbc", Features: map[string]Verdict{
		"login": outcome.verdict("", "logins/user", "logins/a wrong password", "logins/an unknown user", "logins/nobody"),
		"token": outcome.verdict("", "logins/token", "logins/a wrong token"),
		"tls":   outcome.verdict("", "logins/TLS", "logins/no TLS"),
	}}, "-logins")
	if err := cluster.WaitClosed(t.Context()); err != nil {
		t.Errorf("after all connections were closed something is left: %v", err)
	}
}

// basicToken logs in by password and returns the bearer token that the server gives for it.
func basicToken(t *testing.T, cluster *harness.Cluster, trusted *authority, login javaLogin) string {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(trusted.certificate)
	client, err := flight.NewClientWithMiddleware(cluster.Door.Address, nil, nil,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ctx, err = client.AuthenticateBasicToken(ctx, login.User, login.Password)
	if err != nil {
		t.Fatal(err)
	}
	sent, _ := metadata.FromOutgoingContext(ctx)
	for _, value := range sent.Get("authorization") {
		if token, ok := strings.CutPrefix(value, "Bearer "); ok {
			return token
		}
	}
	t.Fatalf("the login gave no bearer token: %v", sent)
	return ""
}
