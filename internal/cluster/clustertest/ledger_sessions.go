package clustertest

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// sessionKeep is how long the suite's records are to be kept; it does not wait for their end.
const sessionKeep = time.Hour

func wantSession(t *testing.T, l driver.Ledger, session string, want *pb.SessionRecord) {
	t.Helper()
	if got, err := l.Session(t.Context(), session); err != nil || !proto.Equal(got, want) {
		t.Errorf("%s reads session %s as %v, %v; want %v", l.Self().ID, session, got, err, want)
	}
}

// What one life writes of a session every other one reads, also when the first is gone; who has fallen writes nothing more.
func sessionsAreShared(t *testing.T, f LedgerFixture) {
	all, crash := begin(t, f, "a", "b")
	a, b := all[0], all[1]
	wantSession(t, b, "s/1@a", nil)
	first := &pb.SessionRecord{Session: "s/1@a", Subject: "ada", Settings: map[string]string{"TimeZone": "Asia/Tokyo"}}
	second := &pb.SessionRecord{Session: "s/1@a", Subject: "ada", Temporary: true}
	other := &pb.SessionRecord{Session: "s", Subject: "bob"}
	for _, record := range []*pb.SessionRecord{first, second, other} {
		if err := a.PutSession(t.Context(), record, sessionKeep); err != nil {
			t.Fatal(err)
		}
		wantSession(t, b, record.GetSession(), record)
	}
	for range 2 { // the second finds nothing
		if err := a.DeleteSession(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
	}
	wantSession(t, b, "s", nil)
	crash[0]()
	awaitLives(t, b, "a is gone", isGone("a"))
	succeed(t, b, "a", true)
	wantSession(t, b, "s/1@a", second)
	risen, _ := f.Open("a")
	awaitLives(t, risen, "its own fall", func(l driver.Lives) bool { _, ok := l.Fallen["a"]; return ok })
	if err := risen.PutSession(t.Context(), first, sessionKeep); !qerr.Is(err, qerr.Fenced) && !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("a write after the fall: %v", err)
	}
	wantSession(t, b, "s/1@a", second)
	if err := b.PutSession(t.Context(), first, sessionKeep); err != nil {
		t.Fatal(err)
	}
	wantSession(t, b, "s/1@a", first)
}
