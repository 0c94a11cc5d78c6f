package coordinator

import (
	"testing"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// A Create that was under way when its worker's life ended arrives at the next life, at the same address, when the query has
// ended too. That life is told no end of the query, so it must not take the task.
func TestATaskOnItsWayIsNotTakenByAnotherLife(t *testing.T) {
	b := newBench(t, 2)
	w := b.worker("w2")
	enter, leave := make(chan struct{}), make(chan struct{})
	w.mu.Lock()
	w.createErr = func() error { close(enter); <-leave; return nil }
	w.mu.Unlock()
	q := b.submit("group")
	take(t, enter, "call of Create")
	q.Cancel(nil)
	_ = w.seat.Close()
	b.eventually("the loss is known", func() bool { return b.c.Usage().LinksUp == 1 })
	w.restart()
	seat, err := b.membership.Add(w.record)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = seat.Close() }()
	b.eventually("the next life is up", func() bool { return b.c.Usage().LinksUp == 2 })
	close(leave)
	b.eventually("the call has arrived", func() bool { return len(w.created)+w.refusals() > 0 })
	b.idle()
	if n := len(w.created); n != 0 {
		t.Errorf("the next life took %d tasks, and was told %d ends", n, len(w.released))
	}
}

// The control stream of a life is not opened to the next one, whose tasks are other ones.
func TestAControlStreamIsToOneLife(t *testing.T) {
	b := newBench(t, 2)
	w := b.worker("w2")
	w.restart()
	b.eventually("the stream is refused", func() bool { return w.refusals() >= 2 })
	if up := b.c.Usage().LinksUp; up != 1 {
		t.Errorf("%d workers are up, though one is another by now", up)
	}
}

// A worker tells which queries it holds something of, and hears at once which of them have ended; whatever went wrong, nothing
// stays there.
func TestAWorkerThatHoldsEndedQueriesIsToldSo(t *testing.T) {
	b := newBench(t, 1)
	w := b.worker("w1")
	ended, live := b.submit("group"), b.submit("group")
	ended.Cancel(nil)
	take(t, w.released, "release")
	b.told()
	w.tell(&pb.WatchEvent{HeldQueryIds: []string{string(live.ID()), "q-of-long-ago"}})
	for take(t, w.released, "release") != "q-of-long-ago" { // its own, once more where a Create was under way
	}
	b.told()
	w.tell(&pb.WatchEvent{HeldQueryIds: []string{string(ended.ID()), string(live.ID())}})
	if id := take(t, w.released, "release"); id != string(ended.ID()) {
		t.Errorf("told the end of %s", id)
	}
	if s := live.State(); s.Status != Running {
		t.Errorf("the query that goes on is %s: %v", s.Status, s.Err)
	}
	live.Cancel(nil)
	b.idle()
}
