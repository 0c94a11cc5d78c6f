package badinput

import (
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

// refused are statements that never run. Each message must match.
var refused = []struct {
	name    string
	sql     string
	status  codes.Code
	message string // a regular expression
}{
	{"SyntaxErrorPosition", "SELECT l_orderkey FORM lineitem WHERE", codes.InvalidArgument, `(?s)syntax error at or near.*(position \d+|LINE 1:.*\^)`},
	{"SyntaxErrorUnclosedString", "SELECT 'abc", codes.InvalidArgument, `unterminated|syntax error`},
	{"BinderErrorColumn", "SELECT l_orderkeyy FROM good", codes.InvalidArgument, `(?s)l_orderkeyy.*(not found|Candidate)`},
	{"BinderErrorTypes", "SELECT id + [1] FROM good", codes.InvalidArgument, `No function matches|Cannot`},
	{"BinderErrorPosition", "SELECT id, nope FROM good", codes.InvalidArgument, `(?s)nope.*(position \d+|LINE 1:.*\^)`},
	{"UnknownFunction", "SELECT frobnicate(id) FROM good", codes.InvalidArgument, `frobnicate`},
	{"UnknownTableNearestNames", "SELECT * FROM goood", codes.NotFound, `(?s)goood.*Did you mean good`},
	{"UnknownSchema", "SELECT * FROM nowhere.good", codes.NotFound, `nowhere`},
	{"SeveralStatements", "SELECT 1; SELECT 2", codes.InvalidArgument, `statement`},
	{"Empty", "   ", codes.InvalidArgument, `.`},
	{"Copy", "COPY good TO '/tmp/arbalest-should-not-exist.csv'", codes.PermissionDenied, `COPY`},
	{"CopyQuery", "COPY (SELECT 1) TO '/tmp/arbalest-should-not-exist.csv'", codes.PermissionDenied, `COPY`},
	{"Attach", "ATTACH '/tmp/arbalest-should-not-exist.db' AS x", codes.PermissionDenied, `ATTACH`},
	{"Install", "INSTALL httpfs", codes.PermissionDenied, `INSTALL`},
	{"Load", "LOAD httpfs", codes.PermissionDenied, `LOAD`},
	{"Pragma", "PRAGMA database_list", codes.PermissionDenied, `PRAGMA`},
	{"Export", "EXPORT DATABASE '/tmp/arbalest-should-not-exist'", codes.PermissionDenied, `EXPORT`},
	{"ReadCSV", "SELECT * FROM read_csv('/etc/passwd')", codes.PermissionDenied, `read_csv|outside the catalog`},
	{"ReadText", "SELECT * FROM read_text('/etc/passwd')", codes.PermissionDenied, `read_text|outside the catalog`},
	{"ReadParquetFile", "SELECT * FROM '/etc/passwd.parquet'", codes.PermissionDenied, `outside the catalog|/etc/passwd.parquet`},
	{"ReadInSubquery", "SELECT (SELECT content FROM read_text('/etc/hostname')) FROM good", codes.PermissionDenied, `read_text|outside the catalog`},
	{"Glob", "SELECT * FROM glob('/*')", codes.PermissionDenied, `glob|outside the catalog`},
	{"Getenv", "SELECT getenv('HOME')", codes.PermissionDenied, `getenv`},
	{"EngineSetting", "SET enable_external_access = true", codes.InvalidArgument, `enable_external_access`},
	{"CreateTable", "CREATE TABLE t (a INTEGER)", codes.Unimplemented, `not supported yet`},
	{"CreateTableAs", "CREATE TABLE t AS SELECT 1", codes.Unimplemented, `not supported yet`},
	{"CreateView", "CREATE VIEW v AS SELECT 1", codes.Unimplemented, `not supported yet`},
	{"DropTable", "DROP TABLE good", codes.Unimplemented, `not supported yet`},
	{"Insert", "INSERT INTO good VALUES (1)", codes.Unimplemented, `not supported yet`},
	{"Update", "UPDATE good SET id = 1", codes.Unimplemented, `not supported yet`},
	{"Delete", "DELETE FROM good", codes.Unimplemented, `not supported yet`},
	{"SettingUnknown", "SET arbalest.nope = 1", codes.InvalidArgument, `arbalest\.nope`},
	{"SettingValue", "SET arbalest.distributed = 'maybe'", codes.InvalidArgument, `(?s)maybe.*auto`},
	{"DivisionAtRun", "SELECT CAST('x' || id AS INTEGER) FROM good", codes.InvalidArgument, `Could not convert`},
	{"ParameterMissing", "SELECT ? + 1", codes.InvalidArgument, `parameter`},
}

// TestRefused sends each bad statement, and a good one after it in the same session.
func TestRefused(t *testing.T) {
	b := newBench(t)
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			b.refuses(t, c.sql, c.status, c.message)
			b.works(t)
		})
	}
	t.Run("NothingWritten", func(t *testing.T) { b.wroteNothing(t, "/tmp/arbalest-should-not-exist*") })
}

// refuses holds that a statement fails with a status and a message, either at once or when its result is read.
func (b *bench) refuses(t *testing.T, sql string, want codes.Code, message string) {
	t.Helper()
	result, err := b.session.Query(t.Context(), sql)
	if err == nil {
		result.Release()
		t.Fatalf("%s ran and gave %d rows", sql, result.Rows())
	}
	b.expect(t, err, want, message)
}

// expect compares an error with what it should be; no message may show the server's own code.
func (b *bench) expect(t *testing.T, err error, want codes.Code, message string) {
	t.Helper()
	got, text := code(err)
	if got != want {
		t.Errorf("status %s, want %s: %s", got, want, text)
	}
	if !regexp.MustCompile(message).MatchString(text) {
		t.Errorf("message %q does not match %q", text, message)
	}
	if strings.Contains(text, "goroutine ") || strings.Contains(text, "arbalest_") || strings.Contains(text, ".go:") {
		t.Errorf("message shows the inside of the server: %q", text)
	}
}
