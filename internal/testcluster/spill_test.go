package testcluster

import (
	"slices"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// TestSpillingChangesNoRow runs the statements with every exchange on disk.
func TestSpillingChangesNoRow(t *testing.T) {
	dir := writeTables(t)
	engine, err := duck.Open(duck.Config{Threads: 1, TempDir: t.TempDir(), DataLocations: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	c := Start(t, Options{Workers: 2, Data: dir})
	spill := Settings(t, map[string]any{settings.Distributed: settings.Always, settings.Spill: settings.Always})
	for _, s := range statements {
		got, err := c.Run(t, name(s.sql), func(r *coordinator.Request) { r.Settings = spill })
		if err != nil {
			t.Errorf("%s: %v", s.sql, err)
			continue
		}
		want := oracle(t, c, engine, dir, s.sql)
		if !s.ordered {
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", s.sql, clip(got), clip(want))
		}
	}
	c.Idle(t) // no file is left either
	if spilled := c.Rows(t, "SELECT max(spill_bytes) > 0 FROM sys.tasks"); !slices.Equal(spilled, []string{"true"}) {
		t.Errorf("nothing was spilled: %v", spilled)
	}
}
