package lifecycle

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// TestNamesAreKeptAlone: what is remembered of a query is its id, not the text that the id was cut from.
func TestNamesAreKeptAlone(t *testing.T) {
	const queries, textBytes, bytesMax = 10_000, 4 << 10, 8 << 20
	r := New(Limits{TasksMax: 1, AgeMax: time.Hour, Grace: time.Second, ReleasedTTL: time.Hour, ReleasedMax: 2 * queries})
	now := time.Unix(0, 0)
	id := func(i int) ids.QueryID {
		text := fmt.Sprintf("query-%020d/", i) + strings.Repeat("x", textBytes)
		return ids.QueryID(text[:strings.IndexByte(text, '/')])
	}
	before := heapBytes()
	for i := range queries {
		if i%2 == 0 {
			r.Release(now, id(i), nil)
		} else {
			r.Cancel(now, ids.TaskKey{Query: id(i), Attempt: 1}, LateError)
		}
	}
	if grown := heapBytes() - before; grown > bytesMax {
		t.Errorf("%d queries hold %d bytes, of texts of %d", queries, grown, queries*textBytes)
	}
	for i := range queries {
		_, err := r.Create(now, Task{Key: ids.TaskKey{Query: id(i), Attempt: 1}, Kind: Kept})
		if err == nil {
			t.Fatalf("query %d is forgotten", i)
		}
	}
	if r.Sweep(now.Add(2 * time.Hour)); len(r.released)+len(r.fenced)+len(r.order)+len(r.fences) != 0 {
		t.Error("queries are remembered after their time")
	}
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
