package coordinator

import (
	"fmt"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A worker that was away when queries ended has all that it had when it comes back, and is told then; another life of it has
// nothing.
func TestReturnedWorkerIsToldTheEnds(t *testing.T) {
	for name, late := range map[string]bool{"away at the end": false, "away while it is told": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 2)
			w := b.worker("w2")
			if late {
				w.mu.Lock()
				w.relErr = func() error { return qerr.New(qerr.Unavailable, "frozen") }
				w.mu.Unlock()
			}
			q := b.submit("group", once)
			take(t, w.created, "task")
			if late {
				q.Cancel(nil)
			}
			_ = w.seat.Close()
			b.ended(q, map[bool]Status{false: Failed, true: Cancelled}[late])
			b.idle()
			w.mu.Lock()
			w.relErr = nil
			w.mu.Unlock()
			seat, err := b.membership.Add(w.record)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = seat.Close() }()
			if id := take(t, w.released, "release"); id != string(q.ID()) {
				t.Errorf("told the end of %s", id)
			}
			if cause := take(t, w.causes, "cause"); (qerr.KindOf(cause) == qerr.Cancelled) != late {
				t.Errorf("told %v", cause)
			}
			b.idle()
		})
	}
}

func TestOwedEndsAreBounded(t *testing.T) {
	var o owed
	worker := func(n int, life string) member.Record {
		return member.Record{ID: ids.WorkerID(fmt.Sprint("w", n)), Incarnation: ids.Incarnation(life)}
	}
	for n := range owedMax + 10 {
		o.add(worker(0, "a"), owedEnd{query: ids.QueryID(fmt.Sprint("q", n))})
	}
	if ends := o.take(worker(0, "a")); len(ends) != owedMax || ends[0].query != "q10" {
		t.Errorf("%d ends are remembered, from %s", len(ends), ends[0].query)
	}
	for n := range owedLivesMax + 10 {
		o.add(worker(n, "a"), owedEnd{query: "q"})
	}
	if len(o.lives) != owedLivesMax || len(o.take(worker(0, "a"))) != 0 || len(o.take(worker(20, "b"))) != 0 || len(o.take(worker(20, "a"))) != 0 {
		t.Errorf("%d lives are remembered, some that should not be", len(o.lives))
	}
}
