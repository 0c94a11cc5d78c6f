package gen

import (
	"fmt"
	"strings"
)

// A Class is a set of types whose values can stand for each other in what we generate. Classes that are not named here are
// "=TYPE": values of exactly that type, which are carried, compared with each other, grouped by and joined on, no more.
type Class string

// The classes with operations of their own.
const (
	Bool Class = "bool"
	Int  Class = "int"  // integers of some hundreds at most
	Wide Class = "wide" // integers of any size
	Dec  Class = "dec"  // decimals, small
	Dbl  Class = "dbl"  // FLOAT and DOUBLE, multiples of a quarter, small
	Odd  Class = "odd"  // FLOAT and DOUBLE of any value, NaN too
	// Loose is floating point whose last digits depend on the order of additions.
	Loose    Class = "loose"
	Text     Class = "text"
	Date     Class = "date"
	Time     Class = "time"
	TS       Class = "timestamp"
	TSTZ     Class = "timestamptz"
	Interval Class = "interval"
	UUID     Class = "uuid"
	Blob     Class = "blob"
	Ints     Class = "ints"  // INTEGER[]
	Texts    Class = "texts" // VARCHAR[]
	Pair     Class = "pair"  // STRUCT(a INTEGER, b VARCHAR)
)

// exactly is the class of one type that has no other.
func exactly(sqlType string) Class { return Class("=" + sqlType) }

// opaque reports whether c is "=TYPE".
func (c Class) opaque() bool { return strings.HasPrefix(string(c), "=") }

// numeric reports whether values of c compare with other numbers.
func (c Class) numeric() bool { return c == Int || c == Wide || c == Dec || c == Dbl || c == Odd }

// sqlType is a type that every value of the class can be cast to.
func (c Class) sqlType() string {
	switch c {
	case Bool:
		return "BOOLEAN"
	case Int:
		return "INTEGER"
	case Wide:
		return "HUGEINT"
	case Dec:
		return "DECIMAL(18,3)"
	case Dbl, Odd, Loose:
		return "DOUBLE"
	case Text:
		return "VARCHAR"
	case Date:
		return "DATE"
	case Time:
		return "TIME"
	case TS:
		return "TIMESTAMP"
	case TSTZ:
		return "TIMESTAMPTZ"
	case Interval:
		return "INTERVAL"
	case UUID:
		return "UUID"
	case Blob:
		return "BLOB"
	case Ints:
		return "INTEGER[]"
	case Texts:
		return "VARCHAR[]"
	case Pair:
		return "STRUCT(a INTEGER, b VARCHAR)"
	}
	return string(c[1:])
}

// computable are the classes that expressions are made of out of nothing.
var computable = []Class{Bool, Int, Dec, Dbl, Text, Date, TS}

// classOf finds the class of a DuckDB type as DESCRIBE prints it; odd says that its numbers are of any size.
func classOf(sqlType string, odd bool) Class {
	switch sqlType {
	case "BOOLEAN":
		return Bool
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT":
		if odd {
			return Wide
		}
		return Int
	case "FLOAT", "DOUBLE":
		if odd {
			return Odd
		}
		return Dbl
	case "VARCHAR":
		return Text
	case "DATE":
		return Date
	case "TIME":
		return Time
	case "TIMESTAMP":
		return TS
	case "TIMESTAMP WITH TIME ZONE":
		return TSTZ
	case "INTERVAL":
		return Interval
	case "UUID":
		return UUID
	case "BLOB":
		return Blob
	case "INTEGER[]":
		return Ints
	case "VARCHAR[]":
		return Texts
	case "STRUCT(a INTEGER, b VARCHAR)":
		return Pair
	}
	if strings.HasPrefix(sqlType, "DECIMAL(") {
		return Dec
	}
	return exactly(sqlType)
}

var (
	texts = []string{"a", "b", "c", "A", "", "ab", "é", "NULL", "x y", "a%b", "it''s", "ß", "日本", "abcdefghijklmnop", "abcdefghijklmnoq"}
	uuids = []string{"00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff", "12345678-9abc-def0-1234-56789abcdef0"}
	wides = []string{"0", "1", "9223372036854775807", "-9223372036854775808", "4294967296", "-1", "123456789012345"}
	odds  = []string{"'nan'", "'inf'", "'-inf'", "0.1", "1e300", "-0.0", "3.0000000000000004", "1e-300"}
)

// literal is a value of class c, spread over the first n of its pool: a small n makes many repetitions. Its text can stand
// in VALUES and in any expression.
func (r *random) literal(c Class, n int) string {
	i := r.Intn(n)
	switch c {
	case Bool:
		return []string{"true", "false"}[i%2]
	case Int:
		return fmt.Sprint([]int{1, 2, 3, 0, 5, -1, 7, 42, 100, 9}[i%10])
	case Wide:
		return "CAST('" + wides[i%len(wides)] + "' AS BIGINT)"
	case Dec:
		return []string{"1.50", "2.00", "0.25", "-3.75", "10.00", "0.00", "99.99", "1.00"}[i%8]
	case Dbl:
		return fmt.Sprintf("CAST(%g AS DOUBLE)", []float64{1, 2.5, 0.25, -3.75, 10, 0, 100.5, 2}[i%8])
	case Odd:
		return "CAST(" + odds[i%len(odds)] + " AS DOUBLE)"
	case Text:
		return "'" + texts[i%len(texts)] + "'"
	case Date:
		return fmt.Sprintf("DATE '2024-02-%02d'", 20+i%10)
	case Time:
		return fmt.Sprintf("TIME '%02d:30:00.%03d'", i%24, i%3)
	case TS:
		return fmt.Sprintf("TIMESTAMP '2024-02-%02d %02d:00:00'", 20+i%10, i%3*8)
	case TSTZ:
		return fmt.Sprintf("TIMESTAMPTZ '2024-02-%02d %02d:00:00+02'", 20+i%10, i%3*8)
	case Interval:
		return fmt.Sprintf("INTERVAL '%d days'", i%7)
	case UUID:
		return "CAST('" + uuids[i%len(uuids)] + "' AS UUID)"
	case Blob:
		return []string{"'\\x00\\xFF'::BLOB", "'ab'::BLOB", "''::BLOB"}[i%3]
	case Ints:
		return []string{"[1, 2]", "[]::INTEGER[]", "[3, NULL]", "[1]"}[i%4]
	case Texts:
		return []string{"['a', 'b']", "[]::VARCHAR[]", "['c', NULL]"}[i%3]
	case Pair:
		return []string{"{'a': 1, 'b': 'x'}", "{'a': NULL, 'b': ''}", "{'a': 2, 'b': 'y'}"}[i%3]
	}
	return "CAST(NULL AS " + c.sqlType() + ")"
}
