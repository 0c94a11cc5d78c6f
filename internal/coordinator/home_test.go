package coordinator

import (
	"context"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Sessions are at home where they began, and then with the successor, also of a coordinator that nobody has known.
func TestHome(t *testing.T) {
	b, other, store := newPair(t)
	home := func(c *Coordinator, life string, wantHere bool, want string) {
		t.Helper()
		here, at, err := c.Home(t.Context(), life)
		if err != nil || here != wantHere || at.Address != want {
			t.Errorf("the home of %s is here: %v, at %q: %v; want %v, %q", life, here, at.Address, err, wantHere, want)
		}
	}
	home(b.c, "a", true, "")
	home(b.c, "b", false, "b:1")
	home(other, "a", false, "a:1")
	home(other, "of last year", true, "")
	b.eventually("what nobody has known is succeeded", func() bool {
		_, lives := other.cfg.Ledger.Lives()
		return lives.Fallen["of last year"].Done
	})
	home(b.c, "of last year", false, "b:1")
	_, at, err := other.Home(t.Context(), "a")
	while, stop := other.While(t.Context(), at)
	defer stop()
	if err != nil || while.Err() != nil {
		t.Errorf("while the first one lives: %v, %v", err, while.Err())
	}
	store.unlist("a")
	<-while.Done()
	if !qerr.Is(context.Cause(while), qerr.Unavailable) {
		t.Errorf("a call to it ends by %v", context.Cause(while))
	}
	home(other, "a", true, "")
	b.eventually("the first one notices its fall", b.c.fallen.Load)
	if _, _, err := b.c.Home(t.Context(), "a"); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("at the fallen: %v", err)
	}
	alone := newBench(t, 1)
	home(alone.c, alone.c.ID(), true, "")
	for _, life := range []string{"a", ""} {
		if _, _, err := alone.c.Home(t.Context(), life); !qerr.Is(err, qerr.Unauthenticated) {
			t.Errorf("a session of %q without others: %v", life, err)
		}
	}
}
