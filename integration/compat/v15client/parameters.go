package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// integers is a batch of one column.
func integers(values ...int64) arrow.Record {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	column := b.NewArray()
	defer column.Release()
	return array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "p", Type: column.DataType(), Nullable: true}}, nil), []arrow.Array{column}, int64(len(values)))
}

// bound prepares, binds and wants these rows. It releases the batch.
func (c *session) bound(ctx context.Context, sql string, batch arrow.Record, want ...string) error {
	defer batch.Release()
	p, err := c.Prepare(ctx, sql)
	if err != nil {
		return err
	}
	p.SetParameters(batch)
	info, err := p.Execute(ctx)
	return errors.Join(c.rows(ctx, info, err, want...), p.Close(ctx))
}

// parametersGo binds a value and a NULL of each type and reads them back as text.
func parametersGo(ctx context.Context, c *session) error {
	var faults []error
	for _, p := range goParameters {
		for _, null := range []bool{false, true} {
			b := array.NewBuilder(memory.DefaultAllocator, p.kind)
			want := p.text
			if null {
				b.AppendNull()
				want = "(null)"
			} else if err := b.AppendValueFromString(p.value); err != nil {
				return fmt.Errorf("%s: %w", p.kind, err)
			}
			column := b.NewArray()
			batch := array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "p", Type: p.kind, Nullable: true}}, nil), []arrow.Array{column}, 1)
			column.Release()
			b.Release()
			if err := c.bound(ctx, "SELECT CAST(CAST(? AS "+p.sql+") AS VARCHAR)", batch, want); err != nil {
				faults = append(faults, fmt.Errorf("%s as %s: %w", p.kind, p.sql, err))
			}
		}
	}
	return errors.Join(faults...)
}

// goParameters are values of each Arrow type, the SQL type they stand for, and DuckDB's text of them.
var goParameters = []struct {
	kind             arrow.DataType
	value, sql, text string
}{
	{arrow.FixedWidthTypes.Boolean, "true", "BOOLEAN", "true"},
	{arrow.PrimitiveTypes.Int8, "-128", "TINYINT", "-128"}, {arrow.PrimitiveTypes.Int16, "-32768", "SMALLINT", "-32768"},
	{arrow.PrimitiveTypes.Int32, "-2147483648", "INTEGER", "-2147483648"},
	{arrow.PrimitiveTypes.Int64, "-9223372036854775808", "BIGINT", "-9223372036854775808"},
	{arrow.PrimitiveTypes.Uint8, "255", "UTINYINT", "255"}, {arrow.PrimitiveTypes.Uint16, "65535", "USMALLINT", "65535"},
	{arrow.PrimitiveTypes.Uint32, "4294967295", "UINTEGER", "4294967295"},
	{arrow.PrimitiveTypes.Uint64, "18446744073709551615", "UBIGINT", "18446744073709551615"},
	{arrow.FixedWidthTypes.Float16, "1.5", "FLOAT", "1.5"}, {arrow.PrimitiveTypes.Float32, "-0.25", "FLOAT", "-0.25"},
	{arrow.PrimitiveTypes.Float64, "1e+300", "DOUBLE", "1e+300"},
	{&arrow.Decimal128Type{Precision: 18, Scale: 3}, "-12345.678", "DECIMAL(18,3)", "-12345.678"},
	{arrow.BinaryTypes.String, "héllo", "VARCHAR", "héllo"}, {arrow.BinaryTypes.LargeString, "large", "VARCHAR", "large"},
	{arrow.BinaryTypes.Binary, "AP8=", "BLOB", `\x00\xFF`}, {arrow.BinaryTypes.LargeBinary, "YWI=", "BLOB", "ab"},
	{&arrow.FixedSizeBinaryType{ByteWidth: 2}, "YWI=", "BLOB", "ab"},
	{arrow.FixedWidthTypes.Date32, "1992-02-29", "DATE", "1992-02-29"}, {arrow.FixedWidthTypes.Date64, "1969-12-31", "DATE", "1969-12-31"},
	{arrow.FixedWidthTypes.Time32ms, "12:34:56.789", "TIME", "12:34:56.789"}, {arrow.FixedWidthTypes.Time64us, "23:59:59.999999", "TIME", "23:59:59.999999"},
	{&arrow.TimestampType{Unit: arrow.Second}, "1992-02-29 12:34:56", "TIMESTAMP", "1992-02-29 12:34:56"},
	{&arrow.TimestampType{Unit: arrow.Millisecond}, "1992-02-29 12:34:56.789", "TIMESTAMP", "1992-02-29 12:34:56.789"},
	{&arrow.TimestampType{Unit: arrow.Microsecond}, "1992-02-29 12:34:56.789123", "TIMESTAMP", "1992-02-29 12:34:56.789123"},
	{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, "2026-07-01 10:00:00Z", "TIMESTAMPTZ", "2026-07-01 10:00:00+00"},
	{arrow.ListOf(arrow.PrimitiveTypes.Int32), "[1,null,3]", "INTEGER[]", "[1, NULL, 3]"},
	{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true}), `{"a":1}`, "STRUCT(a INTEGER)", "{'a': 1}"},
}
