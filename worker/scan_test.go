package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// text writes a file of text.
func (c *cluster) text(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// TestEveryFormOfScan reads each form of split through the engine.
func TestEveryFormOfScan(t *testing.T) {
	c := newCluster(t, 1, nil)
	odd := c.write("we[i]rd *'s?.parquet", 0, 50)
	c.write("weird xx's1.parquet", 1000, 50) // what the odd name would match as a pattern
	plain := c.write("plain.parquet", 0, 5000)
	hive := []string{c.write("h/year=2020/k=a/1.parquet", 0, 10), c.write("h/year=2020/k=b/1.parquet", 10, 10),
		c.write("h/year=2021/k=__HIVE_DEFAULT_PARTITION__/1.parquet", 20, 10)}
	csv := c.text("t.csv", "a|b\n1|x\n2|\n")
	json := c.text("k=9/t.json", "{\"a\": 1, \"b\": {\"c\": [1, 2]}}\n{\"a\": 2}\n")
	key := func(v string) *pb.Key { return &pb.Key{Value: v} }
	for name, f := range map[string]struct {
		scan     *pb.Scan
		fragment string
		types    []string
		want     []string
	}{
		"a name full of wildcards": {scan(c.split(odd)), "SELECT count(*), max(c1) FROM scan_0", []string{"BIGINT", "BIGINT"}, []string{"50|49"}},
		"runs that do not begin with a row group": {scan(c.cut(plain, 100, 10), c.cut(plain, 2040, 20), c.cut(plain, 4990, 10)),
			"SELECT count(*), min(c1), max(c1), sum(c1) FROM scan_0", []string{"BIGINT", "BIGINT", "BIGINT", "HUGEINT"}, []string{"40|100|4999|91980"}},
		"no splits": {scan(), "SELECT count(*), typeof(max(c2)) FROM scan_0", []string{"BIGINT", "VARCHAR"}, []string{"0|VARCHAR"}},
		"no columns": {&pb.Scan{Name: "scan_0", Format: "parquet", Splits: []*pb.Split{c.split(plain)}, Columns: []*pb.Column{{Type: "BIGINT"}}},
			"SELECT count(*) FROM scan_0", []string{"BIGINT"}, []string{"5000"}},
		"other types than the file's": {&pb.Scan{Name: "scan_0", Format: "parquet", Splits: []*pb.Split{c.split(plain)},
			Columns: []*pb.Column{{Name: "V", Type: "DECIMAL(18,3)"}}}, "SELECT CAST(max(c0) AS VARCHAR) FROM scan_0", []string{"VARCHAR"}, []string{"4999.000"}},
		"table partitions": {&pb.Scan{Name: "scan_0", Format: "parquet", PartitionColumns: []string{"year", "k"},
			Splits:  []*pb.Split{c.split(hive[0], key("2020"), key("a")), c.split(hive[1], key("2020"), key("b")), c.split(hive[2], key("2021"), &pb.Key{Null: true})},
			Columns: []*pb.Column{{Name: "k", Type: "VARCHAR"}, {Name: "v", Type: "BIGINT"}, {Name: "year", Type: "INTEGER"}}},
			"SELECT c2, c0, count(*), min(c1) FROM scan_0 GROUP BY ALL", []string{"INTEGER", "VARCHAR", "BIGINT", "BIGINT"},
			[]string{"2020|a|10|0", "2020|b|10|10", "2021|(null)|10|20"}},
		"CSV": {&pb.Scan{Name: "scan_0", Format: "csv", Splits: []*pb.Split{c.split(csv)}, Options: []*pb.Option{{Name: "delim", Sql: "'|'"}, {Name: "header", Sql: "true"}},
			Columns: []*pb.Column{{Name: "b", Type: "VARCHAR"}, {Name: "a", Type: "BIGINT"}}},
			"SELECT * FROM scan_0", []string{"VARCHAR", "BIGINT"}, []string{"(null)|2", "x|1"}},
		"JSON below a directory that looks like a key": {&pb.Scan{Name: "scan_0", Format: "json", Splits: []*pb.Split{c.split(json)},
			Columns: []*pb.Column{{Name: "a", Type: "BIGINT"}, {Name: "b", Type: "STRUCT(c BIGINT[])"}}},
			"SELECT c0, len(c1.c) FROM scan_0", []string{"BIGINT", "BIGINT"}, []string{"1|2", "2|(null)"}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := task("q", 0, 0, f.fragment, f.scan, f.types...)
			got := c.rows(0, c.ticket(0, spec, direct(spec)))
			slices.Sort(f.want)
			same(t, got, f.want)
		})
	}
}
