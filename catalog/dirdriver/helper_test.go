package dirdriver

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/catalog/drivertest"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tick makes modification times differ from write to write, however coarse the file system's clock is.
var tick = struct {
	sync.Mutex
	at time.Time
}{at: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	tick.Lock()
	defer tick.Unlock()
	tick.at = tick.at.Add(time.Second)
	if err := os.Chtimes(path, tick.at, tick.at); err != nil {
		t.Fatal(err)
	}
}

// A column of values that array.Builder.AppendValueFromString reads; "(null)" is NULL.
type col struct {
	name   string
	typ    arrow.DataType
	values []string
}

func ints(name string, n int) col {
	c := col{name: name, typ: arrow.PrimitiveTypes.Int64}
	for i := range n {
		c.values = append(c.values, fmt.Sprint(i))
	}
	return c
}

// parquetOf encodes columns; a row group holds up to groupRows rows.
func parquetOf(t testing.TB, groupRows int64, cols ...col) []byte {
	t.Helper()
	fields := make([]arrow.Field, len(cols))
	for i, c := range cols {
		fields[i] = arrow.Field{Name: c.name, Type: c.typ, Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i, c := range cols {
		for _, v := range c.values {
			if err := b.Field(i).AppendValueFromString(v); err != nil {
				t.Fatal(err)
			}
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(batch.Schema(), &out, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(groupRows)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func putParquet(t testing.TB, path string, cols ...col) {
	t.Helper()
	write(t, path, parquetOf(t, 1<<20, cols...))
}

// A sniffer stands for the engine: it knows the types that these tests use, and counts its calls. What the engine really
// answers is checked in integration/catalog.
type sniffer struct {
	mu    sync.Mutex
	calls []string
}

func (s *sniffer) Sniff(_ context.Context, format table.Format, paths []string) ([]table.Column, []table.Option, error) {
	s.mu.Lock()
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = filepath.Base(p)
	}
	s.calls = append(s.calls, fmt.Sprintf("%s %s", format, strings.Join(names, "+")))
	s.mu.Unlock()
	if format != table.Parquet {
		return []table.Column{{Name: "a", Type: table.Of(table.BigInt)}, {Name: "b", Type: table.Of(table.Varchar)}},
			[]table.Option{{Name: "delim", SQL: "','"}, {Name: "hive_partitioning", SQL: "false"}}, nil
	}
	var union []table.Column
	for _, p := range paths {
		r, err := file.OpenParquetFile(p, false)
		if err != nil {
			return nil, nil, qerr.New(qerr.IO, "%s: %v", p, err)
		}
		root := r.MetaData().Schema.Root()
		for i := range root.NumFields() {
			c := table.Column{Name: root.Field(i).Name(), Type: typeOf(root.Field(i))}
			at := find(union, c.Name)
			switch {
			case at < 0:
				union = append(union, c)
			case !union[at].Type.Equal(c.Type):
				union[at].Type = widest(union[at].Type, c.Type)
			}
		}
		r.Close()
	}
	return union, nil, nil
}

func typeOf(n schema.Node) table.Type {
	leaf, ok := n.(*schema.PrimitiveNode)
	if !ok {
		return table.Type{ID: table.List, Fields: []table.Field{{Type: table.Of(table.BigInt)}}}
	}
	switch {
	case leaf.LogicalType().Equals(schema.StringLogicalType{}):
		return table.Of(table.Varchar)
	case leaf.LogicalType().Equals(schema.DateLogicalType{}):
		return table.Of(table.Date)
	case leaf.PhysicalType() == parquet.Types.Int32:
		return table.Of(table.Integer)
	case leaf.PhysicalType() == parquet.Types.Double:
		return table.Of(table.Double)
	}
	return table.Of(table.BigInt)
}

// widest is the engine's rule in small: numbers widen, all else becomes text.
func widest(a, b table.Type) table.Type {
	rank := map[table.TypeID]int{table.Integer: 1, table.BigInt: 2, table.Double: 3}
	switch ra, rb := rank[a.ID], rank[b.ID]; {
	case ra == 0 || rb == 0:
		return table.Of(table.Varchar)
	case ra > rb:
		return a
	}
	return b
}

func open(t testing.TB, dirs ...string) (*Driver, *sniffer) {
	t.Helper()
	s := &sniffer{}
	d, err := New(Config{Dirs: dirs, Sniffer: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, s
}

// all lists and loads everything: tables and errors by name.
func all(t testing.TB, d *Driver) (map[string]*table.Table, map[string]error) {
	t.Helper()
	l, err := d.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range l.Warnings {
		t.Errorf("warning: %v", w)
	}
	tables, faults := map[string]*table.Table{}, map[string]error{}
	for _, e := range l.Entries {
		tab, err := e.Load(context.Background())
		if err != nil {
			faults[e.Name.Table] = err
			continue
		}
		drivertest.CheckTable(t, tab)
		tables[e.Name.Table] = tab
	}
	return tables, faults
}
