package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// TestAggregateOverAnExchange runs a two-stage aggregate over two workers: whole and cut files at the leaves, a hash exchange
// through Flight and through the own store, and two result tasks, and compares with one engine over the files.
func TestAggregateOverAnExchange(t *testing.T) {
	c := newCluster(t, 2, nil)
	a, b, d := c.write("a.parquet", 0, 10_000), c.write("b.parquet", 10_000, 5000), c.write("d's.parquet", 15_000, 20_000)
	leaves := [][]*pb.Split{
		{c.split(a), c.cut(d, 0, 2048), c.cut(d, 4096, 2048)},
		{c.cut(d, 2048, 2048), c.split(b), c.cut(d, 6144, 20_000-6144)},
	}
	const partitions = 8
	var producers []*pb.TaskSpec
	for i, splits := range leaves {
		leaf := task("q", 0, i, fmt.Sprintf("SELECT c0, sum(c1), count(*), min(c2), (hash(c0) >> 32) %% %d FROM scan_0 WHERE c1 >= 5 GROUP BY c0", partitions),
			scan(splits...), "BIGINT", "HUGEINT", "BIGINT", "VARCHAR")
		leaf.Partitions = partitions
		c.create(i, leaf)
		producers = append(producers, leaf)
	}
	for i, leaf := range producers {
		c.finished(i, leaf.Key)
	}
	var got []string
	for i := range leaves {
		root := task("q", 1, i, "SELECT c0, CAST(sum(c1) AS BIGINT), CAST(sum(c2) AS BIGINT), min(c3) FROM exchange_0 GROUP BY c0", nil,
			"BIGINT", "BIGINT", "BIGINT", "VARCHAR")
		source := &pb.ExchangeSource{Name: "exchange_0", Columns: producers[0].Output}
		for j, leaf := range producers {
			ticket := c.ticket(j, leaf, func(ticket *pb.Ticket) {
				ticket.Audience = pb.Audience_AUDIENCE_EXCHANGE
				for p := uint32(i); p < partitions; p += 2 {
					ticket.Partitions = append(ticket.Partitions, p)
				}
			})
			w := c.workers[j].cfg
			source.Producers = append(source.Producers, &pb.Producer{Key: leaf.Key, WorkerId: string(w.ID), Address: w.Address, Ticket: ticket})
		}
		root.Inputs = []*pb.ExchangeSource{source}
		c.create(i, root)
		got = append(got, c.rows(i, c.ticket(i, root, nil))...)
	}
	want := c.oracle(`SELECT k, sum(v)::BIGINT, count(*), min("a ""text""") FROM read_parquet(['` + a + `', '` + b + `', '` +
		c.dir + `/d''s.parquet']) WHERE v >= 5 GROUP BY k`)
	slices.Sort(got)
	same(t, got, want)
	if len(want) != 1001 {
		t.Fatalf("the oracle has %d groups", len(want))
	}
	c.release("q")
}

func TestDirectTasksRunAgain(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 3000)
	spec := task("q", 0, 0, "SELECT c1, c2 FROM scan_0 WHERE c1 % 3 = 0", scan(c.split(path)), "BIGINT", "VARCHAR")
	ticket := c.ticket(0, spec, direct(spec))
	want := c.oracle(`SELECT v, "a ""text""" FROM read_parquet('` + path + `') WHERE v % 3 = 0`)
	for range 3 {
		same(t, c.rows(0, ticket), want)
	}
	// In process, as the embedded coordinator reads.
	r, err := c.workers[0].Open(c.ctx(), ticket, "ada")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := readAll(c.ctx(), r)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	slices.Sort(rows)
	same(t, rows, want)
	_, err = c.workers[0].Open(c.ctx(), ticket, "eve")
	wantKind(t, err, qerr.NotFound)
}

func TestAPlacedResultIsReadOnce(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 100)
	spec := task("q", 0, 0, "SELECT count(*) FROM scan_0", scan(c.split(path)), "BIGINT")
	c.create(0, spec)
	c.create(0, spec) // dispatch may be sent twice
	ticket := c.ticket(0, spec, nil)
	same(t, c.rows(0, ticket), []string{"100"})
	_, err := c.open(c.ctx(), 0, ticket)
	wantKind(t, err, qerr.AlreadyExists, "once")
	c.release("q")
	_, err = c.open(c.ctx(), 0, ticket)
	wantKind(t, err, qerr.NotFound)
	_, err = c.tasks(0).Create(c.ctx(), &pb.CreateRequest{Task: spec})
	wantKind(t, grpcerr.FromStatus(err), qerr.Cancelled)
}

func TestFilesMustBeThosePlanned(t *testing.T) {
	c := newCluster(t, 1, nil)
	for name, change := range map[string]func(path string){
		"vanished": func(path string) { _ = os.Remove(path) },
		"longer":   func(path string) { c.write("changed.parquet", 0, 3000) },
		"touched": func(path string) {
			later := time.Now().Add(time.Hour)
			_ = os.Chtimes(path, later, later)
		},
		"a directory": func(path string) { _ = os.Remove(path); _ = os.Mkdir(path, 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			path := c.write("changed.parquet", 0, 2000)
			defer func() { _ = os.Remove(path) }()
			spec := task("q"+name, 0, 0, "SELECT c1 FROM scan_0", scan(c.split(path)), "BIGINT")
			change(path)
			_, err := c.open(c.ctx(), 0, c.ticket(0, spec, direct(spec)))
			wantKind(t, err, qerr.IO, path)
		})
	}
	t.Run("while it is read", func(t *testing.T) {
		path := c.write("changed.parquet", 0, 200_000)
		spec := task("q", 0, 0, "SELECT c1, c2 FROM scan_0", scan(c.split(path)), "BIGINT", "VARCHAR")
		r, err := c.workers[0].Open(c.ctx(), c.ticket(0, spec, direct(spec)), "ada")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
		_, err = readAll(c.ctx(), r)
		wantKind(t, err, qerr.IO, path)
	})
	t.Run("corrupt", func(t *testing.T) {
		path := c.write("changed.parquet", 0, 2000)
		if err := os.WriteFile(path, []byte("PAR1 this is no Parquet file PAR1"), 0o600); err != nil {
			t.Fatal(err)
		}
		spec := task("q", 0, 0, "SELECT c1 FROM scan_0", scan(c.split(path)), "BIGINT")
		_, err := c.open(c.ctx(), 0, c.ticket(0, spec, direct(spec)))
		wantKind(t, err, qerr.IO, path)
	})
	t.Run("of a kept task", func(t *testing.T) {
		path := c.write("changed.parquet", 0, 2000)
		spec := task("kept", 0, 0, "SELECT c1 FROM scan_0", scan(c.split(path)), "BIGINT")
		spec.Partitions = 1
		_ = os.Remove(path)
		events := c.watch(0)
		c.create(0, spec)
		e := events.until(spec.Key, pb.TaskState_TASK_STATE_FAILED)
		wantKind(t, grpcerr.FromProto(e.Error), qerr.IO, path)
		if e.Error.WorkerId != "w1" {
			t.Errorf("the error does not name the worker: %v", e.Error)
		}
		c.release("kept")
	})
}

func TestALostProducerIsNamed(t *testing.T) {
	c := newCluster(t, 2, nil)
	path := c.write("a.parquet", 0, 100)
	leaf := task("q", 0, 0, "SELECT c1 FROM scan_0", scan(c.split(path)), "BIGINT")
	leaf.Partitions = 1
	c.create(0, leaf)
	c.finished(0, leaf.Key)
	consumer := func(index int, change func(*pb.Producer)) *pb.TaskSpec {
		root := task("q", 1, index, "SELECT sum(c0) FROM exchange_0", nil, "HUGEINT")
		p := &pb.Producer{Key: leaf.Key, WorkerId: "w1", Address: c.workers[0].cfg.Address,
			Ticket: c.ticket(0, leaf, func(ticket *pb.Ticket) {
				ticket.Audience, ticket.Partitions = pb.Audience_AUDIENCE_EXCHANGE, []uint32{0}
			})}
		change(p)
		root.Inputs = []*pb.ExchangeSource{{Name: "exchange_0", Columns: leaf.Output, Producers: []*pb.Producer{p}}}
		return root
	}
	good := consumer(0, func(*pb.Producer) {})
	same(t, c.rows(1, c.ticket(1, good, direct(good))), []string{"4950"})
	other := task("q", 0, 7, "SELECT 1", nil, "BIGINT")
	for name, change := range map[string]func(*pb.Producer){
		"no such output": func(p *pb.Producer) {
			p.Key = other.Key
			p.Ticket = c.ticket(0, other, func(ticket *pb.Ticket) {
				ticket.Audience, ticket.Partitions = pb.Audience_AUDIENCE_EXCHANGE, []uint32{0}
			})
		},
		"no such worker": func(p *pb.Producer) { p.Address = "127.0.0.1:1" },
		"another life": func(p *pb.Producer) {
			p.Ticket = c.ticket(0, leaf, func(ticket *pb.Ticket) { ticket.Audience, ticket.Incarnation = pb.Audience_AUDIENCE_EXCHANGE, "old" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := consumer(1, change)
			_, err := c.open(c.ctx(), 1, c.ticket(1, spec, direct(spec)))
			wantKind(t, err, qerr.FetchFailed)
			var e *qerr.Error
			if !errors.As(err, &e) || e.Producer != keyFrom(spec.Inputs[0].Producers[0].Key) {
				t.Errorf("the error does not name the producer: %#v", err)
			}
		})
	}
	c.release("q")
}

func TestFragmentFaults(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 100)
	for name, f := range map[string]struct {
		spec *pb.TaskSpec
		kind qerr.Kind
	}{
		"a cast that fails": {task("q", 0, 0, "SELECT CAST(c2 AS INTEGER) FROM scan_0", scan(c.split(path)), "INTEGER"), qerr.User},
		"no fragment":       {task("q", 0, 0, "", scan(c.split(path)), "INTEGER"), qerr.Internal},
		"no output":         {task("q", 0, 0, "SELECT 1", nil), qerr.Internal},
		"no such type":      {task("q", 0, 0, "SELECT 1", nil, "FROBNITZ"), qerr.Internal},
		"no such format":    {task("q", 0, 0, "SELECT 1 FROM scan_0", &pb.Scan{Name: "scan_0", Format: "xls", Splits: []*pb.Split{c.split(path)}}, "INTEGER"), qerr.Unsupported},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := c.open(c.ctx(), 0, c.ticket(0, f.spec, direct(f.spec)))
			if err == nil {
				_, err = readAll(c.ctx(), r)
				_ = r.Close()
			}
			wantKind(t, err, f.kind)
			c.nothingLeft()
		})
	}
}

// TestScansArePushedDown asks the engine whether projections and filters reach the readers of whole and cut files.
func TestScansArePushedDown(t *testing.T) {
	c := newCluster(t, 1, nil)
	path := c.write("a.parquet", 0, 10_000)
	spec := task("q", 0, 0, "SELECT sum(c1) FROM scan_0 WHERE c1 > 9000", scan(c.split(path), c.cut(path, 2048, 4096)), "HUGEINT")
	r := &run{ctx: context.Background(), spec: spec}
	p, err := c.workers[0].prepare(r)
	if err != nil {
		t.Fatal(err)
	}
	defer p.free()
	plan := explain(t, c, p.job.SQL)
	for _, want := range []string{"file_row_number>=2048", "v>9000"} {
		if n := strings.Count(plan, want); n == 0 {
			t.Errorf("%q is not in the plan:\n%s", want, plan)
		}
	}
	if strings.Count(plan, "v>9000") != 2 {
		t.Errorf("the filter does not reach both readers:\n%s", plan)
	}
	if strings.Count(plan, "text") != 0 || strings.Count(plan, "CTE") != 0 {
		t.Errorf("the plan reads columns it does not need, or materialises the scan:\n%s", plan)
	}
}

func explain(t *testing.T, c *cluster, sql string) string {
	t.Helper()
	s, err := c.engines[0].Stream(c.ctx(), duck.Job{SQL: "EXPLAIN " + sql, Columns: explainColumns})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	rows, err := readAll(c.ctx(), s)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(rows)
}
