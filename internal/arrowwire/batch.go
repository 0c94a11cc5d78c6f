package arrowwire

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// ErrTooLarge says that the rows would take more bytes than the caller allows. Fewer rows may fit.
var ErrTooLarge = errors.New("the rows are too large in their wire layout")

// Type is the DuckDB type of a column that a client sends: that of arrowtype.FromArrow, but INTEGER for columns and members that hold
// nothing but NULL, as DuckDB's tables have it. An Arrow type without one is a User error.
func Type(f arrow.Field) (table.Type, error) {
	t, err := arrowtype.FromArrow(f.Type)
	if err == nil {
		t, err = stored(t)
	}
	if err == nil {
		t, err = table.ParseType(t.SQL()) // as the planner has it, who names members that Arrow does not name
	}
	if err != nil {
		return table.Type{}, qerr.Wrap(qerr.User, "column "+f.Name, err)
	}
	return t, nil
}

// stored is a type as a table can have it.
func stored(t table.Type) (table.Type, error) {
	if t.ID == table.Null {
		return table.Of(table.Integer), nil
	}
	if t.ID == table.Struct && len(t.Fields) == 0 {
		return t, qerr.New(qerr.User, "a struct without members")
	}
	fields := t.Fields
	t.Fields = make([]table.Field, len(fields))
	for i, f := range fields {
		member, err := stored(f.Type)
		if err != nil {
			return t, err
		}
		t.Fields[i] = table.Field{Name: f.Name, Type: member}
	}
	if len(fields) == 0 {
		t.Fields = nil
	}
	return t, nil
}

// Batch returns the rows of a batch in the wire layout of types, which are those that Type gives for its columns. What is copied takes
// at most some bytesMax bytes, else it is ErrTooLarge. Values that no such type holds are User errors.
func Batch(mem memory.Allocator, batch arrow.RecordBatch, types []table.Type, bytesMax int64) (arrow.RecordBatch, error) {
	c := converter{mem: mem, left: bytesMax}
	columns := make([]arrow.Array, 0, len(types))
	defer func() {
		for _, column := range columns {
			column.Release()
		}
	}()
	for i, t := range types {
		column, err := c.column(batch.Column(i), t)
		if errors.Is(err, ErrTooLarge) {
			return nil, err
		}
		if err != nil {
			return nil, qerr.Wrap(qerr.User, "column "+batch.ColumnName(i), err)
		}
		columns = append(columns, column)
	}
	return array.NewRecordBatch(arrowtype.WireSchema(types), columns, batch.NumRows()), nil
}

// A converter makes one batch.
type converter struct {
	mem  memory.Allocator
	left int64 // bytes that may still be made
}

// valueBytes is what a value is counted for beside the bytes of a text or blob.
const valueBytes = 16

func (c *converter) spend(bytes int) error {
	if c.left -= int64(bytes); c.left < 0 {
		return ErrTooLarge
	}
	return nil
}

func (c *converter) column(a arrow.Array, t table.Type) (arrow.Array, error) {
	if e, ok := a.(array.ExtensionArray); ok {
		return c.column(e.Storage(), t)
	}
	wire := arrowtype.WireType(t)
	if len(t.Fields) == 0 && arrow.TypeEqual(a.DataType(), wire) {
		if err := check(a, t); err != nil {
			return nil, err
		}
		a.Retain()
		return a, nil
	}
	switch a := a.(type) {
	case *array.Decimal128:
		if arrowtype.DecimalBytes(t.Width) == wideBytes {
			return wideDecimals(a, wire, t)
		}
	case *array.Timestamp:
		if a.DataType().(*arrow.TimestampType).Unit == arrow.Microsecond { //nolint:forcetypeassert // Its type by definition.
			if err := check(a, t); err != nil {
				return nil, err
			}
			return as(a, wire), nil // the same instants, of another zone
		}
	}
	b := array.NewBuilder(c.mem, wire)
	defer b.Release()
	b.Reserve(a.Len())
	for i := range a.Len() {
		if err := c.value(b, a, i, t); err != nil {
			return nil, err
		}
	}
	return b.NewArray(), nil
}

// wideBytes are the bytes of the widest decimals, which have the same layout in Arrow and in DuckDB.
const wideBytes = 16

func wideDecimals(a *array.Decimal128, wire arrow.DataType, t table.Type) (arrow.Array, error) {
	for i := range a.Len() {
		if a.IsValid(i) && !a.Value(i).FitsInPrecision(int32(t.Width)) {
			return nil, tooManyDigits(t)
		}
	}
	return as(a, wire), nil
}

// as gives an array another type of the same layout.
func as(a arrow.Array, t arrow.DataType) arrow.Array {
	data := a.Data()
	same := array.NewData(t, data.Len(), data.Buffers(), nil, data.NullN(), data.Offset())
	defer same.Release()
	return array.MakeFromData(same)
}

func tooManyDigits(t table.Type) error {
	return qerr.New(qerr.User, "a value has more digits than %s", t.SQL())
}
