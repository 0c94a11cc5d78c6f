package duck

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// explained is one operator of EXPLAIN (FORMAT JSON). The second child of a hash join is the side that is built.
type explained struct {
	Name     string         `json:"name"`
	Children []explained    `json:"children"`
	Extra    map[string]any `json:"extra_info"`
}

// Inputs tell how many rows they have, so the engine builds the hash table of the smaller side, whichever way round a
// fragment was printed: a plan need not swap sides when exact sizes are known.
func TestInputsSidesOfJoins(t *testing.T) {
	e := openEngine(t, nil)
	large := addInput(t, e, inputTypes, goBatch(t, memory.DefaultAllocator, 0, 50_000))
	small := addInput(t, e, inputTypes, goBatch(t, memory.DefaultAllocator, 0, 100))
	for _, kind := range []string{"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"} {
		for _, sides := range [][2]*Input{{large, small}, {small, large}} {
			sql := fmt.Sprintf("SELECT l.c0, r.c1 FROM (%s) l %s (%s) r ON l.c0 = r.c0", sides[0].SQL(), kind, sides[1].SQL())
			_, batches := streamAll(t, e, "EXPLAIN (FORMAT JSON) "+sql)
			text := ""
			for _, b := range batches {
				text += b.Column(1).(*array.String).Value(0)
			}
			var plan []explained
			if err := json.Unmarshal([]byte(text), &plan); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			join := find(plan, "HASH_JOIN")
			if join == nil || len(join.Children) != 2 {
				t.Fatalf("no hash join:\n%s", text)
			}
			if built := estimateOf(t, join.Children[1]); built != 100 {
				t.Errorf("%s: the side with %d rows is built:\n%s", kind, built, text)
			}
		}
	}
}

func find(plan []explained, name string) *explained {
	for i := range plan {
		if plan[i].Name == name {
			return &plan[i]
		}
		if found := find(plan[i].Children, name); found != nil {
			return found
		}
	}
	return nil
}

// estimateOf is the estimate of an operator; an input's is exact.
func estimateOf(t *testing.T, e explained) int {
	t.Helper()
	text, _ := e.Extra["Estimated Cardinality"].(string)
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s has no estimate: %v", e.Name, e.Extra)
	}
	return n
}
