package admission

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs the scripts under testdata. Commands:
//
//	limits running=N queued=N [group-running=N] [group-queued=N]   a new queue; a line a group: NAME weight=N running=N queued=N
//	enter QUERY group=NAME
//	leave QUERY
//	show
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var q *Queue[string]
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "limits" {
				q = New[string](limits(t, d))
				return ""
			}
			var name string
			if len(d.CmdArgs) > 0 {
				name = d.CmdArgs[0].Key
			}
			switch d.Cmd {
			case "enter":
				var group string
				d.ScanArgs(t, "group", &group)
				return [...]string{"run", "wait", "refuse"}[q.Enter(name, group)]
			case "leave":
				return fmt.Sprintf("next %v", q.Leave(name))
			case "show":
				var b strings.Builder
				for _, s := range q.States() {
					fmt.Fprintf(&b, "%s running=%d queued=%d\n", s.Group, s.Running, s.Queued)
				}
				return b.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func limits(t *testing.T, d *datadriven.TestData) Limits {
	l := Limits{Groups: map[string]Group{}}
	d.ScanArgs(t, "running", &l.RunningMax)
	d.ScanArgs(t, "queued", &l.QueuedMax)
	d.MaybeScanArgs(t, "group-running", &l.Default.RunningMax)
	d.MaybeScanArgs(t, "group-queued", &l.Default.QueuedMax)
	for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var g Group
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			n, err := strconv.Atoi(value)
			if err != nil {
				d.Fatalf(t, "%s: %v", word, err)
			}
			*map[string]*int{"weight": &g.Weight, "running": &g.RunningMax, "queued": &g.QueuedMax}[key] = n
		}
		l.Groups[words[0]] = g
	}
	return l
}

// TestShares lets groups with more work than there are places compete; each must get its share of the time, also when its
// queries are longer than the others'.
func TestShares(t *testing.T) {
	weights := map[string]int{"a": 1, "b": 2, "c": 5}
	for _, places := range []int{1, 8, 16} {
		for _, long := range []string{"", "a", "c"} {
			q := New[string](Limits{RunningMax: places, QueuedMax: 1000, Groups: map[string]Group{"a": {Weight: 1}, "b": {Weight: 2}, "c": {Weight: 5}}})
			rng := rand.New(rand.NewPCG(uint64(places), 1)) //nolint:gosec // repeatable
			left := map[string]int{}                        // of running queries
			held := map[string]int{}
			started := map[string]int{}
			n := 0
			run := func(keys ...string) {
				for _, key := range keys {
					left[key] = 1 + rng.IntN(10)
					started[key[:1]]++
					if key[:1] == long {
						left[key] *= 5
					}
				}
			}
			for range 5000 {
				for name := range weights { // enough always waits
					for s := range 30 - queuedOf(q, name) {
						n++
						if key := fmt.Sprintf("%s%d.%d", name, n, s); q.Enter(key, name) == Run {
							run(key)
						}
					}
				}
				for key := range left {
					held[key[:1]]++
					if left[key]--; left[key] == 0 {
						delete(left, key)
						run(q.Leave(key)...)
					}
				}
			}
			got := held // of the time in places; with one place, of the turns
			if places == 1 {
				got = started
			}
			total := got["a"] + got["b"] + got["c"]
			for name, weight := range weights {
				share, want := float64(got[name])/float64(total), float64(weight)/8
				if share < want*0.7 || share > want*1.3 {
					t.Errorf("%d places, long %q: group %s got %.3f, want %.3f", places, long, name, share, want)
				}
			}
		}
	}
}

func queuedOf(q *Queue[string], name string) int {
	for _, s := range q.States() {
		if s.Group == name {
			return s.Queued
		}
	}
	return 0
}

// TestInvariants enters and leaves at random, and looks after each step.
func TestInvariants(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // repeatable
		l := Limits{RunningMax: 1 + rng.IntN(5), QueuedMax: rng.IntN(20), Default: Group{RunningMax: rng.IntN(4), QueuedMax: rng.IntN(10)},
			Groups: map[string]Group{"g0": {Weight: 1 + rng.IntN(4), RunningMax: rng.IntN(3)}}}
		q := New[int](l)
		runs, waits := map[int]string{}, map[int]string{}
		for n := range 300 {
			if rng.IntN(2) == 0 {
				name := fmt.Sprintf("g%d", rng.IntN(4))
				switch q.Enter(n, name) {
				case Run:
					runs[n] = name
				case Wait:
					waits[n] = name
				}
			} else if len(runs)+len(waits) > 0 {
				victim := rng.IntN(n + 1)
				delete(runs, victim)
				delete(waits, victim)
				for _, next := range q.Leave(victim) {
					if waits[next] == "" {
						t.Fatalf("seed %d: %d has a place and did not wait", seed, next)
					}
					runs[next] = waits[next]
					delete(waits, next)
				}
			}
			if r, w := q.Sizes(); r != len(runs) || w != len(waits) || r > l.RunningMax || w > l.QueuedMax {
				t.Fatalf("seed %d: %d run and %d wait; told of %d and %d; limits %+v", seed, r, w, len(runs), len(waits), l)
			}
			for _, s := range q.States() {
				own, ok := l.Groups[s.Group]
				if !ok {
					own = l.Default
				}
				if own.RunningMax > 0 && s.Running > own.RunningMax {
					t.Fatalf("seed %d: %+v runs too many", seed, s)
				}
				if s.Queued > 0 && len(runs) < l.RunningMax && (own.RunningMax == 0 || s.Running < own.RunningMax) {
					t.Fatalf("seed %d: %+v waits although there is a place", seed, s)
				}
			}
		}
		for key := range runs {
			delete(waits, key)
			q.Leave(key)
		}
		for len(q.member) > 0 {
			for key := range q.member {
				q.Leave(key)
			}
		}
		if len(q.groups) != 0 {
			t.Fatalf("seed %d: groups are left: %v", seed, q.States())
		}
	}
}
