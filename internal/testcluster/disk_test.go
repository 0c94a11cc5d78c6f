package testcluster

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// What a disk has lost or changed of a spilled output is computed again, and nothing else; when tasks are tried once, the query
// fails with an error that says to send it again. No wrong row comes of it.
func TestDamagedDisk(t *testing.T) {
	c := Start(t, Options{Workers: 2, Data: writeTables(t)})
	want := c.sorted(t, grouped)
	for name, damage := range map[string]func(path string) error{
		"changed": func(path string) error {
			bytes, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			bytes[len(bytes)/3] ^= 4
			return os.WriteFile(path, bytes, 0o600)
		},
		"cut short": func(path string) error { return os.Truncate(path, 20) },
		"gone":      os.Remove,
	} {
		for _, attempts := range []int{4, 1} {
			t.Run(fmt.Sprintf("%s/attempts=%d", name, attempts), func(t *testing.T) {
				q, err := c.Submit(t, grouped, func(r *coordinator.Request) {
					r.Settings = Settings(t, map[string]any{settings.Distributed: settings.Always, settings.Spill: settings.Always, settings.TaskAttempts: attempts})
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := q.Ready(t.Context()); err != nil { // the producers have finished, and nobody has fetched from them
					t.Fatal(err)
				}
				c.Workers[0].Damage(fmt.Sprintf("q%s-0-*", q.ID()), 1, damage)
				rows, err := c.readAll(t, q)
				switch {
				case attempts == 1 && !qerr.Is(err, qerr.Unavailable):
					t.Errorf("with one attempt: %v (%s), want Unavailable", err, qerr.KindOf(err))
				case attempts > 1 && (err != nil || !slices.Equal(rows, want)):
					t.Errorf("%s, %v; want %s", clip(rows), err, clip(want))
				}
				c.Idle(t)
				if attempts == 1 {
					return
				}
				again := c.Rows(t, "SELECT count(*) FROM sys.tasks WHERE stage = 0 AND state = 'failed' AND query_id = '"+string(q.ID())+"'")
				if again[0] != "1" {
					t.Errorf("%s producers ran again for one damaged file", again[0])
				}
			})
		}
	}
}
