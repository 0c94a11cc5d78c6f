package testcluster

import (
	"testing"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// BenchmarkSelectOne is the coordinator's share of a SELECT 1: submit, open, read, end.
func BenchmarkSelectOne(b *testing.B) {
	c := Start(b, Options{})
	for b.Loop() {
		c.Rows(b, "SELECT 1")
	}
}

// BenchmarkFastPath is a small aggregate in one stage on one embedded worker, read through the coordinator.
func BenchmarkFastPath(b *testing.B) {
	c := Start(b, Options{Workers: 1, Embedded: true, Data: writeTables(b), SmallBytes: 1 << 30})
	for b.Loop() {
		c.Rows(b, "SELECT count(*) FROM sales")
	}
}

// BenchmarkTwoStages is the same in two stages on two workers.
func BenchmarkTwoStages(b *testing.B) {
	c := Start(b, Options{Workers: 2, Data: writeTables(b)})
	always := Settings(b, map[string]any{settings.Distributed: settings.Always})
	for b.Loop() {
		c.Rows(b, "SELECT k, count(*) FROM sales GROUP BY k", func(r *coordinator.Request) { r.Settings = always })
	}
}
