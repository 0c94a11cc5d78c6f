package auth

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testTicket() *pb.Ticket {
	return &pb.Ticket{Audience: pb.Audience_AUDIENCE_RESULT, Key: &pb.TaskKey{QueryId: "q1", Stage: 2, Task: 3, Attempt: 1},
		Partitions: []uint32{0, 4}, WorkerId: "w1", Incarnation: "i1", Subject: "ada", Address: "h:1",
		ExpiresUnixMs: now.Add(time.Hour).UnixMilli(), Task: &pb.TaskSpec{Fragment: "SELECT 1"}}
}

func wantKind(t *testing.T, err error, kind qerr.Kind) {
	t.Helper()
	if err == nil || qerr.KindOf(err) != kind {
		t.Fatalf("error %v, of kind %v; want kind %v", err, qerr.KindOf(err), kind)
	}
}

func TestTicketComesBackAsItWasSigned(t *testing.T) {
	k := GenerateKeyring()
	want := testTicket()
	b, err := k.SignTicket(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.VerifyTicket(b, now)
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, want) || got.Version != TicketVersion {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestVerifyTicketRefuses(t *testing.T) {
	k, other := GenerateKeyring(), GenerateKeyring()
	signed := func(by *Keyring, change func(*pb.Ticket)) []byte {
		ticket := testTicket()
		change(ticket)
		b, err := by.SignTicket(ticket)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	seal := func(ticket *pb.Ticket) []byte { // past SignTicket's own checks
		b, err := k.seal(domainTicket, "ticket", ticket, TicketBytesMax)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := signed(k, func(*pb.Ticket) {})
	sameID := NewKeyring(k.signer, bytes.Repeat([]byte{7}, 32))
	handle, err := k.SignHandle(&pb.Handle{Kind: "x", ExpiresUnixMs: now.Add(time.Hour).UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	unversioned := testTicket()
	unversioned.Version = TicketVersion + 1
	noAudience := testTicket()
	noAudience.Version, noAudience.Audience = TicketVersion, 0
	for name, c := range map[string]struct {
		ticket []byte
		at     time.Time
		kind   qerr.Kind
	}{
		"nothing":               {nil, now, qerr.Unauthenticated},
		"noise":                 {[]byte("hello, world"), now, qerr.Unauthenticated},
		"another cluster":       {signed(other, func(*pb.Ticket) {}), now, qerr.Unauthenticated},
		"a forged key of an id": {signed(sameID, func(*pb.Ticket) {}), now, qerr.Unauthenticated},
		"a handle":              {handle, now, qerr.Unauthenticated},
		"cut":                   {good[:len(good)-1], now, qerr.Unauthenticated},
		"expired":               {good, now.Add(time.Hour), qerr.Unauthenticated},
		"a newer version":       {seal(unversioned), now, qerr.Unauthenticated},
		"no audience":           {seal(noAudience), now, qerr.Unauthenticated},
		"too large":             {make([]byte, TicketBytesMax+1), now, qerr.User},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := k.VerifyTicket(c.ticket, c.at)
			wantKind(t, err, c.kind)
		})
	}
}

func TestEveryByteOfATicketIsSigned(t *testing.T) {
	k := GenerateKeyring()
	good, err := k.SignTicket(testTicket())
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		forged := bytes.Clone(good)
		forged[i] ^= 0x10
		if got, err := k.VerifyTicket(forged, now); err == nil && !proto.Equal(got, mustVerify(t, k, good)) {
			t.Fatalf("byte %d was changed, and the ticket still verifies, as %v", i, got)
		}
	}
}

func mustVerify(t *testing.T, k *Keyring, b []byte) *pb.Ticket {
	t.Helper()
	got, err := k.VerifyTicket(b, now)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSignTicketRefuses(t *testing.T) {
	k := GenerateKeyring()
	large := testTicket()
	large.Task.Fragment = strings.Repeat("x", TicketBytesMax)
	_, err := k.SignTicket(large)
	wantKind(t, err, qerr.Resource)
	for name, spoil := range map[string]func(*pb.Ticket){
		"no audience": func(t *pb.Ticket) { t.Audience = 0 },
		"no query":    func(t *pb.Ticket) { t.Key = nil },
		"no expiry":   func(t *pb.Ticket) { t.ExpiresUnixMs = 0 },
	} {
		ticket := testTicket()
		spoil(ticket)
		if _, err := k.SignTicket(ticket); err == nil {
			t.Errorf("a ticket with %s was signed", name)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	older := NewKeyring("old", bytes.Repeat([]byte{1}, 32))
	path := writeFile(t, "new:"+b64(bytes.Repeat([]byte{2}, 32))+"\nold:"+b64(bytes.Repeat([]byte{1}, 32))+"\n")
	both, err := LoadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := older.SignTicket(testTicket())
	if _, err := both.VerifyTicket(old, now); err != nil {
		t.Fatalf("a ticket under the old key: %v", err)
	}
	fresh, _ := both.SignTicket(testTicket())
	_, err = older.VerifyTicket(fresh, now)
	wantKind(t, err, qerr.Unauthenticated)
	if ids := both.IDs(); len(ids) != 2 || ids[0] != "new" {
		t.Fatalf("ids %v", ids)
	}
}

func TestHandles(t *testing.T) {
	k := GenerateKeyring()
	want := &pb.Handle{Kind: "prepared", Subject: "ada", Session: "s", Body: []byte("SELECT 1"), ExpiresUnixMs: now.Add(time.Minute).UnixMilli()}
	b, err := k.SignHandle(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.VerifyHandle(b, "prepared", now)
	if err != nil || !proto.Equal(got, want) {
		t.Fatalf("got %v, %v", got, err)
	}
	_, err = k.VerifyHandle(b, "session", now)
	wantKind(t, err, qerr.Unauthenticated)
	_, err = k.VerifyHandle(b, "prepared", now.Add(time.Minute))
	wantKind(t, err, qerr.Unauthenticated)
	ticket, _ := k.SignTicket(testTicket())
	_, err = k.VerifyHandle(ticket, "prepared", now)
	wantKind(t, err, qerr.Unauthenticated)
	_, err = k.VerifyHandle(make([]byte, HandleBytesMax+1), "prepared", now)
	wantKind(t, err, qerr.User)
}

func FuzzVerifyTicket(f *testing.F) {
	k := NewKeyring("k", bytes.Repeat([]byte{3}, 32))
	good, _ := k.SignTicket(testTicket())
	f.Add(good)
	f.Add([]byte{})
	f.Add(good[:len(good)/2])
	want, _ := k.VerifyTicket(good, now)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := k.VerifyTicket(b, now)
		if (got == nil) == (err == nil) {
			t.Fatalf("got %v and %v", got, err)
		}
		if err == nil && !proto.Equal(got, want) {
			t.Fatalf("%x verifies as a ticket that was never signed: %v", b, got)
		}
	})
}

func FuzzVerifyHandle(f *testing.F) {
	k := NewKeyring("k", bytes.Repeat([]byte{3}, 32))
	good, _ := k.SignHandle(&pb.Handle{Kind: "prepared", Subject: "ada", ExpiresUnixMs: now.Add(time.Minute).UnixMilli()})
	f.Add(good, "prepared")
	f.Add(good, "session")
	want, _ := k.VerifyHandle(good, "prepared", now)
	f.Fuzz(func(t *testing.T, b []byte, kind string) {
		got, err := k.VerifyHandle(b, kind, now)
		if (got == nil) == (err == nil) {
			t.Fatalf("got %v and %v", got, err)
		}
		if err == nil && !proto.Equal(got, want) {
			t.Fatalf("%x verifies as a handle that was never signed: %v", b, got)
		}
	})
}
