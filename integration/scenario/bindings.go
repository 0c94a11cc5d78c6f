package scenario

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Bindings makes one row of parameters, of the types that a Go program would choose. The caller releases it.
func Bindings(params []Param) (arrow.RecordBatch, error) {
	fields := make([]arrow.Field, len(params))
	columns := make([]arrow.Array, len(params))
	for i, p := range params {
		column, err := binding(p)
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		defer column.Release()
		fields[i] = arrow.Field{Name: fmt.Sprintf("p%d", i), Type: column.DataType(), Nullable: true}
		columns[i] = column
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, 1), nil
}

func binding(p Param) (arrow.Array, error) {
	var kind arrow.DataType
	var fill func(array.Builder) error
	switch p.Type {
	case "null":
		kind = arrow.PrimitiveTypes.Int32
		fill = func(b array.Builder) error { b.AppendNull(); return nil }
	case "date":
		kind = arrow.FixedWidthTypes.Date32
	case "bool":
		kind = arrow.FixedWidthTypes.Boolean
	case "int32":
		kind = arrow.PrimitiveTypes.Int32
	case "int64":
		kind = arrow.PrimitiveTypes.Int64
	case "double":
		kind = arrow.PrimitiveTypes.Float64
	case "decimal":
		_, digits, _ := strings.Cut(p.Value, ".")
		scale := int32(len(digits))
		kind = &arrow.Decimal128Type{Precision: 18, Scale: scale}
		fill = func(b array.Builder) error {
			d, err := decimal128.FromString(p.Value, 18, scale)
			b.(*array.Decimal128Builder).Append(d)
			return err
		}
	case "timestamp":
		kind = &arrow.TimestampType{Unit: arrow.Microsecond}
		fill = func(b array.Builder) error {
			t, err := time.Parse("2006-01-02 15:04:05.999999", p.Value)
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(t.UnixMicro()))
			return err
		}
	case "bytes":
		kind = arrow.BinaryTypes.Binary
		fill = func(b array.Builder) error {
			raw, err := hex.DecodeString(p.Value)
			b.(*array.BinaryBuilder).Append(raw)
			return err
		}
	case "string":
		kind = arrow.BinaryTypes.String
	default:
		return nil, fmt.Errorf("type %s is not known", strconv.Quote(p.Type))
	}
	b := array.NewBuilder(memory.DefaultAllocator, kind)
	defer b.Release()
	if fill == nil {
		fill = func(b array.Builder) error { return b.AppendValueFromString(p.Value) }
	}
	if err := fill(b); err != nil {
		return nil, err
	}
	return b.NewArray(), nil
}
