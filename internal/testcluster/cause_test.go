package testcluster

import (
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// A client in mid-stream at a worker is told why its query ended, and so is one that comes later for another endpoint.
func TestReadersAreToldTheCause(t *testing.T) {
	causes := map[string]struct {
		sql  string
		set  map[string]any
		end  func(c *Cluster, q *coordinator.Query)
		kind qerr.Kind
		says string
	}{
		"deadline": {endless, map[string]any{settings.QueryTimeout: "1s"}, func(*Cluster, *coordinator.Query) {}, qerr.Deadline, "arbalest.query_timeout"},
		"kill":     {endless, nil, func(c *Cluster, q *coordinator.Query) { c.Rows(c.t, "KILL '"+string(q.ID())+"'") }, qerr.Cancelled, "KILL"},
		"failed sibling": {"SELECT CASE WHEN a.id = 7 AND b.id = 1 THEN error('boom') ELSE a.id END FROM sales a, sales b, sales c", nil,
			func(*Cluster, *coordinator.Query) {}, qerr.User, "boom"},
	}
	for name, cause := range causes {
		t.Run(name, func(t *testing.T) {
			c := Start(t, Options{Workers: 2, Data: writeTables(t)})
			q, err := c.Submit(t, cause.sql, trying(t, 4), func(r *coordinator.Request) {
				var err error
				for name, value := range cause.set {
					if r.Settings, err = r.Settings.Set(name, value); err != nil {
						t.Fatal(err)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := q.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			endpoints := q.State().Endpoints
			if len(endpoints) < 2 {
				t.Fatalf("%d endpoints", len(endpoints))
			}
			var readers []flightx.Reader
			var told []error
			for _, e := range endpoints {
				r, err := c.Open(t.Context(), e)
				if err != nil { // the sibling was fast
					told = append(told, err)
					continue
				}
				defer func() { _ = r.Close() }()
				readers = append(readers, r)
			}
			cause.end(c, q)
			for _, r := range readers {
				told = append(told, drain(t, r))
			}
			for _, err := range told {
				if !qerr.Is(err, cause.kind) || !strings.Contains(err.Error(), cause.says) {
					t.Errorf("a reader was told %v (%s), want %s with %q", err, qerr.KindOf(err), cause.kind, cause.says)
				}
			}
			if _, err := c.Open(t.Context(), endpoints[1]); !qerr.Is(err, cause.kind) || !strings.Contains(err.Error(), cause.says) {
				t.Errorf("one that comes later was told %v (%s)", err, qerr.KindOf(err))
			}
			c.Idle(t)
		})
	}
}

// endless has more rows than anybody reads.
const endless = "SELECT a.id FROM sales a, sales b, sales c"

// drain reads until the stream ends, and says how.
func drain(t *testing.T, r flightx.Reader) error {
	t.Helper()
	for {
		batch, err := r.Next(t.Context())
		if err != nil {
			return err
		}
		batch.Release()
	}
}
