package contest

import (
	"fmt"
	"testing"
)

// Two dozen statements cover every pair of values of any two settings.
func TestDrawCoversPairs(t *testing.T) {
	pairs := func(c Config) []string {
		values := []string{fmt.Sprint("w", c.Workers), fmt.Sprint("p", c.Partitions), "j" + c.Join, "s" + c.Spill, "d" + c.Distributed, fmt.Sprint("o", c.Ordered)}
		var out []string
		for i := range values {
			for k := range i {
				out = append(out, values[k]+" "+values[i])
			}
		}
		return out
	}
	missing := map[string]bool{}
	for _, c := range All() {
		for _, d := range distributed {
			c.Distributed = d
			for _, p := range pairs(c) {
				missing[p] = true
			}
		}
	}
	for n := range 24 {
		drawn := Draw(n)
		if len(drawn) != PerQuery {
			t.Fatalf("statement %d has %d configurations", n, len(drawn))
		}
		for _, c := range drawn {
			for _, p := range pairs(c) {
				delete(missing, p)
			}
		}
	}
	for p := range missing {
		t.Errorf("never together: %s", p)
	}
}
