package flightserver

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
)

// A typeInfo is one SQL type as GetXdbcTypeInfo tells it. Absent numbers are -1, absent texts empty.
type typeInfo struct {
	name string
	// sqlType is the type's number in ODBC and JDBC.
	sqlType wire.XdbcDataType
	// size is the digits of numbers, the characters of texts and of printed times; -1 has no limit.
	size           int32
	prefix, suffix string
	params         []string
	// unsigned and autoIncrement only mean something for numbers.
	number, unsigned bool
	// scales are the digits after the point, from and to.
	minScale, maxScale int32
	// odbcType is the concise ODBC type, where it is another than sqlType.
	odbcType wire.XdbcDataType
	subcode  wire.XdbcDatetimeSubcode
	radix    int32
	text     bool
}

// typeInfos are the types that a column of a result can have, nested ones left out: ODBC has no numbers for them.
var typeInfos = []typeInfo{
	numberInfo("BOOLEAN", wire.XdbcDataType_XDBC_BIT, 1, false, 10),
	numberInfo("TINYINT", wire.XdbcDataType_XDBC_TINYINT, 3, false, 10),
	numberInfo("SMALLINT", wire.XdbcDataType_XDBC_SMALLINT, 5, false, 10),
	numberInfo("INTEGER", wire.XdbcDataType_XDBC_INTEGER, 10, false, 10),
	numberInfo("BIGINT", wire.XdbcDataType_XDBC_BIGINT, 19, false, 10),
	numberInfo("UTINYINT", wire.XdbcDataType_XDBC_TINYINT, 3, true, 10),
	numberInfo("USMALLINT", wire.XdbcDataType_XDBC_SMALLINT, 5, true, 10),
	numberInfo("UINTEGER", wire.XdbcDataType_XDBC_INTEGER, 10, true, 10),
	numberInfo("UBIGINT", wire.XdbcDataType_XDBC_BIGINT, 20, true, 10),
	numberInfo("HUGEINT", wire.XdbcDataType_XDBC_NUMERIC, 38, false, 10),
	numberInfo("FLOAT", wire.XdbcDataType_XDBC_REAL, 24, false, 2),
	numberInfo("DOUBLE", wire.XdbcDataType_XDBC_DOUBLE, 53, false, 2),
	{name: "DECIMAL", sqlType: wire.XdbcDataType_XDBC_DECIMAL, size: 38, params: []string{"precision", "scale"}, number: true,
		minScale: 0, maxScale: 38, radix: 10, odbcType: wire.XdbcDataType_XDBC_DECIMAL},
	textInfo("VARCHAR", wire.XdbcDataType_XDBC_VARCHAR),
	textInfo("JSON", wire.XdbcDataType_XDBC_VARCHAR),
	textInfo("ENUM", wire.XdbcDataType_XDBC_VARCHAR),
	textInfo("UUID", wire.XdbcDataType_XDBC_VARCHAR),
	{name: "BLOB", sqlType: wire.XdbcDataType_XDBC_VARBINARY, size: -1, prefix: "'", suffix: "'::BLOB", minScale: -1, maxScale: -1, radix: -1,
		odbcType: wire.XdbcDataType_XDBC_VARBINARY},
	timeInfo("DATE", wire.XdbcDataType_XDBC_DATE, 10, -1, wire.XdbcDatetimeSubcode_XDBC_SUBCODE_DATE),
	timeInfo("TIME", wire.XdbcDataType_XDBC_TIME, 15, 6, wire.XdbcDatetimeSubcode_XDBC_SUBCODE_TIME),
	timeInfo("TIMESTAMP", wire.XdbcDataType_XDBC_TIMESTAMP, 26, 6, wire.XdbcDatetimeSubcode_XDBC_SUBCODE_TIMESTAMP),
	timeInfo("TIMESTAMP_S", wire.XdbcDataType_XDBC_TIMESTAMP, 19, 0, wire.XdbcDatetimeSubcode_XDBC_SUBCODE_TIMESTAMP),
	timeInfo("TIMESTAMP_MS", wire.XdbcDataType_XDBC_TIMESTAMP, 23, 3, wire.XdbcDatetimeSubcode_XDBC_SUBCODE_TIMESTAMP),
	timeInfo("TIMESTAMP_NS", wire.XdbcDataType_XDBC_TIMESTAMP, 29, 9, wire.XdbcDatetimeSubcode_XDBC_SUBCODE_TIMESTAMP),
	timeInfo("TIMESTAMP WITH TIME ZONE", wire.XdbcDataType_XDBC_TIMESTAMP, 32, 6, wire.XdbcDatetimeSubcode_XDBC_SUBCODE_TIMESTAMP_WITH_TIMEZONE),
	{name: "INTERVAL", sqlType: wire.XdbcDataType_XDBC_INTERVAL, size: -1, prefix: "INTERVAL '", suffix: "'", minScale: 6, maxScale: 6, radix: -1,
		odbcType: wire.XdbcDataType_XDBC_INTERVAL},
}

func numberInfo(name string, t wire.XdbcDataType, size int32, unsigned bool, radix int32) typeInfo {
	return typeInfo{name: name, sqlType: t, size: size, number: true, unsigned: unsigned, radix: radix, odbcType: t}
}

func textInfo(name string, t wire.XdbcDataType) typeInfo {
	return typeInfo{name: name, sqlType: t, size: -1, prefix: "'", suffix: "'", minScale: -1, maxScale: -1, radix: -1, odbcType: t, text: true}
}

func timeInfo(name string, t wire.XdbcDataType, size, scale int32, subcode wire.XdbcDatetimeSubcode) typeInfo {
	return typeInfo{name: name, sqlType: t, size: size, prefix: name + " '", suffix: "'", minScale: scale, maxScale: scale, radix: -1,
		odbcType: wire.XdbcDataType_XDBC_DATETIME, subcode: subcode}
}

// appendTypeInfo appends the types of one number, or all, in the order of the protocol: by data_type and then by name.
func appendTypeInfo(b *array.RecordBuilder, dataType *int32) {
	all := slices.Clone(typeInfos)
	slices.SortStableFunc(all, func(x, y typeInfo) int {
		if x.sqlType != y.sqlType {
			return int(x.sqlType - y.sqlType)
		}
		return strings.Compare(x.name, y.name)
	})
	for _, t := range all {
		if dataType == nil || *dataType == int32(t.sqlType) {
			t.append(b)
		}
	}
}

// append appends one row. The builders' types are those of schema_ref; a test appends every row.
func (t typeInfo) append(b *array.RecordBuilder) {
	number := func(column int, v int32, known bool) {
		if f := b.Field(column).(*array.Int32Builder); known {
			f.Append(v)
		} else {
			f.AppendNull()
		}
	}
	optional := func(column int, v string) {
		if f := b.Field(column).(*array.StringBuilder); v != "" {
			f.Append(v)
		} else {
			f.AppendNull()
		}
	}
	boolean := func(column int, v, known bool) {
		if f := b.Field(column).(*array.BooleanBuilder); known {
			f.Append(v)
		} else {
			f.AppendNull()
		}
	}
	searchable := wire.Searchable_SEARCHABLE_BASIC
	if t.text {
		searchable = wire.Searchable_SEARCHABLE_FULL
	}
	text(b, 0, t.name)
	number(1, int32(t.sqlType), true)
	number(2, t.size, t.size >= 0)
	optional(3, t.prefix)
	optional(4, t.suffix)
	params := b.Field(5).(*array.ListBuilder)
	if len(t.params) == 0 {
		params.AppendNull()
	} else {
		params.Append(true)
		params.ValueBuilder().(*array.StringBuilder).AppendValues(t.params, nil)
	}
	number(6, int32(wire.Nullable_NULLABILITY_NULLABLE), true)
	boolean(7, t.text, true)
	number(8, int32(searchable), true)
	boolean(9, t.unsigned, t.number)
	boolean(10, false, true)
	boolean(11, false, t.number)
	optional(12, t.name)
	number(13, t.minScale, t.minScale >= 0)
	number(14, t.maxScale, t.maxScale >= 0)
	number(15, int32(t.odbcType), true)
	number(16, int32(t.subcode), t.subcode != 0)
	number(17, t.radix, t.radix >= 0)
	number(18, 0, false)
}
