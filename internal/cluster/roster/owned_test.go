package roster

import (
	"testing"

	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestOwnedIsBounded(t *testing.T) {
	o := newOwned(1)
	record := func(address string) member.Record {
		return member.Record{ID: "w", Incarnation: "1", Address: address}
	}
	if _, err := o.Put(record("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Put(record("b")); err != nil {
		t.Errorf("the same life was refused its own seat: %v", err)
	}
	if _, err := o.Put(member.Record{ID: "other"}); !qerr.Is(err, qerr.Resource) {
		t.Errorf("one too many gave %v, want Resource", err)
	}
}

// What an old owner does late changes nothing.
func TestOnlyTheOwnerChangesASeat(t *testing.T) {
	o := NewOwned()
	record := member.Record{ID: "w", Incarnation: "1", Address: "a"}
	first, _ := o.Put(record)
	second, _ := o.Put(record)
	before, _ := o.Records()
	if o.Update(first, member.Record{ID: "w", Incarnation: "1", Address: "late"}) {
		t.Error("the first owner changed what the second holds")
	}
	o.Remove(first, LifeOf(record))
	if version, joined := o.Records(); version != before || len(joined) != 1 || joined[0].Address != "a" {
		t.Errorf("the first owner's end left %v at version %d, want version %d", joined, version, before)
	}
	if o.Held(first, LifeOf(record)) || !o.Held(second, LifeOf(record)) {
		t.Error("the seat is not the second owner's")
	}
	o.Remove(second, LifeOf(record))
	if _, joined := o.Records(); len(joined) != 0 {
		t.Errorf("after the owner's end: %v", joined)
	}
}
