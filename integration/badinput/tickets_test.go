package badinput

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/internal/auth"
)

// keyFile writes a cluster key that the test knows too, and gives its path and keyring.
func keyFile(t *testing.T, first byte) (string, *auth.Keyring) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster.key")
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(first)), 32)))
	if err := os.WriteFile(path, []byte("test:"+key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := auth.LoadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, keys
}

func withKey(path string) func(*harness.Options) {
	return func(o *harness.Options) {
		o.Flags = append(o.Flags, "--cluster-key", path)
		o.WorkFlags = append(o.WorkFlags, "--cluster-key", path)
	}
}

// endpoint gives a fresh endpoint of a result that streams from a worker. What is not read of it is given up at the test's end.
func (b *bench) endpoint(t *testing.T) *flight.FlightEndpoint {
	t.Helper()
	if err := b.session.Exec(t.Context(), "SET arbalest.distributed = 'always'"); err != nil {
		t.Fatal(err)
	}
	info, err := b.session.SQL.Execute(t.Context(), "SELECT id, label FROM good")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// An error says that the query has ended already.
		_ = b.session.Exec(context.Background(), "KILL '"+string(info.GetAppMetadata())+"'")
	})
	return info.GetEndpoint()[0]
}

// redeem reads a ticket at the door and at the worker that the endpoint names: both must refuse it in the same way.
func (b *bench) redeem(t *testing.T, endpoint *flight.FlightEndpoint, ticket []byte, allowed ...codes.Code) {
	t.Helper()
	for _, place := range []*flight.FlightEndpoint{
		{Ticket: &flight.Ticket{Ticket: ticket}},
		{Ticket: &flight.Ticket{Ticket: ticket}, Location: endpoint.GetLocation()},
	} {
		var part client.Part
		err := b.session.ReadEndpoint(t.Context(), place, &part, nil, nil)
		if err == nil {
			t.Fatalf("%q gave %d rows for a bad ticket", part.Location, part.Rows)
		}
		got, text := code(err)
		ok := false
		for _, c := range allowed {
			ok = ok || c == got
		}
		if !ok {
			t.Errorf("%q: status %s, want one of %v: %s", part.Location, got, allowed, text)
		}
		if len(ticket) > 0 && strings.Contains(text, string(ticket)) {
			t.Errorf("the message repeats the ticket")
		}
		b.works(t)
	}
}

func TestForgedTicket(t *testing.T) {
	b := newBench(t)
	endpoint := b.endpoint(t)
	good := endpoint.GetTicket().GetTicket()
	for _, at := range []int{0, len(good) / 2, len(good) - 1} {
		forged := append([]byte(nil), good...)
		forged[at] ^= 1
		b.redeem(t, endpoint, forged, codes.Unauthenticated)
	}
	b.redeem(t, endpoint, nil, codes.Unauthenticated, codes.InvalidArgument)
	b.redeem(t, endpoint, []byte("not a ticket at all"), codes.Unauthenticated, codes.InvalidArgument)
	b.redeem(t, endpoint, make([]byte, 1<<20), codes.Unauthenticated, codes.InvalidArgument)
}

func TestExpiredTicket(t *testing.T) {
	path, keys := keyFile(t, 'k')
	b := newBench(t, withKey(path))
	endpoint := b.endpoint(t)
	ticket, err := keys.VerifyTicket(endpoint.GetTicket().GetTicket(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ticket.ExpiresUnixMs = time.Now().Add(-time.Second).UnixMilli()
	expired, err := keys.SignTicket(ticket)
	if err != nil {
		t.Fatal(err)
	}
	b.redeem(t, endpoint, expired, codes.Unauthenticated)
}

// TestForeignTicket takes a ticket of another cluster: another key, so nobody here signed it.
func TestForeignTicket(t *testing.T) {
	here, _ := keyFile(t, 'k')
	b := newBench(t, withKey(here))
	elsewhere, _ := keyFile(t, 'm')
	other := newBench(t, withKey(elsewhere))
	b.redeem(t, b.endpoint(t), other.endpoint(t).GetTicket().GetTicket(), codes.Unauthenticated, codes.NotFound)
}

// TestForeignUserTicket takes a ticket of another user of the same cluster.
func TestForeignUserTicket(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	lines := harness.UserLine("ada", "one") + harness.UserLine("bob", "two")
	if err := os.WriteFile(users, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *harness.Options) { o.Flags = append(o.Flags, "--users", users) })
	ada := *b
	ada.session = b.dial(t, client.Options{User: "ada", Password: "one"})
	b.session = b.dial(t, client.Options{User: "bob", Password: "two"})
	endpoint := ada.endpoint(t)
	b.redeem(t, endpoint, endpoint.GetTicket().GetTicket(), codes.Unauthenticated, codes.NotFound, codes.PermissionDenied)
	if err := ada.session.ReadEndpoint(t.Context(), endpoint, &client.Part{}, nil, nil); err != nil {
		t.Errorf("the owner cannot read it: %v", err)
	}
}

// TestGarbageMessages sends what is no Flight SQL at all.
func TestGarbageMessages(t *testing.T) {
	b := newBench(t)
	for name, descriptor := range map[string]*flight.FlightDescriptor{
		"empty":   {},
		"garbage": {Type: flight.DescriptorCMD, Cmd: []byte("\xff\xfe garbage")},
		"path":    {Type: flight.DescriptorPATH, Path: []string{"a", "b"}},
	} {
		if _, err := b.session.SQL.Client.GetFlightInfo(t.Context(), descriptor); err == nil {
			t.Errorf("%s: GetFlightInfo answered", name)
		}
		b.works(t)
	}
	put, err := b.session.SQL.Client.DoPut(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The first message of a DoPut must carry a descriptor; the library's own server crashes without one.
	if err := put.Send(&flight.FlightData{DataBody: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := put.Recv(); err == nil {
		t.Error("DoPut without a descriptor was accepted")
	}
	b.works(t)
}
