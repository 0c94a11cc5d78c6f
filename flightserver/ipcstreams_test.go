package flightserver

import (
	"bytes"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// goodStreams are IPC streams of all sorts of columns, plain and compressed.
func goodStreams() (all [][]*flight.FlightData) {
	struct2 := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true})
	types := [][]arrow.DataType{
		{arrow.PrimitiveTypes.Int64}, {arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int32}, {arrow.BinaryTypes.String}, {arrow.ListOf(arrow.PrimitiveTypes.Int64)},
		{struct2, arrow.FixedWidthTypes.Boolean}, {arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32)},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
		{&arrow.Decimal128Type{Precision: 10, Scale: 2}, &arrow.FixedSizeBinaryType{ByteWidth: 3}, arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int16)},
		{arrow.BinaryTypes.StringView, arrow.BinaryTypes.LargeBinary}, {arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.MonthDayNanoInterval, arrow.FixedWidthTypes.Date32},
		{arrow.Null}, {arrow.DenseUnionOf([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int32}}, []arrow.UnionTypeCode{0})},
		{arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String)}, {},
		{arrow.ListOf(arrow.StructOf(arrow.Field{Name: "v", Type: arrow.BinaryTypes.BinaryView, Nullable: true})), arrow.BinaryTypes.StringView},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.StringView}},
	}
	compressions := [][]ipc.Option{nil, {ipc.WithZstd()}, {ipc.WithLZ4()}}
	for i, columns := range types {
		if stream, err := written(columns, compressions[i%3]...); err == nil {
			all = append(all, stream)
		}
	}
	return all
}

// streamOf is what a client sends of a column: the schema, and two batches with their dictionaries, empty values and NULLs.
func streamOf(column arrow.DataType) []*flight.FlightData {
	stream, err := written([]arrow.DataType{column})
	if err != nil {
		panic(err)
	}
	return stream
}

// written writes columns as a client does; an error where Arrow's writer has no form for them.
func written(columns []arrow.DataType, options ...ipc.Option) ([]*flight.FlightData, error) {
	fields := make([]arrow.Field, len(columns))
	for c, t := range columns {
		fields[c] = arrow.Field{Name: string(rune('a' + c)), Type: t, Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	values := make([]arrow.Array, len(columns))
	for c, t := range columns {
		values[c] = someOf(t)
		defer values[c].Release()
	}
	batch := array.NewRecordBatch(schema, values, 5)
	defer batch.Release()
	var data collectedData
	w := flight.NewRecordWriter(&data, append(options, ipc.WithSchema(schema))...)
	err := w.Write(batch)
	if err == nil {
		err = w.Write(batch)
	}
	return data.all, errors.Join(err, w.Close())
}

// someOf is three empty values and two NULLs, or five empty values where a type has no NULLs of its own.
func someOf(t arrow.DataType) arrow.Array {
	dictionary, isDictionary := t.(*arrow.DictionaryType)
	if isDictionary {
		t = dictionary.IndexType
	}
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	b.AppendEmptyValues(3)
	if _, isUnion := b.(array.UnionBuilder); isUnion {
		b.AppendEmptyValues(2)
	} else {
		b.AppendNulls(2)
	}
	if !isDictionary {
		return b.NewArray()
	}
	indexes, values := b.NewArray(), someOf(dictionary.ValueType)
	defer indexes.Release()
	defer values.Release()
	return array.NewDictionaryArray(dictionary, indexes, values)
}

// collected takes the messages of an IPC writer.
type collectedData struct{ all []*flight.FlightData }

func (c *collectedData) Send(d *flight.FlightData) error {
	c.all = append(c.all, &flight.FlightData{DataHeader: bytes.Clone(d.GetDataHeader()), DataBody: bytes.Clone(d.GetDataBody())})
	return nil
}
