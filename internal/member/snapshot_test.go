package member

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

func record(id string, change ...func(*Record)) Record {
	r := Record{ID: ids.WorkerID(id), Incarnation: ids.Incarnation(id + "-1"), Address: id + ":1", Protocol: 1, DuckDB: "v1.5.5", HashVector: "h", Threads: 4}
	for _, c := range change {
		c(&r)
	}
	return r
}

func show(s Snapshot) string {
	var b strings.Builder
	for _, m := range s.Members {
		fmt.Fprintf(&b, "%s %s", m.Incarnation, m.Status)
		if m.Reason != "" {
			fmt.Fprintf(&b, ": %s", m.Reason)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestSnapshotJudges(t *testing.T) {
	need := Requirement{Protocol: 1, DuckDB: "v1.5.5"}
	hash := func(h string) func(*Record) { return func(r *Record) { r.HashVector = h } }
	cases := []struct {
		name    string
		records []Record
		want    string
	}{
		{"none", nil, ""},
		{"all alike", []Record{record("b"), record("a")}, "a-1 usable\nb-1 usable\n"},
		{"another protocol", []Record{record("a"), record("b", func(r *Record) { r.Protocol = 2 })},
			"a-1 usable\nb-1 incompatible: speaks control protocol 2, this coordinator speaks 1\n"},
		{"another engine, even as the majority", []Record{record("a"), record("b", func(r *Record) { r.DuckDB = "v1.4.0" }), record("c", func(r *Record) { r.DuckDB = "v1.4.0" })},
			"a-1 usable\nb-1 incompatible: runs DuckDB v1.4.0, this coordinator plans for v1.5.5\nc-1 incompatible: runs DuckDB v1.4.0, this coordinator plans for v1.5.5\n"},
		{"the larger set hashes alike", []Record{record("a", hash("x")), record("b"), record("c")},
			"a-1 incompatible: its engine (DuckDB v1.5.5) hashes values differently from the 2 workers in use\nb-1 usable\nc-1 usable\n"},
		{"of equal sets the oldest member's", []Record{record("z", hash("x")), record("a")},
			"a-1 incompatible: its engine (DuckDB v1.5.5) hashes values differently from the 1 workers in use\nz-1 usable\n"},
		{"draining", []Record{record("a", func(r *Record) { r.Draining = true })}, "a-1 draining: draining\n"},
		{"not told everything yet", []Record{record("a", hash(""))}, "a-1 starting: starting\n"},
		{"the older of one id stays", []Record{record("a", func(r *Record) { r.Incarnation = "a-9" }), record("a", func(r *Record) { r.Address = "x:2" })},
			"a-1 duplicate: worker id a is in use by the worker at a:1\na-9 usable\n"},
		{"draining members have no say in the hash", []Record{record("a", hash("x"), func(r *Record) { r.Draining = true }), record("b", hash("x"), func(r *Record) { r.Draining = true }), record("c")},
			"a-1 draining: draining\nb-1 draining: draining\nc-1 usable\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var joined []Joined
			for i, r := range c.records {
				joined = append(joined, Joined{Record: r, Seq: uint64(i + 1)})
			}
			if got := show(NewSnapshot(1, need, joined)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			rand.Shuffle(len(joined), func(i, j int) { joined[i], joined[j] = joined[j], joined[i] })
			if got := show(NewSnapshot(1, need, joined)); got != c.want {
				t.Errorf("the records' order matters: got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestSnapshotFindSkipsDuplicates(t *testing.T) {
	s := NewSnapshot(1, Requirement{Protocol: 1}, []Joined{
		{Record: record("a", func(r *Record) { r.Incarnation = "old" }), Seq: 1},
		{Record: record("a", func(r *Record) { r.Incarnation = "new" }), Seq: 2},
	})
	m, ok := s.Find("a")
	if !ok || m.Incarnation != "old" {
		t.Errorf("Find = %v, %v; want the older incarnation", m.Incarnation, ok)
	}
	if _, ok := s.Find("b"); ok {
		t.Error("Find found a worker that is not there")
	}
	if n := len(s.Usable()); n != 1 {
		t.Errorf("usable = %d, want 1", n)
	}
}
