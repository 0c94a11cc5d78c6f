package badinput

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
)

// A bench is one running cluster over a folder of our own, with a session.
type bench struct {
	cluster *harness.Cluster
	session *client.Session
	data    string
}

// tables are the files that plain DuckDB writes: a good one, one to corrupt and one to remove, and rows enough to stream.
var tables = map[string]string{
	"good":    "SELECT i AS id, 'row ' || i AS label FROM range(1000) AS r(i)",
	"corrupt": "SELECT i AS id, hash(i) AS h FROM range(200000) AS r(i)",
	"garbled": "SELECT i AS id, hash(i) AS h FROM range(200000) AS r(i)",
	"gone":    "SELECT i AS id, hash(i) AS h FROM range(200000) AS r(i)",
	"changed": "SELECT i AS id, hash(i) AS h FROM range(200000) AS r(i)",
}

// newBench makes the data and starts a coordinator with two workers; flags are more flags of the coordinator.
func newBench(t *testing.T, options ...func(*harness.Options)) *bench {
	t.Helper()
	b := &bench{data: t.TempDir()}
	question := oracle.Question{Out: t.TempDir()}
	for name, query := range tables {
		question.Setup = append(question.Setup, "COPY ("+query+") TO '"+b.file(name)+"' (FORMAT parquet, ROW_GROUP_SIZE 20000)")
	}
	if _, err := oracle.Ask(t.Context(), question); err != nil {
		t.Fatal(err)
	}
	o := harness.Options{Data: []string{b.data}, Workers: 2}
	for _, change := range options {
		change(&o)
	}
	b.cluster = harness.Start(t, o)
	b.cluster.CheckIdle(t)
	b.session = b.dial(t, client.Options{})
	return b
}

func (b *bench) file(table string) string { return filepath.Join(b.data, table+".parquet") }

func (b *bench) dial(t *testing.T, o client.Options) *client.Session {
	t.Helper()
	session, err := client.Dial(t.Context(), b.cluster.Door.Address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// works holds that the next query gives the right answer.
func (b *bench) works(t *testing.T) {
	t.Helper()
	sum, err := harness.Count(t.Context(), b.session, "SELECT CAST(sum(id) AS BIGINT) FROM good")
	if err != nil {
		t.Fatalf("the next query fails: %v", err)
	}
	if sum != 499500 {
		t.Errorf("the next query gives %d, want 499500", sum)
	}
}

// wroteNothing holds that no file of a pattern came to be.
func (b *bench) wroteNothing(t *testing.T, pattern string) {
	t.Helper()
	if found, _ := filepath.Glob(pattern); len(found) > 0 {
		t.Errorf("files were written: %q", found)
		for _, path := range found {
			os.Remove(path)
		}
	}
}

// code gives the gRPC status and message of an error.
func code(err error) (codes.Code, string) {
	s, ok := status.FromError(err)
	if !ok {
		return codes.Unknown, err.Error()
	}
	return s.Code(), s.Message()
}
