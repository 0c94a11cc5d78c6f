package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// kept makes a task whose output is kept in partitions.
func kept(spec *pb.TaskSpec, partitions uint32) *pb.TaskSpec {
	spec.Partitions = partitions
	return spec
}

// over makes a task that reads all partitions of kept tasks, each at the worker of its place in the list.
func (c *cluster) over(spec *pb.TaskSpec, producers ...*pb.TaskSpec) *pb.TaskSpec {
	c.t.Helper()
	source := &pb.ExchangeSource{Name: "exchange_0", Columns: producers[0].Output}
	for i, p := range producers {
		ticket := c.ticket(i, p, func(t *pb.Ticket) {
			t.Audience = pb.Audience_AUDIENCE_EXCHANGE
			for n := range p.Partitions {
				t.Partitions = append(t.Partitions, n)
			}
		})
		w := c.workers[i].cfg
		source.Producers = append(source.Producers, &pb.Producer{Key: p.Key, WorkerId: string(w.ID), Address: w.Address, Ticket: ticket})
	}
	spec.Inputs = []*pb.ExchangeSource{source}
	return spec
}

// spillFiles lists the files and directories that workers have in a spill directory.
func spillFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestWithoutSpillingTheBudgetIsTheEnd(t *testing.T) {
	c := newCluster(t, 1, func(cfg *Config) { cfg.ExchangeBytesMax, cfg.SpillBytesMax = 100_000, -1 })
	path := c.write("a.parquet", 0, 20_000)
	events := c.watch(0)
	large := kept(task("q", 0, 0, "SELECT c1, c2 FROM scan_0", scan(c.split(path)), "BIGINT", "VARCHAR"), 1)
	c.create(0, large)
	e := events.until(large.Key, pb.TaskState_TASK_STATE_FAILED)
	wantKind(t, grpcerr.FromProto(e.Error), qerr.Resource, "exchange memory")
	small := kept(task("q", 0, 1, "SELECT c1, c2 FROM scan_0 WHERE c1 < 100", scan(c.split(path)), "BIGINT", "VARCHAR"), 1)
	c.create(0, small)
	done := events.until(small.Key, pb.TaskState_TASK_STATE_FINISHED)
	if done.Rows != 100 || len(done.PartitionRows) != 1 || done.PartitionBytes[0] == 0 {
		t.Errorf("finished with %v", done)
	}
	if u := c.workers[0].Usage(); u.Kept != 1 || u.ExchangeBytes == 0 {
		t.Errorf("usage %+v", u)
	}
	c.release("q")
}

// TestEveryTypeSpills compares results of an exchange over memory with those over disk: by the setting, and because the budget
// is small.
func TestEveryTypeSpills(t *testing.T) {
	columns := [][2]string{
		{"i % 2 = 0", "BOOLEAN"}, {"(i % 100)::TINYINT", "TINYINT"}, {"i::SMALLINT", "SMALLINT"}, {"i::INTEGER", "INTEGER"}, {"-i", "BIGINT"},
		{"i::HUGEINT << 70", "HUGEINT"}, {"(i % 200)::UTINYINT", "UTINYINT"}, {"i::USMALLINT", "USMALLINT"}, {"i::UINTEGER", "UINTEGER"},
		{"i::UBIGINT", "UBIGINT"}, {"i::UHUGEINT << 90", "UHUGEINT"}, {"i / 3", "DOUBLE"}, {"(i / 7)::FLOAT", "FLOAT"},
		{"(i % 100)::DECIMAL(4,2)", "DECIMAL(4,2)"}, {"i::DECIMAL(9,3)", "DECIMAL(9,3)"}, {"i::DECIMAL(18,5)", "DECIMAL(18,5)"}, {"i::DECIMAL(38,9)", "DECIMAL(38,9)"},
		{"'text ' || i", "VARCHAR"}, {"repeat('long', (i % 50)::BIGINT)", "VARCHAR"}, {"('b' || i)::BLOB", "BLOB"}, {"(i % 8)::INT::BIT", "BIT"},
		{"DATE '2020-01-01' + i::INT", "DATE"}, {"TIME '00:00:00' + to_seconds(i)", "TIME"}, {"TIMESTAMP '2020-01-01' + to_seconds(i)", "TIMESTAMP"},
		{"(TIMESTAMP '2020-01-01' + to_seconds(i))::TIMESTAMP_S", "TIMESTAMP_S"}, {"(TIMESTAMP '2020-01-01' + to_seconds(i))::TIMESTAMP_MS", "TIMESTAMP_MS"},
		{"(TIMESTAMP '2020-01-01' + to_seconds(i))::TIMESTAMP_NS", "TIMESTAMP_NS"}, {"TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_seconds(i)", "TIMESTAMP WITH TIME ZONE"},
		{"'12:00:00+02'::TIMETZ", "TIME WITH TIME ZONE"}, {"INTERVAL (i) MINUTE", "INTERVAL"}, {"md5(i::VARCHAR)::UUID", "UUID"},
		{"(CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END)::ENUM('a', 'b')", "ENUM('a', 'b')"}, {"i::VARCHAR::BIGNUM", "BIGNUM"},
		{"[i, NULL, i + 1]", "BIGINT[]"}, {"[['x' || i], NULL, []]", "VARCHAR[][]"}, {"[i, i, NULL]::BIGINT[3]", "BIGINT[3]"},
		{"{'a': i, 'b': {'c': 'x' || i}}", "STRUCT(a BIGINT, b STRUCT(c VARCHAR))"}, {"MAP {'k' || i: i, 'z': NULL}", "MAP(VARCHAR, BIGINT)"},
		{"(CASE WHEN i % 2 = 0 THEN union_value(n := i) ELSE union_value(s := 'x' || i)::UNION(n BIGINT, s VARCHAR) END)", "UNION(n BIGINT, s VARCHAR)"},
		{"NULL", "\"NULL\""}, {"('{\"a\": ' || i || '}')::JSON", "JSON"},
	}
	for _, mode := range []string{"memory", "always", "small budget"} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			c := newCluster(t, 2, func(cfg *Config) {
				cfg.SpillDir = dir
				if mode == "small budget" {
					cfg.ExchangeBytesMax = 200_000
				}
			})
			path := c.bigints("i.parquet", 5000, "n")
			s := &pb.Scan{Name: "scan_0", Table: "t", Format: "parquet", Splits: []*pb.Split{c.split(path)}, Columns: []*pb.Column{{Name: "n", Type: "BIGINT"}}}
			var exprs, names, types []string
			for i, column := range columns {
				if strings.HasSuffix(column[1], "[3]") { // CASE does not know arrays
					exprs = append(exprs, fmt.Sprintf("%s AS c%d", column[0], i))
				} else {
					exprs = append(exprs, fmt.Sprintf("CASE WHEN i %% %d = 1 THEN NULL ELSE %s END::%s AS c%d", i+3, column[0], column[1], i))
				}
				names = append(names, fmt.Sprintf("c%d::VARCHAR", i))
				types = append(types, column[1])
			}
			var producers []*pb.TaskSpec
			for w := range c.workers {
				leaf := kept(task("q", 0, w, "SELECT "+strings.Join(exprs, ", ")+fmt.Sprintf(", i %% 4 FROM (SELECT c0 // 10 AS i FROM scan_0) WHERE i %% 2 = %d", w), s, types...), 4)
				leaf.Spill = mode == "always"
				c.create(w, leaf)
				c.finished(w, leaf.Key)
				producers = append(producers, leaf)
			}
			wantFiles := len(spillFiles(t, dir))
			if (wantFiles == 0) != (mode == "memory") {
				t.Errorf("%d files", wantFiles)
			}
			text := make([]string, len(types))
			for i := range text {
				text[i] = "VARCHAR"
			}
			root := c.over(task("q", 1, 0, "SELECT "+strings.Join(names, ", ")+" FROM exchange_0", nil, text...), producers...)
			root.Spill = mode == "always"
			events := c.watch(0)
			c.create(0, root)
			got := c.rows(0, c.ticket(0, root, nil))
			if done := events.until(root.Key, pb.TaskState_TASK_STATE_FINISHED); (done.SpillBytes == 0) != (mode == "memory") {
				t.Errorf("finished with %v", done)
			}
			for i, e := range exprs {
				name, _, _ := strings.Cut(names[i], "::")
				exprs[i] = strings.TrimSuffix(e, " AS "+name)
			}
			same(t, got, c.oracle("SELECT ("+strings.Join(exprs, ")::VARCHAR, (")+")::VARCHAR FROM (SELECT n // 10 AS i FROM read_parquet('"+path+"'))"))
			c.release("q")
			if left := spillFiles(t, dir); len(left) != 0 {
				t.Errorf("left are %v", left)
			}
		})
	}
}

// TestNoSpillOutlivesItsQuery ends queries that spill in every way.
func TestNoSpillOutlivesItsQuery(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, 2, func(cfg *Config) { cfg.SpillDir = dir })
	path := c.write("a.parquet", 0, 20_000)
	events := c.watch(0)
	leaf := func(query, fragment string) *pb.TaskSpec {
		spec := kept(task(query, 0, 0, fragment, scan(c.split(path)), "BIGINT", "VARCHAR"), 1)
		spec.Spill = true
		return spec
	}
	nothing := func(when string) {
		c.nothingLeft()
		if left := spillFiles(t, dir); len(left) != 0 {
			t.Errorf("%s: left are %v", when, left)
		}
	}
	const all, endless = "SELECT c1, c2 FROM scan_0", "SELECT a.c1 + b.c1 + d.c1, a.c2 FROM scan_0 a, scan_0 b, scan_0 d"

	failing := leaf("fails", "SELECT c1 // (c1 - 19999), c2 || error('no') FROM scan_0 WHERE c1 > 19000")
	c.create(0, failing)
	events.until(failing.Key, pb.TaskState_TASK_STATE_FAILED)
	nothing("a failure")

	cancelled := leaf("cancelled", endless)
	c.create(0, cancelled)
	c.eventually(func() string {
		if u := c.workers[0].Usage(); u.SpillBytes == 0 {
			return "nothing is spilled"
		}
		return ""
	})
	c.release("cancelled")
	events.until(cancelled.Key, pb.TaskState_TASK_STATE_CANCELLED)
	nothing("a cancel while it spills")

	unread := leaf("unread", all)
	c.create(0, unread)
	done := events.until(unread.Key, pb.TaskState_TASK_STATE_FINISHED)
	if done.SpillBytes == 0 || len(spillFiles(t, dir)) != 1 {
		t.Errorf("finished with %v, files %v", done, spillFiles(t, dir))
	}
	if u := c.workers[0].load(); u.SpillBytes != done.SpillBytes {
		t.Errorf("load %v", u)
	}
	c.release("unread")
	nothing("a release without a reader")

	// A consumer that is cancelled while it has spilled inputs.
	producer := leaf("midway", all)
	c.create(0, producer)
	c.finished(0, producer.Key)
	consumer := c.over(task("midway", 1, 0, "SELECT a.c0 + b.c0 + d.c0 FROM exchange_0 a, exchange_0 b, exchange_0 d", nil, "BIGINT"), producer)
	consumer.Spill = true
	ctx, cancel := context.WithCancel(c.ctx())
	defer cancel()
	r, err := c.open(ctx, 1, c.ticket(1, consumer, direct(consumer)))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := r.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	batch.Release()
	if u := c.workers[1].Usage(); u.SpillFiles != 1 || u.SpillBytes == 0 {
		t.Errorf("usage %+v", u)
	}
	cancel()
	_ = r.Close()
	c.release("midway")
	nothing("a client's cancel")

	total := 0.0
	for _, m := range gather(t, c.workers[0]) {
		if strings.HasPrefix(m, "arbalest_worker_spilled_bytes_total") {
			_, value, _ := strings.Cut(m, " ")
			total, _ = strconv.ParseFloat(value, 64)
		}
	}
	if total == 0 {
		t.Error("the metrics do not tell of spilling")
	}
}

// gather lists a worker's metrics without labels.
func gather(t *testing.T, w *Worker) (lines []string) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(w.Metrics())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			lines = append(lines, fmt.Sprintf("%s %g", f.GetName(), m.GetGauge().GetValue()+m.GetCounter().GetValue()))
		}
	}
	return lines
}

// TestADamagedSpoolNamesTheProducer goes through Flight.
func TestADamagedSpoolNamesTheProducer(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, 2, func(cfg *Config) { cfg.SpillDir = filepath.Join(dir, string(cfg.ID)) })
	path := c.write("a.parquet", 0, 5000)
	leaf := kept(task("q", 0, 0, "SELECT c1, c1 % 3 FROM scan_0", scan(c.split(path)), "BIGINT"), 3)
	leaf.Spill = true
	c.create(0, leaf)
	c.finished(0, leaf.Key)
	files := spillFiles(t, filepath.Join(dir, "w1"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func() error{
		"a flipped bit": func() error {
			bad := append([]byte{}, good...)
			bad[len(bad)/3] ^= 4
			return os.WriteFile(files[0], bad, 0o600)
		},
		"cut short": func() error { return os.Truncate(files[0], int64(len(good)/2)) },
		"gone":      func() error { return os.Remove(files[0]) },
	} {
		if err := os.WriteFile(files[0], good, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		for w := range c.workers { // on the same worker, and from another
			root := c.over(task("q", 1, w, "SELECT sum(c0) FROM exchange_0", nil, "HUGEINT"), leaf)
			_, err = c.open(c.ctx(), w, c.ticket(w, root, direct(root)))
			wantKind(t, err, qerr.FetchFailed, "damaged")
			var e *qerr.Error
			if !errors.As(err, &e) || e.Producer != keyFrom(leaf.Key) || name == "a flipped bit" && !strings.Contains(err.Error(), "in partition") {
				t.Errorf("%s: the error does not name producer and partition: %v", name, err)
			}
		}
	}
	c.release("q")
}

// TestAGigabyteThroughASmallBudget sends 1 GB through two stages on one worker with an exchange budget of 64 MB. What the
// process holds beside the files' pages stays a fraction of the data.
func TestAGigabyteThroughASmallBudget(t *testing.T) {
	const budget, rows, width = 64 << 20, 2_000_000, 500
	dir := t.TempDir()
	c := newCluster(t, 2, func(cfg *Config) { cfg.ExchangeBytesMax, cfg.SpillDir = budget, dir })
	path := c.bigints("i.parquet", rows, "n")
	s := &pb.Scan{Name: "scan_0", Table: "t", Format: "parquet", Splits: []*pb.Split{c.split(path)}, Columns: []*pb.Column{{Name: "n", Type: "BIGINT"}}}

	before := memoryOf(t)
	var peakAnon, peakKept, peakExchange atomic.Int64
	stop, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			for i, w := range c.workers {
				peakExchange.Store(max(peakExchange.Load(), w.Usage().ExchangeBytes))
				peakKept.Store(max(peakKept.Load(), c.engines[i].Usage().Bytes))
			}
			peakAnon.Store(max(peakAnon.Load(), memoryOf(t)))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	leaf := kept(task("q", 0, 0, fmt.Sprintf("SELECT c0, lpad(c0::VARCHAR, %d, 'x'), (hash(c0) >> 32) %% 16 FROM scan_0", width), s, "BIGINT", "VARCHAR"), 16)
	events := c.watch(0)
	c.create(0, leaf)
	defer c.release("q")
	done := events.until(leaf.Key, pb.TaskState_TASK_STATE_FINISHED)
	root := c.over(task("q", 1, 0, "SELECT count(*), sum(c0), min(length(c1)), max(c1) FROM exchange_0", nil, "BIGINT", "HUGEINT", "BIGINT", "VARCHAR"), leaf)
	root.Output[3].Type = "VARCHAR"
	got := c.rows(1, c.ticket(1, root, direct(root)))
	close(stop)
	<-sampled
	same(t, got, []string{fmt.Sprintf("%d|%d|%d|%s", rows, rows*(rows-1)/2*10, width, strings.Repeat("x", width-1)+"0")})
	if done.Bytes < rows*width || done.SpillBytes == 0 {
		t.Errorf("finished with %v", done)
	}
	t.Logf("data %d MB, spilled %d MB; peaks: kernel batches %d MB, exchange %d MB, own memory %d MB over %d MB before", done.Bytes>>20, done.SpillBytes>>20,
		peakKept.Load()>>20, peakExchange.Load()>>20, (peakAnon.Load()-before)>>20, before>>20)
	if peakExchange.Load() > budget {
		t.Errorf("the exchange held %d bytes", peakExchange.Load())
	}
	if peakKept.Load() > 3*budget {
		t.Errorf("the engine's batches took %d bytes", peakKept.Load())
	}
	if grown := peakAnon.Load() - before; grown > int64(done.Bytes)/2 {
		t.Errorf("the process grew by %d bytes for %d bytes of data", grown, done.Bytes)
	}
	c.release("q")
	if left := spillFiles(t, dir); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

// memoryOf is the process's own memory, without pages of files, which the system can take back.
func memoryOf(t *testing.T) int64 {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), "RssAnon:"); found {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Error(err)
			}
			return kb << 10
		}
	}
	t.Error("there is no RssAnon")
	return 0
}
