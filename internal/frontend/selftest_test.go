package frontend

import (
	"strings"
	"testing"
)

func TestSelfTest(t *testing.T) {
	f := front(t)
	if err := f.selfTestOnce(t.Context(), selfTestSQL); err != nil {
		t.Error(err)
	}
	if n := len(lines(selfTestSQL)); n < 55 {
		t.Errorf("only %d statements", n)
	}
	// It must be able to fail: a recursive CTE is no tree.
	err := f.selfTestOnce(t.Context(), "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 3) SELECT * FROM r")
	if err == nil || !strings.Contains(err.Error(), "RECURSIVE") {
		t.Errorf("a recursive CTE passed: %v", err)
	}
	if f.textOnly != "" {
		t.Error(f.textOnly)
	}
}

// BenchmarkPlan shows what planning costs without and with the cache, and what New costs.
func BenchmarkPlan(b *testing.B) {
	f := front(b)
	cold := &Frontend{cfg: f.cfg, pool: f.pool, catalogs: f.catalogs, local: f.local, cache: newCache(-1, 0), functions: f.functions}
	for _, c := range []struct{ name, sql string }{{"constant", "SELECT 1"}, {"q01", queries()[0]}, {"q05", queries()[4]}, {"q08", queries()[7]}, {"text", "SELECT a, unnest(l) FROM t"}} {
		r := request(b, c.sql)
		b.Run(c.name+"/cold", func(b *testing.B) {
			for b.Loop() {
				if _, err := cold.Plan(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/cached", func(b *testing.B) {
			for b.Loop() {
				if _, err := f.Plan(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("selftest", func(b *testing.B) {
		for b.Loop() {
			if err := f.selfTestOnce(b.Context(), selfTestSQL); err != nil {
				b.Fatal(err)
			}
		}
	})
}
