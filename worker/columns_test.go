package worker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// bigints writes a Parquet file with the named BIGINT columns; row i of column j has i*10 + j.
func (c *cluster) bigints(name string, rows int, columns ...string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	var fields []arrow.Field
	for _, column := range columns {
		fields = append(fields, arrow.Field{Name: column, Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for i := range rows {
		for j := range columns {
			b.Field(j).(*array.Int64Builder).Append(int64(i*10 + j))
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	c.writeParquet(path, batch)
	return path
}

// prepared prints the statement of a task.
func (c *cluster) prepared(spec *pb.TaskSpec) string {
	c.t.Helper()
	p, err := c.workers[0].prepare(&run{ctx: context.Background(), spec: spec})
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.free()
	return p.job.SQL
}

// TestFilesOfDifferentColumns spreads files of one table, of which each lacks some column, over three workers.
func TestFilesOfDifferentColumns(t *testing.T) {
	c := newCluster(t, 3, nil)
	files := []string{c.bigints("1.parquet", 5000, "a", "b"), c.bigints("2.parquet", 5000, "d", "a"), c.bigints("3.parquet", 10, "B")}
	table := func(splits ...*pb.Split) *pb.Scan {
		return &pb.Scan{Name: "scan_0", Table: "t", Format: "parquet", Options: []*pb.Option{{Name: "union_by_name", Sql: "true"}}, Splits: splits,
			Columns: []*pb.Column{{Name: "a", Type: "BIGINT"}, {Name: "b", Type: "BIGINT"}, {Name: "d", Type: "BIGINT"}}}
	}
	for i, f := range map[string]struct {
		fragment, oracle string
		types            []string
	}{
		"all":                  {"SELECT * FROM scan_0", "SELECT a, b, d FROM t", []string{"BIGINT", "BIGINT", "BIGINT"}},
		"a filter":             {"SELECT c0, c2 FROM scan_0 WHERE c1 > 49900", "SELECT a, d FROM t WHERE b > 49900", []string{"BIGINT", "BIGINT"}},
		"a NULL":               {"SELECT c0 FROM scan_0 WHERE c1 IS NULL", "SELECT a FROM t WHERE b IS NULL", []string{"BIGINT"}},
		"only a column's type": {"SELECT DISTINCT typeof(c2) FROM scan_0 LIMIT 1", "SELECT 'BIGINT' FROM range(3)", []string{"VARCHAR"}},
	} {
		t.Run(i, func(t *testing.T) {
			var got []string
			for w, splits := range [][]*pb.Split{{c.split(files[0])}, {c.cut(files[1], 0, 2048), c.cut(files[1], 2048, 5000-2048)}, {c.split(files[2])}} {
				spec := task("q", 0, w, f.fragment, table(splits...), f.types...)
				got = append(got, c.rows(w, c.ticket(w, spec, direct(spec)))...)
			}
			slices.Sort(got)
			same(t, got, c.oracle("WITH t AS (FROM read_parquet(['"+strings.Join(files, "', '")+"'], union_by_name = true)) "+f.oracle))
		})
	}
	t.Run("pushed down", func(t *testing.T) {
		sql := c.prepared(task("q", 0, 0, "SELECT sum(c0) FROM scan_0 WHERE c1 > 41000", table(c.split(files[0]), c.cut(files[0], 2048, 2048)), "HUGEINT"))
		plan := explain(t, c, sql)
		if strings.Count(plan, "b>41000") != 2 || !strings.Contains(plan, "file_row_number>=2048") {
			t.Errorf("the filter does not reach both readers:\n%s", plan)
		}
		if n := strings.Count(plan, "Projections: a"); n != 2 {
			t.Errorf("the plan reads columns it does not need:\n%s", plan)
		}
	})
}

// TestThousandsOfTablePartitions reads 2,000 Hive partitions: in one reader call, whose files a filter on a key prunes.
func TestThousandsOfTablePartitions(t *testing.T) {
	c := newCluster(t, 1, nil)
	const partitions = 2000
	one := c.bigints("one.parquet", 1, "v")
	content, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	s := &pb.Scan{Name: "scan_0", Table: "t", Format: "parquet", PartitionColumns: []string{"day", "name"},
		Columns: []*pb.Column{{Name: "v", Type: "BIGINT"}, {Name: "day", Type: "DATE"}, {Name: "name", Type: "VARCHAR"}}}
	for i := range partitions {
		day, value := fmt.Sprintf("%04d-01-01", i+1), fmt.Sprintf("%03d", i%100)
		directory, key := "name="+value, &pb.Key{Value: value}
		switch i % 10 {
		case 1:
			directory, key = "name=a%20b", &pb.Key{Value: "a b"}
		case 2:
			directory, key = "name=__HIVE_DEFAULT_PARTITION__", &pb.Key{Null: true}
		}
		path := c.text(fmt.Sprintf("top=1/t/day=%s/%s/1.parquet", day, directory), string(content))
		s.Splits = append(s.Splits, c.split(path, &pb.Key{Value: day}, key))
	}
	n := 0
	run := func(fragment string, types ...string) []string {
		spec := task("q", 0, n, fragment, s, types...) // too large for a ticket
		n++
		c.create(0, spec)
		return c.rows(0, c.ticket(0, spec, nil))
	}
	defer c.release("q")
	same(t, run("SELECT count(*), count(c2), count(DISTINCT c1), count(DISTINCT c2), min(c1), typeof(min(c1)) FROM scan_0", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "DATE", "VARCHAR"),
		[]string{"2000|1800|2000|81|0001-01-01|DATE"})
	same(t, run("SELECT c1, c2, c0 FROM scan_0 WHERE c1 BETWEEN '0100-01-01' AND '0104-01-01'", "DATE", "VARCHAR", "BIGINT"),
		[]string{"0100-01-01|099|0", "0101-01-01|000|0", "0102-01-01|a b|0", "0103-01-01|(null)|0", "0104-01-01|003|0"})
	same(t, run("SELECT count(*) FROM scan_0 WHERE c2 = 'a b'", "BIGINT"), []string{"200"})

	// Without the NULLs, which are calls of their own, it is one call.
	s.Splits = slices.DeleteFunc(s.Splits, func(split *pb.Split) bool { return split.Keys[1].Null })
	for _, byName := range []bool{false, true} {
		if byName {
			s.Options = []*pb.Option{{Name: "union_by_name", Sql: "true"}}
		}
		sql := c.prepared(task("q", 0, 0, "SELECT sum(c0) FROM scan_0 WHERE c1 = '0500-01-01'", s, "HUGEINT"))
		plan := explain(t, c, sql)
		if strings.Count(plan, "Function:") != 1 || !strings.Contains(plan, "1/1800") {
			t.Errorf("by name = %t: the key does not prune files:\n%.3000s", byName, plan)
		}
	}
}
