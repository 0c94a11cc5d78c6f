package duck

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// benchData names the environment variable with the directory of a TPC-H data set, one directory of Parquet files a table.
const benchData = "ARBALEST_BENCH_DATA"

func benchEngine(b *testing.B) (*Engine, string) {
	b.Helper()
	data := os.Getenv(benchData)
	if data == "" {
		b.Skip(benchData + " is not set")
	}
	e := openEngine(b, func(c *Config) {
		c.DataLocations, c.MemoryBytes = []string{data}, 4<<30
	})
	return e, "FROM read_parquet(" + table.Literal(data+"/lineitem/*.parquet") + ")"
}

const lineitemColumns = "l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus, " +
	"l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, l_comment"

// BenchmarkStream reads all of lineitem as a client would, and tells when the first batch came and how much memory the
// process took on top.
func BenchmarkStream(b *testing.B) {
	e, from := benchEngine(b)
	before := residentBytes(b)
	var first time.Duration
	var peak int64
	for b.Loop() {
		start := time.Now()
		s, err := e.Stream(context.Background(), Job{SQL: "SELECT * " + from})
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; ; n++ {
			batch, err := s.Next(context.Background())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			if n == 0 {
				first += time.Since(start)
			}
			if n%16 == 0 {
				peak = max(peak, residentBytes(b)-before)
			}
			batch.Release()
		}
		s.Close()
	}
	b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "first-ms")
	b.ReportMetric(float64(peak>>20), "extra-MiB")
}

// BenchmarkScan is what DuckDB needs to decode the same columns without anybody reading them.
func BenchmarkScan(b *testing.B) {
	e, from := benchEngine(b)
	columns := strings.Split(lineitemColumns, ", ")
	for i := range columns {
		columns[i] = "max(" + columns[i] + ")"
	}
	for b.Loop() {
		_, rows := streamAll(b, e, "SELECT "+strings.Join(columns, ", ")+" "+from)
		if rowsOf(rows) != 1 {
			b.Fatal("no row")
		}
	}
}

// BenchmarkPartition scatters all of lineitem into 16 partitions, and into one.
func BenchmarkPartition(b *testing.B) {
	e, from := benchEngine(b)
	for name, c := range map[string]struct {
		partitions int
		number     string
	}{"16": {16, ", (hash(l_orderkey) >> 32) % 16"}, "1": {1, ""}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				o, err := e.Partition(context.Background(), Job{SQL: "SELECT " + lineitemColumns + c.number + " " + from, BytesMax: 4 << 30}, c.partitions)
				if err != nil {
					b.Fatal(err)
				}
				o.Release()
			}
		})
	}
}

// BenchmarkInput reads an exchange input with all of lineitem.
func BenchmarkInput(b *testing.B) {
	e, from := benchEngine(b)
	sql := "SELECT " + lineitemColumns + " " + from
	o, err := e.Partition(context.Background(), Job{SQL: sql, BytesMax: 4 << 30}, 1)
	if err != nil {
		b.Fatal(err)
	}
	defer o.Release()
	in := addInput(b, e, typesOf(describe(b, e, sql)), append([]arrow.RecordBatch(nil), o.Batches(0)...)...)
	defer in.Remove()
	for name, items := range map[string]string{"max": "max(c0)", "text": "max(c14), max(c15)", "group": "count(DISTINCT c2)"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, rows := streamAll(b, e, "SELECT "+items+" FROM ("+in.SQL()+")"); rowsOf(rows) != 1 {
					b.Fatal("no row")
				}
			}
		})
	}
}

// residentBytes reads the process's resident memory; 0 where the system does not tell.
func residentBytes(b testing.TB) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var pages int64
	for i, field := range strings.Fields(string(text)) {
		if i != 1 {
			continue
		}
		for _, digit := range field {
			pages = pages*10 + int64(digit-'0')
		}
	}
	return pages * int64(os.Getpagesize())
}

// BenchmarkSelectOne is the fixed cost of a job: connection, plan, stream.
func BenchmarkSelectOne(b *testing.B) {
	e := openEngine(b, nil)
	job := Job{SQL: "SELECT 1 AS one", Columns: []table.Column{{Name: "one", Type: table.Of(table.Integer)}}}
	for b.Loop() {
		s, err := e.Stream(context.Background(), job)
		if err != nil {
			b.Fatal(err)
		}
		batch, err := s.Next(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		batch.Release()
		s.Close()
	}
}
