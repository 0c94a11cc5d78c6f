package catalog

import (
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// TestForeignWriters: types that DuckDB never writes, by another writer, with INT96 timestamps and without.
func TestForeignWriters(t *testing.T) {
	columns := []struct {
		name   string
		typ    arrow.DataType
		values [2]string
	}{
		{"f16", arrow.FixedWidthTypes.Float16, [2]string{"1.5", "-2"}},
		{"large", arrow.BinaryTypes.LargeString, [2]string{"b", "a"}},
		{"dict", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, [2]string{"y", "x"}},
		{"fixed", &arrow.FixedSizeBinaryType{ByteWidth: 2}, [2]string{"YWI=", "Y2Q="}},
		{"t32", arrow.FixedWidthTypes.Time32ms, [2]string{"01:02:03.5", "00:00:00"}},
		{"t64", arrow.FixedWidthTypes.Time64ns, [2]string{"01:02:03.5", "00:00:00"}},
		{"d64", arrow.FixedWidthTypes.Date64, [2]string{"2024-02-29", "1969-12-31"}},
		{"ts_s", &arrow.TimestampType{Unit: arrow.Second}, [2]string{"2024-01-01 00:00:00", "1969-12-31 23:59:59"}},
		{"ts_ns", &arrow.TimestampType{Unit: arrow.Nanosecond}, [2]string{"2024-01-01 00:00:00.5", "1969-12-31 23:59:59"}},
		{"tz_ms", &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Europe/Berlin"}, [2]string{"2024-01-01 00:00:00Z", "1969-12-31 23:59:59Z"}},
		{"dec5", &arrow.Decimal128Type{Precision: 5, Scale: 2}, [2]string{"1.25", "-1.25"}},
		{"dec20", &arrow.Decimal128Type{Precision: 20, Scale: 0}, [2]string{"12345678901234567890", "-1"}},
		{"u16", arrow.PrimitiveTypes.Uint16, [2]string{"65535", "0"}},
		{"bool", arrow.FixedWidthTypes.Boolean, [2]string{"true", "false"}},
		{"list", arrow.ListOf(arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int8, Nullable: true})), [2]string{`[{"x": 1}]`, "[]"}},
	}
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.typ, Nullable: i%2 == 0}
	}
	for name, props := range map[string]pqarrow.ArrowWriterProperties{
		"plain":  pqarrow.NewArrowWriterProperties(),
		"stored": pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()),
		"int96":  pqarrow.NewArrowWriterProperties(pqarrow.WithDeprecatedInt96Timestamps(true)),
	} {
		w := newWorld(t)
		func() {
			b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
			defer b.Release()
			for i, c := range columns {
				for _, v := range c.values {
					if err := b.Field(i).AppendValueFromString(v); err != nil {
						t.Fatal(c.name, err)
					}
				}
			}
			batch := b.NewRecordBatch()
			defer batch.Release()
			out, err := os.Create(w.path("t.parquet"))
			if err != nil {
				t.Fatal(err)
			}
			fw, err := pqarrow.NewFileWriter(batch.Schema(), out, parquet.NewWriterProperties(), props)
			if err != nil {
				t.Fatal(err)
			}
			if err := fw.Write(batch); err != nil {
				t.Fatal(err)
			}
			if err := fw.Close(); err != nil {
				t.Fatal(err)
			}
		}()
		tab := w.table(w.snapshot(), "t")
		relation := "read_parquet(" + table.Literal(w.path("t.parquet")) + ")"
		if got, want := describeTable(tab), w.describe(relation); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		bounded := 0
		for i, c := range tab.Columns {
			if tab.Stats[i].HasBounds {
				bounded++
				w.checkBounds(relation, c, tab.Stats[i], false)
			}
		}
		if bounded < 5 {
			t.Errorf("%s: only %d columns have bounds", name, bounded)
		}
	}
}
