package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

type param struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// bindings makes one row of parameters, of the types that a Go program would choose.
func bindings(params []param) (arrow.Record, error) {
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
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, 1), nil
}

func binding(p param) (arrow.Array, error) {
	mem := memory.DefaultAllocator
	var b array.Builder
	var err error
	switch p.Type {
	case "null":
		b = array.NewInt32Builder(mem)
		b.AppendNull()
	case "bool":
		v := array.NewBooleanBuilder(mem)
		v.Append(p.Value == "true")
		b = v
	case "int32":
		var n int64
		n, err = strconv.ParseInt(p.Value, 10, 32)
		v := array.NewInt32Builder(mem)
		v.Append(int32(n))
		b = v
	case "int64":
		var n int64
		n, err = strconv.ParseInt(p.Value, 10, 64)
		v := array.NewInt64Builder(mem)
		v.Append(n)
		b = v
	case "double":
		var f float64
		f, err = strconv.ParseFloat(p.Value, 64)
		v := array.NewFloat64Builder(mem)
		v.Append(f)
		b = v
	case "decimal":
		_, digits, _ := strings.Cut(p.Value, ".")
		kind := &arrow.Decimal128Type{Precision: 18, Scale: int32(len(digits))}
		var d decimal128.Num
		d, err = decimal128.FromString(p.Value, kind.Precision, kind.Scale)
		v := array.NewDecimal128Builder(mem, kind)
		v.Append(d)
		b = v
	case "date":
		var t time.Time
		t, err = time.Parse(time.DateOnly, p.Value)
		v := array.NewDate32Builder(mem)
		v.Append(arrow.Date32FromTime(t))
		b = v
	case "timestamp":
		var t time.Time
		t, err = time.Parse("2006-01-02 15:04:05.999999", p.Value)
		v := array.NewTimestampBuilder(mem, &arrow.TimestampType{Unit: arrow.Microsecond})
		v.Append(arrow.Timestamp(t.UnixMicro()))
		b = v
	case "bytes":
		var raw []byte
		raw, err = hex.DecodeString(p.Value)
		v := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
		v.Append(raw)
		b = v
	default:
		v := array.NewStringBuilder(mem)
		v.Append(p.Value)
		b = v
	}
	defer b.Release()
	if err != nil {
		return nil, err
	}
	return b.NewArray(), nil
}
