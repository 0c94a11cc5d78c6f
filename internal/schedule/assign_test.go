package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// The scripts under testdata:
//
//	workers                one a line: name [threads=N]
//	splits [scans=N]       one a line: file, then the bytes of its splits of 100 rows each; a single one is a whole file
//	partitions inputs=hash:6,gather       the stage reads these
//	single scans=…
func TestAssign(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var workers []schedule.Worker
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var p *distplan.Plan
			switch d.Cmd {
			case "workers":
				workers = readWorkers(t, d)
				return "ok"
			case "splits", "single":
				p = splitPlan(t, d)
				if d.Cmd == "single" {
					p.Stages[0].Spread = distplan.SpreadSingle
				}
			case "partitions":
				p = partitionPlan(t, d)
			default:
				t.Fatalf("unknown command %s", d.Cmd)
			}
			a, err := schedule.Assign(p, workers)
			if err != nil {
				return "error: " + err.Error()
			}
			return print(a.Stages[len(a.Stages)-1])
		})
	})
}

func readWorkers(t *testing.T, d *datadriven.TestData) []schedule.Worker {
	t.Helper()
	var workers []schedule.Worker
	for _, line := range strings.Fields(strings.ReplaceAll(d.Input, " threads=", "/")) {
		name, threads, _ := strings.Cut(line, "/")
		w := schedule.Worker{ID: ids.WorkerID(name), Slots: 4}
		if threads != "" {
			if _, err := fmt.Sscan(threads, &w.Threads); err != nil {
				d.Fatalf(t, "%v", err)
			}
		}
		workers = append(workers, w)
	}
	return workers
}

// splitPlan makes one stage whose scan reads the files of the script; "scan" starts another scan, "replicated" one that
// every task reads.
func splitPlan(t *testing.T, d *datadriven.TestData) *distplan.Plan {
	t.Helper()
	s := &distplan.Stage{Spread: distplan.SpreadSplits, Output: distplan.Output{Kind: distplan.OutputResult, Partitions: 1}}
	for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "scan" || words[0] == "replicated" || len(s.Scans) == 0 {
			s.Scans = append(s.Scans, distplan.ScanInput{Table: &table.Table{}, Replicated: words[0] == "replicated"})
			if words[0] == "scan" || words[0] == "replicated" {
				continue
			}
		}
		scan := &s.Scans[len(s.Scans)-1]
		file := &table.File{Path: words[0], Rows: int64(100 * (len(words) - 1))}
		for i, w := range words[1:] {
			split := table.Split{File: file, FirstRow: int64(100 * i), Rows: 100}
			if len(words) == 2 {
				split.FirstRow, split.Rows = 0, -1
			}
			if _, err := fmt.Sscan(w, &split.Bytes); err != nil {
				d.Fatalf(t, "%v", err)
			}
			scan.Splits = append(scan.Splits, split)
		}
	}
	return &distplan.Plan{Stages: []*distplan.Stage{s}}
}

func partitionPlan(t *testing.T, d *datadriven.TestData) *distplan.Plan {
	t.Helper()
	p := &distplan.Plan{}
	last := &distplan.Stage{Spread: distplan.SpreadPartitions}
	for _, in := range strings.Fields(d.Input) {
		out := distplan.Output{Kind: distplan.OutputBroadcast, Partitions: 1}
		in, whole := strings.CutSuffix(in, ":whole")
		if n, ok := strings.CutPrefix(in, "hash:"); ok {
			out.Kind = distplan.OutputHash
			if _, err := fmt.Sscan(n, &out.Partitions); err != nil {
				d.Fatalf(t, "%v", err)
			}
		}
		id := ids.StageID(len(p.Stages))
		p.Stages = append(p.Stages, &distplan.Stage{ID: id, Output: out})
		read := distplan.ReadWhole
		if out.Kind == distplan.OutputHash && !whole {
			read = distplan.ReadShare
		}
		last.Inputs = append(last.Inputs, distplan.ExchangeInput{From: id, Read: read})
	}
	last.ID = ids.StageID(len(p.Stages))
	p.Stages = append(p.Stages, last)
	return p
}

func print(tasks []schedule.Task) string {
	var b strings.Builder
	for _, t := range tasks {
		fmt.Fprintf(&b, "t%d -> %s", t.Index, t.Worker)
		for i, splits := range t.Splits {
			var bytes int64
			for _, s := range splits {
				bytes += s.Bytes
			}
			fmt.Fprintf(&b, " scan %d bytes=%d:", i, bytes)
			for _, s := range splits {
				fmt.Fprintf(&b, " %s", s.File.Path)
				if !s.Whole() {
					fmt.Fprintf(&b, "[%d,%d)", s.FirstRow, s.FirstRow+s.Rows)
				}
			}
		}
		for _, p := range t.Partitions {
			fmt.Fprintf(&b, " partitions %v", p)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestNoWorkers(t *testing.T) {
	if _, err := schedule.Assign(&distplan.Plan{}, nil); err == nil {
		t.Error("no worker: no error")
	}
	twins := []schedule.Worker{{ID: "w"}, {ID: "w"}}
	if _, err := schedule.Assign(&distplan.Plan{}, twins); err == nil {
		t.Error("two workers of one name: no error")
	}
}

// Every row of every file is in exactly one task; nobody has much more than its due, as far as row groups allow; the same
// input gives the same assignment.
func TestEveryRowOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // A seed makes the test repeatable.
	for range 300 {
		s := &distplan.Stage{Spread: distplan.SpreadSplits}
		var largest, total int64
		for range 1 + rng.IntN(2) {
			scan := distplan.ScanInput{Table: &table.Table{}}
			for f := range rng.IntN(6) {
				n := 1 + rng.IntN(5)
				file := &table.File{Path: fmt.Sprint("f", f), Rows: int64(n * 10)}
				for i := range n {
					split := table.Split{File: file, FirstRow: int64(i * 10), Rows: 10, Bytes: rng.Int64N(1000)}
					if n == 1 {
						split.FirstRow, split.Rows = 0, -1
					}
					scan.Splits = append(scan.Splits, split)
					largest, total = max(largest, split.Bytes), total+max(split.Bytes, 1)
				}
			}
			s.Scans = append(s.Scans, scan)
		}
		p := &distplan.Plan{Stages: []*distplan.Stage{s}}
		var workers []schedule.Worker
		for i := range 1 + rng.IntN(7) {
			workers = append(workers, schedule.Worker{ID: ids.WorkerID(fmt.Sprint("w", i))})
		}
		a, err := schedule.Assign(p, workers)
		if err != nil {
			t.Fatal(err)
		}
		again, err := schedule.Assign(p, workers)
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Fatalf("another assignment the second time (%v)", err)
		}
		checkCover(t, s, a.Stages[0])
		due := float64(total) / float64(len(workers))
		for _, task := range a.Stages[0] {
			var bytes int64
			for _, splits := range task.Splits {
				for _, split := range splits {
					bytes += split.Bytes
				}
			}
			if float64(bytes) > due*1.15+float64(largest) {
				t.Errorf("task %d has %d bytes, due %.0f, largest split %d\n%s", task.Index, bytes, due, largest, print(a.Stages[0]))
			}
		}
	}
}

func checkCover(t *testing.T, s *distplan.Stage, tasks []schedule.Task) {
	t.Helper()
	for i, scan := range s.Scans {
		read := map[*table.File]map[int64]int{}
		for _, task := range tasks {
			for _, split := range task.Splits[i] {
				first, rows := split.FirstRow, split.Rows
				if split.Whole() {
					first, rows = 0, split.File.Rows
				}
				if read[split.File] == nil {
					read[split.File] = map[int64]int{}
				}
				for r := first; r < first+rows; r++ {
					read[split.File][r]++
				}
			}
		}
		for _, split := range scan.Splits {
			for r := range split.File.Rows {
				if n := read[split.File][r]; n != 1 {
					t.Fatalf("row %d of %s is read %d times\n%s", r, split.File.Path, n, print(tasks))
				}
			}
		}
	}
}
