package coordinator

import (
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Coordinators without a store know nothing of each other: who asks one for another's query, or for one of its last life, is told
// by a status that lets the statement be sent again.
func TestNothingIsShared(t *testing.T) {
	b := newBench(t, 1)
	if _, _, err := b.c.Owner(t.Context(), "q-1", "another"); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("another's query: %v, want Unavailable", err)
	}
	if _, _, err := b.c.Owner(t.Context(), "q-1", b.c.ID()); !qerr.Is(err, qerr.NotFound) {
		t.Errorf("an own query that is forgotten: %v, want NotFound", err)
	}
	for life, want := range map[string]qerr.Kind{"another": qerr.Unavailable, b.c.ID(): qerr.NotFound} {
		ticket, err := b.c.cfg.Keys.SignTicket(&pb.Ticket{Audience: pb.Audience_AUDIENCE_COORDINATOR, CoordinatorId: life,
			Key: &pb.TaskKey{QueryId: "q-1"}, ExpiresUnixMs: b.c.cfg.Now().Add(time.Minute).UnixMilli()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.c.Open(t.Context(), ticket, ""); !qerr.Is(err, want) {
			t.Errorf("a result of coordinator %s: %v, want %s", life, err, want)
		}
	}
}
