package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// TestInteraction runs the scripts: a registry with a clock that stands still but for "tick". Commands:
//
//	new [tasks=N]                              a fresh registry; grace 10 s, age 100 s, released queries known for 30 s, two of them
//	create KEY kind=kept|result|pinned [deadline=S] [owner=ID]   seconds from the start
//	direct KEY [deadline=S]
//	redeem KEY · kept KEY · inputs-read KEY · schema-sent KEY
//	progress KEY rows=N
//	finish KEY [run=N] [rows=N] [error=KIND]
//	release QUERY [error=KIND] · release-but QUERY stage=N · cancel KEY · orphan [owner=ID] · drain · close
//	succeed fallen=ID by=ID [query=QUERY] [keep=KEY+KEY]
//	tick seconds=N                             moves the clock and sweeps
//	snapshot · changed · counts · held [owner=ID]
//
// Each prints its answer, then the actions that follow.
func TestInteraction(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		start := testStart
		e := &env{start: start, now: start}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			answer := e.run(t, d)
			if e.registry != nil {
				answer += e.actions()
			}
			if answer == "" {
				return "ok\n"
			}
			return answer
		})
	})
}

var testStart = time.Unix(1_000_000, 0)

type env struct {
	registry   *Registry
	start, now time.Time
}

func (e *env) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var name string
	for _, arg := range d.CmdArgs {
		if len(arg.Vals) == 0 {
			name = arg.Key
		}
	}
	number := func(key string) (n int) {
		d.MaybeScanArgs(t, key, &n)
		return n
	}
	switch d.Cmd {
	case "new":
		tasks := number("tasks")
		if tasks == 0 {
			tasks = 100
		}
		e.registry = New(Limits{TasksMax: tasks, AgeMax: 100 * time.Second, Grace: 10 * time.Second, ReleasedTTL: 30 * time.Second, ReleasedMax: 2})
		return ""
	case "create", "direct":
		task := Task{Key: key(t, name), Owner: owner(t, d)}
		if s := number("deadline"); s > 0 {
			task.Deadline = e.start.Add(time.Duration(s) * time.Second)
		}
		if d.Cmd == "direct" {
			id, err := e.registry.Direct(e.now, task)
			return errText(err, fmt.Sprintf("run %d\n", id.Run))
		}
		var kind string
		d.ScanArgs(t, "kind", &kind)
		if kind == "result" {
			task.Kind = Result
		}
		task.Pinned = kind == "pinned"
		created, err := e.registry.Create(e.now, task)
		if !created && err == nil {
			return "exists\n"
		}
		return errText(err, "")
	case "redeem":
		_, err := e.registry.Redeem(e.now, key(t, name), false)
		return errText(err, "")
	case "kept":
		return errText(e.registry.Kept(key(t, name)), "kept\n")
	case "inputs-read":
		e.registry.InputsRead(e.now, ID{Key: key(t, name)})
	case "schema-sent":
		e.registry.SchemaSent(e.now, ID{Key: key(t, name)})
	case "progress":
		e.registry.Progress(ID{Key: key(t, name)}, uint64(number("rows")), 0, 0.5)
	case "finish":
		o := Outcome{Rows: uint64(number("rows")), Err: faultOf(t, d)}
		return fmt.Sprintf("keep=%t\n", e.registry.Finish(e.now, ID{key(t, name), uint64(number("run"))}, o))
	case "release":
		return waitText(e.registry.Release(e.now, ids.QueryID(name), faultOf(t, d)))
	case "cancel":
		e.registry.Cancel(e.now, key(t, name), qerr.New(qerr.Unavailable, "given up"))
	case "release-but":
		e.registry.ReleaseBut(e.now, ids.QueryID(name), ids.StageID(number("stage")))
	case "close":
		return waitText(e.registry.InterruptAll(e.now, qerr.New(qerr.Unavailable, "closing")))
	case "orphan":
		e.registry.Orphan(e.now, owner(t, d), qerr.New(qerr.Unavailable, "nobody watches"))
	case "succeed":
		return e.succeed(t, d)
	case "drain":
		e.registry.Drain()
	case "tick":
		e.now = e.now.Add(time.Duration(number("seconds")) * time.Second)
		e.registry.Sweep(e.now)
	case "snapshot":
		return eventText(e.registry.Snapshot(e.now))
	case "changed":
		return eventText(e.registry.Changed(e.now))
	case "held":
		return fmt.Sprintf("%v\n", e.registry.Held(owner(t, d)))
	case "counts":
		var parts []string
		for state, n := range e.registry.Counts() {
			parts = append(parts, state.String()+"="+strconv.Itoa(n))
		}
		slices.Sort(parts)
		return fmt.Sprintf("%s busy=%d\n", strings.Join(parts, " "), e.registry.Busy())
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
	return ""
}

func owner(t *testing.T, d *datadriven.TestData) (owner string) {
	t.Helper()
	d.MaybeScanArgs(t, "owner", &owner)
	return owner
}

// faultOf is the error that a command names by its kind; nil when it names none.
func faultOf(t *testing.T, d *datadriven.TestData) error {
	t.Helper()
	var kind string
	if !d.MaybeScanArgs(t, "error", &kind) {
		return nil
	}
	for _, k := range qerr.Kinds() {
		if k.String() == kind {
			return qerr.New(k, "it went wrong")
		}
	}
	d.Fatalf(t, "no kind %s", kind)
	return nil
}

func key(t *testing.T, text string) ids.TaskKey {
	t.Helper()
	k, err := ids.ParseTaskKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func errText(err error, otherwise string) string {
	if err == nil {
		return otherwise
	}
	return fmt.Sprintf("%s: %s\n", qerr.KindOf(err), err)
}

func idText(id ID) string {
	if id.Run == 0 {
		return id.Key.String()
	}
	return fmt.Sprintf("%s run %d", id.Key, id.Run)
}

func waitText(wait []ID) string {
	text := ""
	for _, id := range wait {
		text += "wait for " + idText(id) + "\n"
	}
	return text
}

func eventText(events []Event) string {
	text := ""
	for _, ev := range events {
		text += fmt.Sprintf("%s %s", ev.Key, ev.State)
		if ev.Rows > 0 {
			text += fmt.Sprintf(" rows=%d", ev.Rows)
		}
		if ev.Elapsed > 0 {
			text += fmt.Sprintf(" after %s", ev.Elapsed)
		}
		if ev.InputsRead {
			text += " inputs-read"
		}
		if ev.SchemaSent {
			text += " schema-sent"
		}
		if ev.Err != nil {
			text += " " + strings.TrimSpace(errText(ev.Err, ""))
		}
		text += "\n"
	}
	return text
}

func (e *env) actions() string {
	a := e.registry.Take()
	text := ""
	for _, line := range strings.SplitAfter(eventText(a.Events), "\n") {
		if line != "" {
			text += "> " + line
		}
	}
	for _, i := range a.Interrupt {
		text += fmt.Sprintf("> interrupt %s: %s\n", idText(i.ID), i.Cause)
	}
	for _, k := range a.Drop {
		text += fmt.Sprintf("> drop %s\n", k)
	}
	return text
}
