package arrowtype

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// simpleFrom are the Arrow types with one DuckDB type each.
var simpleFrom = map[arrow.Type]table.TypeID{
	arrow.NULL: table.Null, arrow.BOOL: table.Boolean,
	arrow.INT8: table.TinyInt, arrow.INT16: table.SmallInt, arrow.INT32: table.Integer, arrow.INT64: table.BigInt,
	arrow.UINT8: table.UTinyInt, arrow.UINT16: table.USmallInt, arrow.UINT32: table.UInteger, arrow.UINT64: table.UBigInt,
	arrow.FLOAT16: table.Float, arrow.FLOAT32: table.Float, arrow.FLOAT64: table.Double,
	arrow.STRING: table.Varchar, arrow.LARGE_STRING: table.Varchar, arrow.STRING_VIEW: table.Varchar,
	arrow.BINARY: table.Blob, arrow.LARGE_BINARY: table.Blob, arrow.BINARY_VIEW: table.Blob, arrow.FIXED_SIZE_BINARY: table.Blob,
	arrow.DATE32: table.Date, arrow.DATE64: table.Date, arrow.TIME32: table.Time, arrow.DURATION: table.Interval,
	arrow.INTERVAL_MONTHS: table.Interval, arrow.INTERVAL_DAY_TIME: table.Interval, arrow.INTERVAL_MONTH_DAY_NANO: table.Interval,
}

// FromArrow returns the DuckDB type that holds values of an Arrow type, as DuckDB's own Arrow import chooses it. It serves
// parameters that clients bind and schemas read from footers. An Arrow type that DuckDB has no type for is an error that
// names it.
func FromArrow(dt arrow.DataType) (table.Type, error) {
	if id, ok := simpleFrom[dt.ID()]; ok {
		return table.Of(id), nil
	}
	switch t := dt.(type) {
	case *arrow.Time64Type:
		if t.Unit == arrow.Nanosecond {
			return table.Of(table.TimeNS), nil
		}
		return table.Of(table.Time), nil
	case *arrow.TimestampType:
		return fromTimestamp(t), nil
	case arrow.DecimalType:
		return fromDecimal(t)
	case *arrow.DictionaryType:
		return FromArrow(t.ValueType)
	case arrow.ExtensionType:
		return FromArrow(t.StorageType())
	case *arrow.MapType:
		return nested(table.Map, []arrow.Field{{Type: t.KeyType()}, {Type: t.ItemType()}})
	case *arrow.FixedSizeListType:
		list, err := nested(table.Array, []arrow.Field{{Type: t.Elem()}})
		list.Size = int(t.Len())
		return list, err
	case arrow.ListLikeType:
		return nested(table.List, []arrow.Field{{Type: t.Elem()}})
	case *arrow.StructType:
		return nested(table.Struct, t.Fields())
	case *arrow.RunEndEncodedType:
		return FromArrow(t.Encoded())
	}
	return table.Type{}, fmt.Errorf("no DuckDB type for Arrow type %s", dt)
}

func fromTimestamp(t *arrow.TimestampType) table.Type {
	if t.TimeZone != "" {
		return table.Of(table.TimestampTZ)
	}
	switch t.Unit {
	case arrow.Second:
		return table.Of(table.TimestampS)
	case arrow.Millisecond:
		return table.Of(table.TimestampMS)
	case arrow.Nanosecond:
		return table.Of(table.TimestampNS)
	}
	return table.Of(table.Timestamp)
}

// decimalWidthMax is DuckDB's widest DECIMAL, in digits.
const decimalWidthMax = 38

func fromDecimal(t arrow.DecimalType) (table.Type, error) {
	width, scale := t.GetPrecision(), t.GetScale()
	if width < 1 || width > decimalWidthMax || scale < 0 || scale > width {
		return table.Type{}, fmt.Errorf("no DuckDB type for %s: DECIMAL has 1 to %d digits and a scale within them", t, decimalWidthMax)
	}
	return table.DecimalOf(uint8(width), uint8(scale)), nil
}

func nested(id table.TypeID, fields []arrow.Field) (table.Type, error) {
	out := table.Type{ID: id, Fields: make([]table.Field, len(fields))}
	for i, f := range fields {
		member, err := FromArrow(f.Type)
		if err != nil {
			return table.Type{}, err
		}
		out.Fields[i] = table.Field{Name: f.Name, Type: member}
	}
	return out, nil
}
