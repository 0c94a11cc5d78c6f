package testcluster

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	salesFiles   = 5
	salesPerFile = 400
)

// writeTables makes two tables: sales of five files of four row groups each, and regions of one small file.
func writeTables(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	names := []string{"north", "south", "east", "west"}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "k", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "region", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "qty", Type: arrow.PrimitiveTypes.Int32},
		{Name: "price", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}},
		{Name: "day", Type: arrow.FixedWidthTypes.Date32},
	}, nil)
	for file := range salesFiles {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for i := range salesPerFile {
			id := file*salesPerFile + i
			b.Field(0).(*array.Int64Builder).Append(int64(id))
			if id%17 == 0 {
				b.Field(1).AppendNull()
			} else {
				b.Field(1).(*array.Int32Builder).Append(int32(id % 7))
			}
			if id%11 == 0 {
				b.Field(2).AppendNull()
			} else {
				b.Field(2).(*array.StringBuilder).Append(names[id%len(names)])
			}
			b.Field(3).(*array.Int32Builder).Append(int32(id % 50))
			b.Field(4).(*array.Decimal128Builder).AppendValueFromString(fmt.Sprintf("%d.%02d", id%1000, id%100))
			b.Field(5).(*array.Date32Builder).Append(arrow.Date32(19000 + id%365))
		}
		WriteParquet(t, filepath.Join(dir, "sales", fmt.Sprintf("part-%d.parquet", file)), b.NewRecordBatch(), salesPerFile/4)
		b.Release()
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "region", Type: arrow.BinaryTypes.String}, {Name: "manager", Type: arrow.BinaryTypes.String},
	}, nil))
	defer b.Release()
	for i, name := range names[:3] {
		b.Field(0).(*array.StringBuilder).Append(name)
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("manager %d", i))
	}
	WriteParquet(t, filepath.Join(dir, "regions.parquet"), b.NewRecordBatch(), 100)
	return dir
}
