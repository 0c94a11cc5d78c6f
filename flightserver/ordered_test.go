package flightserver

import (
	"slices"
	"testing"
)

// An ordered result is one endpoint, which no client can read in another order; with ordered_endpoints it is several, which
// give the order one after the other, and the info says so.
func TestOrderedEndpoints(t *testing.T) {
	r := startReal(t, 3, nil)
	for _, results := range []string{"stream", "spool"} {
		for _, several := range []bool{false, true} {
			c := r.session(t)
			options := map[string]any{"arbalest.results": results, "arbalest.distributed": "always", "arbalest.ordered_endpoints": several}
			if faults := set(t, c, options); len(faults) > 0 {
				t.Fatal(faults)
			}
			info, err := c.Execute(testContext(t), "SELECT id FROM events ORDER BY id DESC")
			if err != nil {
				t.Fatal(err)
			}
			endpoints := len(info.GetEndpoint())
			if !info.GetOrdered() || several != (endpoints > 1) {
				t.Errorf("%s, ordered_endpoints=%t: ordered=%t with %d endpoints", results, several, info.GetOrdered(), endpoints)
			}
			ids := integers(read(t, c, info))
			if len(ids) != eventFiles*eventPerFile || !slices.IsSortedFunc(ids, func(a, b int64) int { return int(b - a) }) {
				t.Errorf("%s, ordered_endpoints=%t: %d rows, or not in order", results, several, len(ids))
			}
		}
	}
}
