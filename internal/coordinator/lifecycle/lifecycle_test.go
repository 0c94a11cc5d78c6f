package lifecycle

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// epoch is second 0 of every script.
var epoch = time.Unix(1_000_000, 0)

// TestScripts runs the interactions under testdata: each command feeds one event and prints the actions and the state.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := &script{m: &Machine{}, now: epoch}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.run(t, d)
		})
	})
}

type script struct {
	m   *Machine
	now time.Time
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	if d.HasArg("at") {
		var second float64
		var text string
		d.ScanArgs(t, "at", &text)
		second, _ = strconv.ParseFloat(text, 64)
		s.now = epoch.Add(time.Duration(second * float64(time.Second)))
	}
	if d.Cmd == "show" {
		return s.show()
	}
	var b strings.Builder
	for _, action := range s.m.Step(s.event(t, d)) {
		switch a := action.(type) {
		case Dispatch:
			fmt.Fprintf(&b, "dispatch %d/%d#%d -> %s\n", a.Stage, a.Task, a.Attempt, a.Worker)
		case Abandon:
			fmt.Fprintf(&b, "abandon %d/%d#%d at %s\n", a.Stage, a.Task, a.Attempt, a.Worker)
		case Ready:
			fmt.Fprintf(&b, "settle stage %d?\n", a.Stage)
		case Place:
			fmt.Fprintf(&b, "place %d\n", a.Task)
		case Alarm:
			fmt.Fprintf(&b, "alarm at=%.1f\n", a.At.Sub(epoch).Seconds())
		case End:
			fmt.Fprintf(&b, "end; release %v\n", a.Release)
		}
	}
	fmt.Fprintf(&b, "%s", s.m.Status())
	if err := s.m.Err(); err != nil {
		fmt.Fprintf(&b, ": %s: %v", qerr.KindOf(err), err)
	}
	return b.String() + "\n"
}

func (s *script) event(t *testing.T, d *datadriven.TestData) Event {
	var task string
	stage, index, attempt := 0, 0, 1
	if d.MaybeScanArgs(t, "task", &task) {
		if _, err := fmt.Sscanf(task, "%d/%d", &stage, &index); err != nil {
			d.Fatalf(t, "task=%s: %v", task, err)
		}
	}
	d.MaybeScanArgs(t, "attempt", &attempt)
	var fault error
	var text string
	if d.MaybeScanArgs(t, "err", &text) {
		fault = s.fault(t, d, text)
	}
	report := func(state TaskState) Event {
		r := Report{Stage: ids.StageID(stage), Task: ids.TaskIndex(index), Attempt: ids.Attempt(attempt), State: state, Err: fault, Now: s.now}
		var rows uint64
		d.MaybeScanArgs(t, "rows", &rows)
		r.Stats.Rows, r.Stats.SchemaSent, r.Stats.InputsRead = rows, d.HasArg("sent"), d.HasArg("read")
		var progress string
		if d.MaybeScanArgs(t, "progress", &progress) {
			r.Stats.Progress, _ = strconv.ParseFloat(progress, 64)
		}
		return r
	}
	switch d.Cmd {
	case "wait":
		var until int
		d.ScanArgs(t, "until", &until)
		return Wait{Until: epoch.Add(time.Duration(until) * time.Second), Err: qerr.New(qerr.Unavailable, "nothing came")}
	case "start":
		return Start{Shape: s.shape(t, d), Now: s.now}
	case "resume":
		return s.resume(t, d)
	case "settle":
		e := Settle{Now: s.now}
		d.ScanArgs(t, "stage", &stage)
		e.Stage = ids.StageID(stage)
		for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
			if number, rest, found := strings.Cut(line, ": "); found {
				n, _ := strconv.Atoi(number)
				e.Changes = append(e.Changes, StageChange{Stage: ids.StageID(n), Shape: s.stage(t, d, rest)})
			}
		}
		return e
	case "created":
		return Created{Stage: ids.StageID(stage), Task: ids.TaskIndex(index), Attempt: ids.Attempt(attempt), Err: fault, Now: s.now}
	case "placed":
		return report(Placed)
	case "running":
		return report(Active)
	case "finished":
		return report(Done)
	case "failed":
		return report(Broken)
	case "dropped":
		return report(Dropped)
	case "lost":
		var worker string
		d.ScanArgs(t, "worker", &worker)
		return WorkerLost{Worker: ids.WorkerID(worker), Reason: "silent", Now: s.now}
	case "workers":
		var usable string
		d.MaybeScanArgs(t, "usable", &usable)
		var all []ids.WorkerID
		for _, w := range strings.FieldsFunc(usable, func(r rune) bool { return r == '+' }) {
			all = append(all, ids.WorkerID(w))
		}
		return Workers{Usable: all, Now: s.now}
	case "opened":
		return Opened{Task: ids.TaskIndex(index), Attempt: ids.Attempt(attempt), Now: s.now}
	case "sent":
		return Sent{Task: ids.TaskIndex(index), Attempt: ids.Attempt(attempt), All: d.HasArg("all"), Now: s.now}
	case "unreadable":
		return Unreadable{Task: ids.TaskIndex(index), Attempt: ids.Attempt(attempt), Err: fault, Now: s.now}
	case "gone":
		return ReaderGone{Task: ids.TaskIndex(index), Now: s.now}
	case "cancel":
		var cause error = qerr.New(qerr.Cancelled, "asked to")
		if d.HasArg("internal") {
			cause = errors.New("odd")
		}
		return Cancel{Cause: cause, Now: s.now}
	case "renew":
		return Renew{Now: s.now}
	case "forget":
		return Forget{Now: s.now}
	case "tick":
		return Tick{Now: s.now}
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return nil
}

// fault makes an error: kind=io, unless another one is given; producer=0/1#2 makes it a failed fetch of that attempt.
func (s *script) fault(t *testing.T, d *datadriven.TestData, text string) error {
	fault := qerr.New(qerr.IO, "%s", text)
	fault.Final = d.HasArg("final")
	var kind, producer string
	if d.MaybeScanArgs(t, "kind", &kind) {
		for _, k := range qerr.Kinds() {
			if strings.EqualFold(k.String(), kind) {
				fault.Kind = k
			}
		}
	}
	if d.HasArg("fetch") {
		fault.Kind = qerr.FetchFailed
	}
	if d.MaybeScanArgs(t, "producer", &producer) {
		key, err := ids.ParseTaskKey("q/" + producer)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		fault.Kind, fault.Producer = qerr.FetchFailed, key
	}
	return fault
}

// shape reads one line a stage: "inputs workers", such as "0,1 w1,w2"; "-" is none. Behind them may stand "after=0", adaptive
// and indeterminate.
func (s *script) shape(t *testing.T, d *datadriven.TestData) Shape {
	shape := Shape{Direct: d.HasArg("direct"), Proxied: d.HasArg("proxied"), Kept: d.HasArg("kept"), ResultTTL: 60 * time.Second, WorkerWaitMax: 30 * time.Second}
	d.MaybeScanArgs(t, "attempts", &shape.Attempts)
	d.MaybeScanArgs(t, "slots", &shape.Slots)
	var stall, deadline, speculate, fallback int
	if d.MaybeScanArgs(t, "fallback", &fallback) {
		shape.FallbackMax = time.Duration(fallback) * time.Second
	}
	if d.MaybeScanArgs(t, "speculate", &speculate) {
		shape.SpeculateAfter = time.Duration(speculate) * time.Second
	}
	if d.MaybeScanArgs(t, "stall", &stall) {
		shape.StallMax = time.Duration(stall) * time.Second
	}
	var usable string
	if d.MaybeScanArgs(t, "usable", &usable) {
		for _, w := range strings.Split(usable, "+") {
			shape.Usable = append(shape.Usable, ids.WorkerID(w))
		}
	}
	if d.MaybeScanArgs(t, "deadline", &deadline) {
		shape.Deadline = epoch.Add(time.Duration(deadline) * time.Second)
	}
	for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		shape.Stages = append(shape.Stages, s.stage(t, d, line))
	}
	return shape
}

func (s *script) stage(t *testing.T, d *datadriven.TestData, line string) (stage StageShape) {
	numbers := func(list string) (all []ids.StageID) {
		for _, word := range strings.Split(list, ",") {
			n, err := strconv.Atoi(word)
			if err != nil {
				d.Fatalf(t, "stage %q: %v", line, err)
			}
			all = append(all, ids.StageID(n))
		}
		return all
	}
	words := strings.Fields(line)
	if words[0] != "-" {
		stage.Inputs = numbers(words[0])
	}
	if words[1] != "-" {
		for _, w := range strings.Split(words[1], ",") {
			stage.Workers = append(stage.Workers, ids.WorkerID(w))
		}
	}
	for _, word := range words[2:] {
		switch after, isAfter := strings.CutPrefix(word, "after="); {
		case isAfter:
			stage.After = numbers(after)
		case word == "adaptive":
			stage.Adapt = true
		case word == "indeterminate":
			stage.Indeterminate = true
		default:
			d.Fatalf(t, "stage %q: what is %s?", line, word)
		}
	}
	return stage
}

func (s *script) show() string {
	var b strings.Builder
	tasks, rows, _ := s.m.Totals()
	fmt.Fprintf(&b, "%s complete=%t progress=%.2f tasks=%d rows=%d\n", s.m.Status(), s.m.Complete(), s.m.Progress(), tasks, rows)
	for stage, tasks := range s.m.Stages() {
		fmt.Fprintf(&b, "stage %d:", stage)
		for index, task := range tasks {
			fmt.Fprintf(&b, " %s@%s", task.State, task.Worker)
			if task.Attempt > 1 {
				fmt.Fprintf(&b, "#%d", task.Attempt)
			}
			if rival := s.m.stages[stage][index].rival; rival != nil {
				fmt.Fprintf(&b, "+%s@%s#%d", rival.State, rival.Worker, rival.Attempt)
			}
		}
		b.WriteString("\n")
	}
	if d := s.m.Counts(); d[OutcomeFailed]+d[OutcomeLost]+d[OutcomeRefused]+d[OutcomeRestarted] > 0 {
		b.WriteString("attempts:")
		for _, o := range Outcomes() {
			if d[o] > 0 {
				fmt.Fprintf(&b, " %s=%d", o, d[o])
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
