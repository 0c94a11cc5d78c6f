package fleet

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// An entry is a line of a worker's log that tells what it did for whom. Turn orders what changed the worker's tasks.
type entry struct {
	Message string   `json:"message"`
	Turn    uint64   `json:"turn"`
	Task    string   `json:"task"`
	Query   string   `json:"query"`
	Owner   string   `json:"owner"`
	Epoch   uint64   `json:"epoch"`
	Fallen  string   `json:"fallen"`
	Keep    []string `json:"keep"`
}

const (
	taken     = "task taken"
	handed    = "query has another owner"
	hasFallen = "a coordinator has fallen"
	ended     = "task ended"
)

// historyOf reads a worker's log.
func historyOf(path string) (all []entry, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) == nil && slices.Contains([]string{taken, handed, hasFallen, ended}, e.Message) {
			all = append(all, e)
		}
	}
	return all, lines.Err()
}

// checkHistory holds what one worker did to the rules of ownership:
//
//   - the owner of a query changes only to a later epoch, and each epoch has one owner;
//   - no task is taken for an epoch that has passed, or for a coordinator that has fallen;
func checkHistory(all []entry) (faults []string, handovers int) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	type reign struct {
		epoch uint64
		owner string
	}
	owners, fallen := map[string]reign{}, map[string]bool{}
	rules := slices.DeleteFunc(slices.Clone(all), func(e entry) bool { return e.Message == ended })
	// The lines of one succession have one turn; the queries come first, as its coordinator counts as fallen after them.
	slices.SortStableFunc(rules, func(a, b entry) int { return cmp.Compare(a.Turn, b.Turn) })
	for _, e := range rules {
		query, _, _ := strings.Cut(e.Task, "/")
		if e.Message == hasFallen {
			fallen[e.Fallen] = true
			continue
		}
		if e.Message == handed {
			query = e.Query
		}
		now, known := owners[query]
		switch {
		case fallen[e.Owner]:
			fault("turn %d: %s of query %s for %s, which has fallen", e.Turn, e.Message, query, e.Owner)
		case known && e.Epoch < now.epoch:
			fault("turn %d: %s of query %s in epoch %d of %s, after epoch %d of %s", e.Turn, e.Message, query, e.Epoch, e.Owner, now.epoch, now.owner)
		case known && e.Epoch == now.epoch && e.Owner != now.owner:
			fault("turn %d: query %s has two owners in epoch %d: %s and %s", e.Turn, query, e.Epoch, now.owner, e.Owner)
		}
		if e.Message == handed && e.Epoch > now.epoch {
			handovers++
		}
		owners[query] = reign{e.Epoch, e.Owner}
	}
	return faults, handovers
}

// running are the tasks that were taken for fallen coordinators and have not ended. An attempt ends once, and the line that says so
// may come before the one that says that it was taken.
func running(all []entry) (left []string) {
	owner, fallen, over := map[string]string{}, map[string]bool{}, map[string]bool{}
	for _, e := range all {
		switch e.Message {
		case taken:
			owner[e.Task] = e.Owner
		case ended:
			over[e.Task] = true
		case hasFallen:
			fallen[e.Fallen] = true
		case handed: // what goes on is the successor's
			for _, key := range e.Keep {
				if _, here := owner[key]; here {
					owner[key] = e.Owner
				}
			}
		}
	}
	for task, o := range owner {
		if fallen[o] && !over[task] {
			left = append(left, task)
		}
	}
	return left
}

func TestCheckHistory(t *testing.T) {
	good := []entry{
		{Message: taken, Turn: 1, Task: "q/0/0#1", Owner: "a", Epoch: 1},
		{Message: taken, Turn: 1, Task: "q/1/0#1", Owner: "a", Epoch: 1},
		{Message: handed, Turn: 2, Query: "q", Owner: "b", Epoch: 2, Fallen: "a", Keep: []string{"q/1/0#1"}},
		{Message: hasFallen, Turn: 2, Fallen: "a"},
		{Message: taken, Turn: 3, Task: "q/0/1#1001", Owner: "b", Epoch: 2},
		{Message: ended, Task: "q/0/0#1"},
	}
	if faults, handovers := checkHistory(good); len(faults) > 0 || handovers != 1 {
		t.Errorf("a good history has %v, %d handovers", faults, handovers)
	}
	if left := running(good); len(left) != 0 {
		t.Errorf("%v run on", left)
	}
	if left := running(good[:5]); !slices.Equal(left, []string{"q/0/0#1"}) {
		t.Errorf("%v run on, want the fallen one's", left)
	}
	for name, bad := range map[string]entry{
		"fallen":      {Message: taken, Turn: 4, Task: "other/0/0#1", Owner: "a", Epoch: 1},
		"old epoch":   {Message: taken, Turn: 4, Task: "q/0/0#2", Owner: "c", Epoch: 1},
		"two owners":  {Message: taken, Turn: 4, Task: "q/0/0#2", Owner: "c", Epoch: 2},
		"late by log": {Message: taken, Turn: 3, Task: "q/0/0#2", Owner: "a", Epoch: 1},
	} {
		if faults, _ := checkHistory(append(slices.Clone(good), bad)); len(faults) != 1 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}
