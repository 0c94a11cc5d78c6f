package adapt_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
	"github.com/arbalest-sql/arbalest/internal/adapt"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// The scripts under testdata:
//
//	table name=t rows=1000 bytes=4096                      its columns stand below
//	plan workers=3 [partitions=6] [strategy=exchange] [endpoints]      the tree stands below; prints the plan
//	waits [eager]                                          prints what each stage waits for
//	join stage=0 [max=N] [eager]                           the sizes of finished stages as for tasks; prints the plan
//	tasks stage=2 [task-min=N] [skew-min=N] [factor=F] [eager]    one line a producer: stage@worker bytes bytes …
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := &script{tables: map[string]*table.Table{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				return s.table(t, d)
			case "plan":
				return s.build(t, d)
			case "tasks":
				return s.decide(t, d)
			case "waits":
				return fmt.Sprintln(distplan.Waits(s.plan, d.HasArg("eager")))
			case "join":
				return s.join(t, d)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

type script struct {
	tables  map[string]*table.Table
	plan    *distplan.Plan
	tasks   [][]schedule.Task
	workers []schedule.Worker
}

func (s *script) table(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	spec := plantest.Spec{Columns: strings.TrimSpace(d.Input), Files: 3, GroupsPerFile: 2, RowsPerGroup: 1000, BytesPerGroup: 4096}
	d.ScanArgs(t, "name", &spec.Name)
	d.MaybeScanArgs(t, "rows", &spec.RowsPerGroup)
	d.MaybeScanArgs(t, "bytes", &spec.BytesPerGroup)
	made, err := plantest.Table(spec)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	s.tables[spec.Name] = made
	return "ok"
}

func (s *script) build(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	opts := distplan.Options{Workers: 3, Partitions: 6, Distributed: distplan.Always}
	strategy := ""
	d.MaybeScanArgs(t, "workers", &opts.Workers)
	d.MaybeScanArgs(t, "partitions", &opts.Partitions)
	d.MaybeScanArgs(t, "strategy", &strategy)
	opts.JoinStrategy = distplan.JoinStrategy(strategy)
	opts.OrderedEndpoints = d.HasArg("endpoints")
	tree, names, err := plantest.Tree(d.Input, s.tables)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	st := distplan.Statement{Tree: tree}
	for i, typ := range tree.Types() {
		st.Columns = append(st.Columns, table.Column{Name: names[i], Type: typ})
	}
	if s.plan, err = distplan.Build(st, opts); err != nil {
		d.Fatalf(t, "%v", err)
	}
	s.workers = nil
	for i := range opts.Workers {
		s.workers = append(s.workers, schedule.Worker{ID: ids.WorkerID(fmt.Sprintf("w%d", i+1))})
	}
	a, err := schedule.Assign(s.plan, s.workers)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	s.tasks = a.Stages
	return distplan.ExplainOn(s.plan, a.Tasks())
}

func (s *script) decide(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var stage int
	var factor string
	limits := adapt.Limits{SkewFactor: 4, Eager: d.HasArg("eager")}
	d.ScanArgs(t, "stage", &stage)
	d.MaybeScanArgs(t, "task-min", &limits.TaskBytesMin)
	d.MaybeScanArgs(t, "skew-min", &limits.SkewBytesMin)
	if d.MaybeScanArgs(t, "factor", &factor) {
		limits.SkewFactor, _ = strconv.ParseFloat(factor, 64)
	}
	sizes := readSizes(t, d)
	tasks, notes := adapt.Tasks(s.plan, ids.StageID(stage), s.tasks[stage], sizes, s.workers, limits)
	checkCover(t, s.plan, s.plan.Stages[stage], tasks, sizes)
	return s.print(stage, tasks, notes)
}

// join merges a stage and prints the plan, and what its consumer's tasks read.
func (s *script) join(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var stage int
	limits := adapt.Limits{Eager: d.HasArg("eager"), BroadcastBytesMax: 1 << 20}
	d.ScanArgs(t, "stage", &stage)
	d.MaybeScanArgs(t, "max", &limits.BroadcastBytesMax)
	p, consumer, notes := adapt.JoinWhereItLies(s.plan, ids.StageID(stage), readSizes(t, d), len(s.workers), limits)
	if p == nil {
		return "as planned"
	}
	a, err := schedule.Assign(p, s.workers)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return fmt.Sprintf("%s%s%s\n", distplan.ExplainOn(p, a.Tasks()), (&script{plan: p}).print(int(consumer), a.Stages[consumer], notes), p.Stages[consumer].Fragment)
}

func readSizes(t *testing.T, d *datadriven.TestData) adapt.Sizes {
	t.Helper()
	sizes := adapt.Sizes{}
	for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		if line == "" {
			continue
		}
		words := strings.Fields(line)
		from, worker, _ := strings.Cut(words[0], "@")
		id, err := strconv.Atoi(from)
		if err != nil {
			d.Fatalf(t, "%q: %v", line, err)
		}
		producer := adapt.Producer{Worker: ids.WorkerID(worker)}
		for _, w := range words[1:] {
			n, err := strconv.ParseUint(w, 10, 64)
			if err != nil {
				d.Fatalf(t, "%q: %v", line, err)
			}
			producer.Bytes = append(producer.Bytes, n)
		}
		sizes[ids.StageID(id)] = append(sizes[ids.StageID(id)], producer)
	}
	return sizes
}

func (s *script) print(stage int, tasks []schedule.Task, notes []adapt.Note) string {
	var b strings.Builder
	for i := range tasks {
		fmt.Fprintf(&b, "t%d -> %s", tasks[i].Index, tasks[i].Worker)
		for k, in := range s.plan.Stages[stage].Inputs {
			fmt.Fprintf(&b, " %d:%v", in.From, tasks[i].Partitions[k])
			if len(tasks[i].Pieces) > 0 {
				for _, piece := range tasks[i].Pieces[k] {
					fmt.Fprintf(&b, "/p%d of %v", piece.Partition, piece.Producers)
				}
			}
		}
		b.WriteByte('\n')
	}
	for _, n := range notes {
		fmt.Fprintln(&b, n)
	}
	return b.String()
}

// checkCover checks invariant 2: rows of the divided input once, of the others once a task that reads a piece.
func checkCover(t *testing.T, p *distplan.Plan, s *distplan.Stage, tasks []schedule.Task, sizes adapt.Sizes) {
	t.Helper()
	for i, in := range s.Inputs {
		out := p.Stages[in.From].Output
		if in.Read != distplan.ReadShare {
			continue
		}
		for part := range out.Partitions {
			for producer := range sizes[in.From] {
				readers, divided, others := 0, false, 0
				for k := range tasks {
					for _, of := range tasks[k].Partitions[i] {
						if of != part {
							continue
						}
						others++
						if tasks[k].Reads(i, part, ids.TaskIndex(producer)) {
							readers++
						}
						for input := range tasks[k].Pieces {
							for _, piece := range tasks[k].Pieces[input] {
								divided = divided || piece.Partition == part && input != i
							}
						}
					}
				}
				if want := 1; divided && readers != others || !divided && readers != want {
					t.Errorf("partition %d of stage %d task %d is read by %d of %d tasks", part, in.From, producer, readers, others)
				}
			}
		}
	}
	for k := range tasks {
		if int(tasks[k].Index) != k {
			t.Errorf("task %d is numbered %d", k, tasks[k].Index)
		}
	}
}

// Whatever the sizes, every row is read by whom it should be, and the same sizes give the same tasks.
func TestRandomSizes(t *testing.T) {
	s := &script{tables: map[string]*table.Table{}}
	for _, name := range []string{"l", "r"} {
		made, err := plantest.Table(plantest.Spec{Name: name, Columns: name + "k BIGINT, " + name + "v BIGINT", Files: 3, GroupsPerFile: 2, RowsPerGroup: 10, BytesPerGroup: 10})
		if err != nil {
			t.Fatal(err)
		}
		s.tables[name] = made
	}
	rng := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a seed makes the test repeatable
	for range 2000 {
		workers, partitions := 1+rng.IntN(5), 2+rng.IntN(12)
		tree := plantest.MustTree("join inner on=(lk = rk)\n  scan l (lk, lv)\n  scan r (rk, rv)\n", s.tables)
		st := distplan.Statement{Tree: tree}
		for i, typ := range tree.Types() {
			st.Columns = append(st.Columns, table.Column{Name: fmt.Sprint("c", i), Type: typ})
		}
		p, err := distplan.Build(st, distplan.Options{Workers: workers, Partitions: partitions, Distributed: distplan.Always, JoinStrategy: distplan.JoinExchange})
		if err != nil {
			t.Fatal(err)
		}
		var members []schedule.Worker
		for i := range workers {
			members = append(members, schedule.Worker{ID: ids.WorkerID(fmt.Sprint("w", i)), Threads: rng.IntN(3)})
		}
		a, err := schedule.Assign(p, members)
		if err != nil {
			t.Fatal(err)
		}
		sizes := adapt.Sizes{}
		for from := range 2 {
			for range 1 + rng.IntN(4) {
				producer := adapt.Producer{Worker: members[rng.IntN(workers)].ID}
				for range partitions {
					producer.Bytes = append(producer.Bytes, uint64(rng.IntN(3))*uint64(rng.IntN(1<<rng.IntN(20))))
				}
				sizes[ids.StageID(from)] = append(sizes[ids.StageID(from)], producer)
			}
		}
		limits := adapt.Limits{TaskBytesMin: uint64(rng.IntN(3) * 1000), SkewBytesMin: 1, SkewFactor: rng.Float64() * 4, Eager: rng.IntN(2) == 0}
		tasks, _ := adapt.Tasks(p, 2, a.Stages[2], sizes, members, limits)
		again, _ := adapt.Tasks(p, 2, a.Stages[2], sizes, members, limits)
		if !reflect.DeepEqual(tasks, again) {
			t.Fatal("the same sizes gave other tasks")
		}
		checkCover(t, p, p.Stages[2], tasks, sizes)
		if len(tasks) == 0 || t.Failed() {
			t.Fatalf("workers=%d partitions=%d limits=%+v sizes=%v tasks=%+v", workers, partitions, limits, sizes, tasks)
		}
	}
}
