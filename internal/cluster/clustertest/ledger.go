package clustertest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A LedgerFixture is one store that coordinators share.
type LedgerFixture interface {
	// Open begins a life. crash lets it neither speak nor leave any more, as kill -9 does; its ledger fails from then on. The
	// fixture closes what the test leaves.
	Open(id string) (ledger driver.Ledger, crash func())
	// Forge writes a value where the record of a query of a life stands, as somebody without the cluster key could.
	Forge(life, query string, value []byte)
}

// ledgerWait bounds what the suite waits for; leases run out within it on a machine that is very busy.
const ledgerWait = 2 * time.Minute

// RunLedger checks a driver's ledger against the contract in package driver. open makes a fresh store.
func RunLedger(t *testing.T, open func(t *testing.T) LedgerFixture) {
	for name, test := range map[string]func(*testing.T, LedgerFixture){
		"LivesComeAndGo": livesComeAndGo, "RecordsMoveToTheSuccessor": recordsMove, "OneSuccessorWins": oneSuccessorWins,
		"ASuccessorFallsToo": successorFalls, "TheFallenWriteNothing": fallenWriteNothing, "RecordsAreBounded": recordsAreBounded,
		"ForgedRecordsAreDropped": forgedRecords, "SessionsAreEverybodys": sessionsAreShared,
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			t.Parallel()
			test(t, f)
		})
	}
}

// awaitLives waits until a life knows of others what the test wants.
func awaitLives(t *testing.T, l driver.Ledger, what string, holds func(driver.Lives) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), ledgerWait)
	defer cancel()
	for {
		version, lives := l.Lives()
		if holds(lives) {
			return
		}
		if err := l.WaitLives(ctx, version); err != nil {
			t.Fatalf("never: %s; %s knows %+v: %v", what, l.Self().ID, lives, err)
		}
	}
}

func isLive(id string) func(driver.Lives) bool {
	return func(l driver.Lives) bool { _, ok := l.Live[id]; return ok }
}

func isGone(id string) func(driver.Lives) bool {
	return func(l driver.Lives) bool { return !isLive(id)(l) }
}

// begin opens lives that all know each other.
func begin(t *testing.T, f LedgerFixture, names ...string) (all []driver.Ledger, crash []func()) {
	t.Helper()
	for _, id := range names {
		l, c := f.Open(id)
		all, crash = append(all, l), append(crash, c)
	}
	for _, l := range all {
		for _, id := range names {
			awaitLives(t, l, id+" is listed", isLive(id))
		}
	}
	return all, crash
}

func record(l driver.Ledger, query string) *pb.QueryRecord {
	return &pb.QueryRecord{QueryId: query, CoordinatorId: l.Self().ID, Epoch: 1, Statement: "SELECT " + query}
}

func put(t *testing.T, l driver.Ledger, records ...*pb.QueryRecord) {
	t.Helper()
	for _, r := range records {
		if err := l.Put(t.Context(), r); err != nil {
			t.Fatalf("put %s: %v", r.GetQueryId(), err)
		}
	}
}

func succeed(t *testing.T, l driver.Ledger, life string, want bool) {
	t.Helper()
	if mine, err := l.Succeed(t.Context(), life); err != nil || mine != want {
		t.Fatalf("%s succeeds %s: %v, %v; want %v", l.Self().ID, life, mine, err, want)
	}
}

// claim checks which records a life gets, as "query#epoch".
func claim(t *testing.T, l driver.Ledger, life string, want ...string) {
	t.Helper()
	records, err := l.Claim(t.Context(), life)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	var got []string
	for _, r := range records {
		if r.GetCoordinatorId() != l.Self().ID || r.GetStatement() != "SELECT "+r.GetQueryId() {
			t.Errorf("claimed %v", r)
		}
		got = append(got, fmt.Sprintf("%s#%d", r.GetQueryId(), r.GetEpoch()))
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%s claims %v of %s, want %v", l.Self().ID, got, life, want)
	}
}

func owners(t *testing.T, l driver.Ledger, want ...string) {
	t.Helper()
	if got, err := l.Owners(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("owners are %v, %v; want %v", got, err, want)
	}
}

func livesComeAndGo(t *testing.T, f LedgerFixture) {
	all, crash := begin(t, f, "a", "b")
	if _, lives := all[1].Lives(); lives.Live["a"] != all[0].Self() {
		t.Errorf("b knows a as %+v", lives.Live["a"])
	}
	succeed(t, all[1], "a", false) // it lives
	crash[0]()
	awaitLives(t, all[1], "a is gone", isGone("a"))
	owners(t, all[1])
	succeed(t, all[1], "a", true)
	succeed(t, all[1], "a", true) // as often as it likes, until it is done
	claim(t, all[1], "a")
	if err := all[1].Settle(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	awaitLives(t, all[1], "a is succeeded", func(l driver.Lives) bool { return l.Fallen["a"] == driver.Fallen{ID: "a", Successor: "b", Done: true} })
	succeed(t, all[1], "a", false)
}

func recordsMove(t *testing.T, f LedgerFixture) {
	all, crash := begin(t, f, "a", "b")
	a, b := all[0], all[1]
	put(t, a, record(a, "q1"), record(a, "q2"), record(a, "q3"), record(a, "q4"), record(a, "q5"))
	put(t, b, record(b, "mine"))
	again := record(a, "q1")
	again.Epoch = 7
	put(t, a, again)
	for range 2 { // the second finds nothing
		if err := a.Delete(t.Context(), "q4"); err != nil {
			t.Fatal(err)
		}
	}
	owners(t, b, "a", "b")
	crash[0]()
	awaitLives(t, b, "a is gone", isGone("a"))
	succeed(t, b, "a", true)
	claim(t, b, "a", "q1#8", "q2#2", "q3#2", "q5#2")
	owners(t, b, "b")
	put(t, b, record(b, "q1"))
	if err := b.Delete(t.Context(), "q2"); err != nil {
		t.Fatal(err)
	}
	claim(t, b, "a")
}

func oneSuccessorWins(t *testing.T, f LedgerFixture) {
	all, crash := begin(t, f, "a", "b", "c", "d")
	put(t, all[0], record(all[0], "q"))
	crash[0]()
	for _, l := range all[1:] {
		awaitLives(t, l, "a is gone", isGone("a"))
	}
	var won [4]bool
	var race sync.WaitGroup
	for i, l := range all {
		if i > 0 {
			race.Go(func() {
				mine, err := l.Succeed(t.Context(), "a")
				if won[i] = mine; err != nil {
					t.Errorf("succeed: %v", err)
				}
			})
		}
	}
	race.Wait()
	winners := 0
	for i, mine := range won {
		if mine {
			winners++
			claim(t, all[i], "a", "q#2")
		}
	}
	if winners != 1 {
		t.Errorf("%d successors", winners)
	}
}

func successorFalls(t *testing.T, f LedgerFixture) {
	all, crash := begin(t, f, "a", "b", "c")
	put(t, all[0], record(all[0], "q"))
	crash[0]()
	awaitLives(t, all[1], "a is gone", isGone("a"))
	succeed(t, all[1], "a", true)
	succeed(t, all[2], "a", false)
	crash[1]() // before it claimed anything
	awaitLives(t, all[2], "b is gone", isGone("b"))
	succeed(t, all[2], "b", true)
	claim(t, all[2], "b")
	succeed(t, all[2], "a", true)
	claim(t, all[2], "a", "q#2")
}

// A life that only seemed dead finds its own writes refused, and is told.
func fallenWriteNothing(t *testing.T, f LedgerFixture) {
	all, crash := begin(t, f, "a", "b", "c")
	put(t, all[0], record(all[0], "q"))
	crash[0]()
	awaitLives(t, all[1], "a is gone", isGone("a"))
	succeed(t, all[1], "a", true)
	claim(t, all[1], "a", "q#2")
	risen, _ := f.Open("a") // the same life: it was cut off, not dead
	awaitLives(t, risen, "its own fall", func(l driver.Lives) bool { _, ok := l.Fallen["a"]; return ok })
	for what, err := range map[string]error{
		"put": risen.Put(t.Context(), record(risen, "q")), "delete": risen.Delete(t.Context(), "q"),
	} {
		if !qerr.Is(err, qerr.Fenced) && !qerr.Is(err, qerr.Unavailable) {
			t.Errorf("%s after the fall: %v", what, err)
		}
	}
	if _, err := risen.Succeed(t.Context(), "nobody"); err == nil {
		t.Error("a fallen life succeeds another one")
	}
	if _, lives := all[2].Lives(); isLive("a")(lives) {
		t.Error("a fallen life counts as live")
	}
	owners(t, all[1], "b")
}

func recordsAreBounded(t *testing.T, f LedgerFixture) {
	all, _ := begin(t, f, "a")
	large := record(all[0], "q")
	noise := make([]byte, driver.QueryRecordBytesMax)
	_, _ = rand.Read(noise) // never fails
	large.Stages = []*pb.StageRecord{{Tasks: []*pb.TaskRecord{{Spec: &pb.TaskSpec{Scans: []*pb.Scan{{Splits: []*pb.Split{{Path: fmt.Sprintf("%x", noise)}}}}}}}}}
	if err := all[0].Put(t.Context(), large); !qerr.Is(err, qerr.Resource) {
		t.Errorf("a record of %d bytes that do not compress: %v", proto.Size(large), err)
	}
	owners(t, all[0])
}

func forgedRecords(t *testing.T, f LedgerFixture) {
	all, crash := begin(t, f, "a", "b")
	put(t, all[0], record(all[0], "q"))
	f.Forge("a", "junk", []byte("junk"))
	f.Forge("gone", "junk", []byte("junk"))
	owners(t, all[1], "a", "gone")
	crash[0]()
	awaitLives(t, all[1], "a is gone", isGone("a"))
	for _, life := range []string{"a", "gone"} {
		succeed(t, all[1], life, true)
	}
	claim(t, all[1], "a", "q#2")
	claim(t, all[1], "gone")
	owners(t, all[1], "b")
}
