package exchange

import (
	"testing"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// fakeMaker has some bytes in the making.
type fakeMaker struct{ making, limit int64 }

func (m *fakeMaker) MakingBytes() int64     { return m.making }
func (m *fakeMaker) LimitMaking(most int64) { m.limit = most }

// TestTheMakingCounts counts what the maker holds against the budget, and tells it what is left.
func TestTheMakingCounts(t *testing.T) {
	m := &fakeMaker{making: 30}
	b := newBudget("memory", 100, 100, m)
	if m.limit != 100 {
		t.Errorf("at first %d are left", m.limit)
	}
	if err := b.take("q", 71); !qerr.Is(err, qerr.Resource) {
		t.Errorf("71 beside 30 in the making, of 100: %v", err)
	}
	if err := b.take("q", 70); err != nil {
		t.Errorf("70 beside 30 in the making, of 100: %v", err)
	}
	if m.limit != 30 {
		t.Errorf("%d are left", m.limit)
	}
	m.making = 0
	b.give("q", 70)
	if m.limit != 100 || b.inUse() != 0 {
		t.Errorf("at last %d are left, %d in use", m.limit, b.inUse())
	}
}

// TestAFullBudgetSpillsWhatWasInTheMaking puts a batch for which the making leaves no room.
func TestAFullBudgetSpillsWhatWasInTheMaking(t *testing.T) {
	mem := checked(t)
	m := &fakeMaker{making: 900}
	s := open(t, Config{BytesMax: 1000, SpillBytesMax: 1 << 20, Maker: m})
	key := ids.TaskKey{Query: "q"}
	w, err := s.Begin(key, schema, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Put(0, numbers(mem, 1, 2, 3), 200); err != nil {
		t.Fatal(err)
	}
	stats, err := w.Commit()
	if err != nil || stats.SpillBytes == 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	s.Drop(key)
}

func TestFetchesAtOnceFollowTheBudget(t *testing.T) {
	for budget, want := range map[int64]int{1 << 20: 1, 250 << 20: 1, 512 << 20: 4, 64 << 30: fetchesAtOnceMax} {
		if got := fetchesAtOnce(budget); got != want {
			t.Errorf("%d bytes: %d at once, want %d", budget, got, want)
		}
	}
}
