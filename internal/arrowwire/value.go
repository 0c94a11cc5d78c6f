package arrowwire

import (
	"encoding/binary"
	"math/big"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// value appends one value of an array to a builder of t's wire type.
func (c *converter) value(b array.Builder, a arrow.Array, i int, t table.Type) error {
	switch a := a.(type) {
	case array.ExtensionArray:
		return c.value(b, a.Storage(), i, t)
	case *array.RunEndEncoded:
		return c.value(b, a.Values(), a.GetPhysicalIndex(i), t)
	case *array.Null:
		b.AppendNull()
		return c.spend(valueBytes)
	}
	if err := c.spend(valueBytes); err != nil {
		return err
	}
	if a.IsNull(i) {
		b.AppendNull()
		return nil
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return c.value(b, a.Dictionary(), a.GetValueIndex(i), t)
	case *array.Map:
		return c.mapValue(b, a, i, t)
	case *array.Struct:
		s := b.(*array.StructBuilder) //nolint:forcetypeassert // The wire type of t; so below.
		s.Append(true)
		for k, f := range t.Fields {
			if err := c.value(s.FieldBuilder(k), a.Field(k), i, f.Type); err != nil {
				return err
			}
		}
		return nil
	case array.ListLike:
		return c.listValue(b, a, i, t)
	}
	return c.scalar(b, a, i, t)
}

func (c *converter) listValue(b array.Builder, a array.ListLike, i int, t table.Type) error {
	list := b.(array.ListLikeBuilder) //nolint:forcetypeassert // See value.
	list.Append(true)
	start, end := a.ValueOffsets(i)
	for k := int(start); k < int(end); k++ {
		if err := c.value(list.ValueBuilder(), a.ListValues(), k, t.Elem()); err != nil {
			return err
		}
	}
	return nil
}

// mapValue appends a map; its keys are no NULLs, and none is there twice, as the engine takes for granted.
func (c *converter) mapValue(b array.Builder, a *array.Map, i int, t table.Type) error {
	list := b.(*array.ListBuilder)                      //nolint:forcetypeassert // See value.
	entry := list.ValueBuilder().(*array.StructBuilder) //nolint:forcetypeassert // See value.
	list.Append(true)
	start, end := a.ValueOffsets(i)
	seen := make(map[string]struct{}, end-start)
	for k := int(start); k < int(end); k++ {
		if a.Keys().IsNull(k) || a.Keys().DataType().ID() == arrow.NULL {
			return qerr.New(qerr.User, "a map has NULL as a key")
		}
		key := a.Keys().ValueStr(k)
		if _, twice := seen[key]; twice {
			return qerr.New(qerr.User, "a map has the key %s twice", key)
		}
		seen[key] = struct{}{}
		entry.Append(true)
		if err := c.value(entry.FieldBuilder(0), a.Keys(), k, t.Fields[0].Type); err != nil {
			return err
		}
		if err := c.value(entry.FieldBuilder(1), a.Items(), k, t.Fields[1].Type); err != nil {
			return err
		}
	}
	return nil
}

// scalar appends a value without members.
func (c *converter) scalar(b array.Builder, a arrow.Array, i int, t table.Type) error {
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(a.(*array.Boolean).Value(i)) //nolint:forcetypeassert // Types that FromArrow maps to the builder's; so below.
	case *array.Int8Builder:
		b.Append(a.(*array.Int8).Value(i)) //nolint:forcetypeassert // See above.
	case *array.Uint8Builder:
		b.Append(a.(*array.Uint8).Value(i)) //nolint:forcetypeassert // See above.
	case *array.Uint16Builder:
		b.Append(a.(*array.Uint16).Value(i)) //nolint:forcetypeassert // See above.
	case *array.Uint32Builder:
		b.Append(a.(*array.Uint32).Value(i)) //nolint:forcetypeassert // See above.
	case *array.Uint64Builder:
		b.Append(a.(*array.Uint64).Value(i)) //nolint:forcetypeassert // See above.
	case *array.Float32Builder:
		if half, ok := a.(*array.Float16); ok {
			b.Append(half.Value(i).Float32())
			return nil
		}
		b.Append(a.(*array.Float32).Value(i)) //nolint:forcetypeassert // See above.
	case *array.Float64Builder:
		b.Append(a.(*array.Float64).Value(i)) //nolint:forcetypeassert // See above.
	case *array.StringBuilder:
		return c.text(b, a.(array.StringLike).Value(i)) //nolint:forcetypeassert // See above.
	case *array.BinaryBuilder:
		return c.blob(b, a, i)
	case *array.Date32Builder:
		return appendDate(b, a, i)
	case *array.Time64Builder:
		return appendTime(b, a, i, t)
	case *array.TimestampBuilder:
		return appendTimestamp(b, a.(*array.Timestamp), i, t) //nolint:forcetypeassert // See above.
	default:
		return c.integer(b, a, i, t)
	}
	return nil
}

// integer appends to the builders that hold integers as well as decimals or intervals.
func (c *converter) integer(b array.Builder, a arrow.Array, i int, t table.Type) error {
	if t.ID == table.Decimal {
		return appendDecimal(b, a, i, t)
	}
	switch b := b.(type) {
	case *array.Int16Builder:
		b.Append(a.(*array.Int16).Value(i)) //nolint:forcetypeassert // See scalar.
	case *array.Int32Builder:
		b.Append(a.(*array.Int32).Value(i)) //nolint:forcetypeassert // See scalar.
	case *array.Int64Builder:
		b.Append(a.(*array.Int64).Value(i)) //nolint:forcetypeassert // See scalar.
	case *array.FixedSizeBinaryBuilder:
		return appendInterval(b, a, i)
	default:
		return qerr.New(qerr.User, "values of Arrow type %s cannot be written", a.DataType())
	}
	return nil
}

func (c *converter) text(b *array.StringBuilder, s string) error {
	if err := c.spend(len(s)); err != nil {
		return err
	}
	if !utf8.ValidString(s) {
		return errNotUTF8
	}
	b.Append(s)
	return nil
}

var errNotUTF8 = qerr.New(qerr.User, "a text is not UTF-8")

func (c *converter) blob(b *array.BinaryBuilder, a arrow.Array, i int) error {
	var v []byte
	switch a := a.(type) {
	case *array.FixedSizeBinary:
		v = a.Value(i)
	case *array.Binary:
		v = a.Value(i)
	case *array.LargeBinary:
		v = a.Value(i)
	case *array.BinaryView:
		v = a.Value(i)
	}
	if err := c.spend(len(v)); err != nil {
		return err
	}
	b.Append(v)
	return nil
}

func appendDecimal(b array.Builder, a arrow.Array, i int, t table.Type) error {
	var n decimal128.Num
	switch a := a.(type) {
	case *array.Decimal32:
		n = decimal128.FromI64(int64(a.Value(i)))
	case *array.Decimal64:
		n = decimal128.FromI64(int64(a.Value(i)))
	case *array.Decimal128:
		n = a.Value(i)
	case *array.Decimal256:
		wide := a.Value(i).BigInt()
		if new(big.Int).Abs(wide).Cmp(tenTo38) >= 0 {
			return tooManyDigits(t)
		}
		n = decimal128.FromBigInt(wide)
	}
	if !n.FitsInPrecision(int32(t.Width)) {
		return tooManyDigits(t)
	}
	small := int64(n.LowBits())
	switch b := b.(type) {
	case *array.Int16Builder:
		b.Append(int16(small))
	case *array.Int32Builder:
		b.Append(int32(small))
	case *array.Int64Builder:
		b.Append(small)
	case *array.FixedSizeBinaryBuilder:
		v := binary.LittleEndian.AppendUint64(make([]byte, 0, wideBytes), n.LowBits())
		b.Append(binary.LittleEndian.AppendUint64(v, uint64(n.HighBits())))
	}
	return nil
}

var tenTo38 = new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)

// check looks at the values of an array that is in its wire layout already, as far as the engine would have to trust them.
func check(a arrow.Array, t table.Type) error {
	switch a := a.(type) {
	case *array.String:
		if a.NullN() == 0 && a.Len() > 0 && ascii(a) {
			return nil
		}
		for i := range a.Len() {
			if a.IsValid(i) && !utf8.ValidString(a.Value(i)) {
				return errNotUTF8
			}
		}
	case *array.Time64:
		for i, v := range a.Time64Values() {
			if err := timeInDay(int64(v), t); err != nil && a.IsValid(i) {
				return err
			}
		}
	case *array.Timestamp:
		for i, v := range a.TimestampValues() {
			if err := stampInRange(int64(v), t); err != nil && a.IsValid(i) {
				return err
			}
		}
	}
	return nil
}

// ascii reports whether an array's texts are all of single bytes, which is quicker to see in one piece.
func ascii(a *array.String) bool {
	for _, b := range a.ValueBytes() {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
