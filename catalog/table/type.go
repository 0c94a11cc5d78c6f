package table

import (
	"fmt"
	"strings"
)

// A TypeID is the name of a DuckDB logical type, as DuckDB's C++ enum and plan JSON spell it (TIMESTAMP_TZ, not
// TIMESTAMP WITH TIME ZONE).
type TypeID string

// The type ids. Nested ones use Type's other fields.
const (
	Boolean     TypeID = "BOOLEAN"
	TinyInt     TypeID = "TINYINT"
	SmallInt    TypeID = "SMALLINT"
	Integer     TypeID = "INTEGER"
	BigInt      TypeID = "BIGINT"
	HugeInt     TypeID = "HUGEINT"
	UTinyInt    TypeID = "UTINYINT"
	USmallInt   TypeID = "USMALLINT"
	UInteger    TypeID = "UINTEGER"
	UBigInt     TypeID = "UBIGINT"
	UHugeInt    TypeID = "UHUGEINT"
	Float       TypeID = "FLOAT"
	Double      TypeID = "DOUBLE"
	Decimal     TypeID = "DECIMAL"
	Varchar     TypeID = "VARCHAR"
	Blob        TypeID = "BLOB"
	Bit         TypeID = "BIT"
	BigNum      TypeID = "BIGNUM"
	Date        TypeID = "DATE"
	Time        TypeID = "TIME"
	TimeNS      TypeID = "TIME_NS"
	TimeTZ      TypeID = "TIME_TZ"
	Timestamp   TypeID = "TIMESTAMP"
	TimestampS  TypeID = "TIMESTAMP_S"
	TimestampMS TypeID = "TIMESTAMP_MS"
	TimestampNS TypeID = "TIMESTAMP_NS"
	TimestampTZ TypeID = "TIMESTAMP_TZ"
	Interval    TypeID = "INTERVAL"
	UUID        TypeID = "UUID"
	Enum        TypeID = "ENUM"
	List        TypeID = "LIST"
	Array       TypeID = "ARRAY"
	Struct      TypeID = "STRUCT"
	Map         TypeID = "MAP"
	Union       TypeID = "UNION"
	Variant     TypeID = "VARIANT"
	Geometry    TypeID = "GEOMETRY"
	Null        TypeID = "SQLNULL"
)

// A Type is a DuckDB logical type. Types are compared with Equal.
type Type struct {
	ID TypeID
	// Width and Scale are for DECIMAL.
	Width, Scale uint8
	// Fields are a STRUCT's or UNION's members, a MAP's key and value, a LIST's or ARRAY's single unnamed element.
	Fields []Field
	// Labels are an ENUM's, in order.
	Labels []string
	// Size is an ARRAY's.
	Size int
	// Alias names a type that is another one underneath: JSON is VARCHAR with alias "JSON".
	Alias string
}

// A Field is a member of a nested type.
type Field struct {
	Name string
	Type Type
}

// Of returns the plain type of an id that needs no parameters.
func Of(id TypeID) Type { return Type{ID: id} }

// DecimalOf returns DECIMAL(width, scale).
func DecimalOf(width, scale uint8) Type { return Type{ID: Decimal, Width: width, Scale: scale} }

// JSONType is DuckDB's JSON: VARCHAR underneath.
var JSONType = Type{ID: Varchar, Alias: "JSON"}

// Elem returns the element type of a LIST or ARRAY.
func (t Type) Elem() Type { return t.Fields[0].Type }

// Equal reports whether both are the same type, labels, member names and alias included.
func (t Type) Equal(o Type) bool {
	if t.ID != o.ID || t.Width != o.Width || t.Scale != o.Scale || t.Size != o.Size || t.Alias != o.Alias ||
		len(t.Fields) != len(o.Fields) || len(t.Labels) != len(o.Labels) {
		return false
	}
	for i := range t.Fields {
		if t.Fields[i].Name != o.Fields[i].Name || !t.Fields[i].Type.Equal(o.Fields[i].Type) {
			return false
		}
	}
	for i := range t.Labels {
		if t.Labels[i] != o.Labels[i] {
			return false
		}
	}
	return true
}

// SQL prints the type as DuckDB reads it in a CAST.
func (t Type) SQL() string {
	if t.Alias != "" {
		return t.Alias
	}
	switch t.ID {
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Width, t.Scale)
	case List:
		return t.Elem().SQL() + "[]"
	case Array:
		return fmt.Sprintf("%s[%d]", t.Elem().SQL(), t.Size)
	case Struct, Union:
		members := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			members[i] = f.Type.SQL()
			// The members of row(1, 2) have no names.
			if f.Name != "" {
				members[i] = Quote(f.Name) + " " + members[i]
			}
		}
		return string(t.ID) + "(" + strings.Join(members, ", ") + ")"
	case Map:
		return "MAP(" + t.Fields[0].Type.SQL() + ", " + t.Fields[1].Type.SQL() + ")"
	case Enum:
		labels := make([]string, len(t.Labels))
		for i, l := range t.Labels {
			labels[i] = Literal(l)
		}
		return "ENUM(" + strings.Join(labels, ", ") + ")"
	case TimestampTZ:
		return "TIMESTAMP WITH TIME ZONE"
	case TimeTZ:
		return "TIME WITH TIME ZONE"
	case Null:
		return `"NULL"`
	}
	return string(t.ID)
}

// Quote prints a name as a quoted SQL identifier.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Literal prints a text as a SQL string literal.
func Literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
