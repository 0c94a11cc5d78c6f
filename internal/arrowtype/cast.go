package arrowtype

import "github.com/arbalest-sql/arbalest/catalog/table"

// ClientCast returns the DuckDB type that a value of type t is cast to by SQL before the kernel copies it for a client. It
// is t itself for everything with a classic Arrow type; VARCHAR for ENUM, UUID, BIT, BIGNUM, UHUGEINT, TIMETZ, UNION,
// GEOMETRY, VARIANT and types unknown to this version; INTEGER for the type of a bare NULL. It reaches into nested types, and drops aliases, as JSON is VARCHAR underneath.
func ClientCast(t table.Type) table.Type {
	switch t.ID {
	case table.Boolean, table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.HugeInt, table.UTinyInt,
		table.USmallInt, table.UInteger, table.UBigInt, table.Float, table.Double, table.Varchar, table.Blob, table.Date,
		table.Time, table.TimeNS, table.Timestamp, table.TimestampS, table.TimestampMS, table.TimestampNS,
		table.TimestampTZ, table.Interval:
		return table.Of(t.ID)
	case table.Decimal:
		return table.DecimalOf(t.Width, t.Scale)
	case table.Null:
		return table.Of(table.Integer)
	case table.List, table.Map:
		return table.Type{ID: t.ID, Fields: castFields(t.Fields)}
	case table.Array:
		return table.Type{ID: table.Array, Size: t.Size, Fields: castFields(t.Fields)}
	case table.Struct:
		// A struct without names (row(1, 2)) cannot be named in a cast, nor read by name from Arrow.
		for _, f := range t.Fields {
			if f.Name == "" {
				return table.Of(table.Varchar)
			}
		}
		return table.Type{ID: table.Struct, Fields: castFields(t.Fields)}
	}
	return table.Of(table.Varchar)
}

func castFields(fields []table.Field) []table.Field {
	out := make([]table.Field, len(fields))
	for i, f := range fields {
		out[i] = table.Field{Name: f.Name, Type: ClientCast(f.Type)}
	}
	return out
}

// NeedsCast reports whether a value of type t must be cast by SQL before the kernel can copy it for a client. An alias alone
// needs no cast: the layout underneath is the same.
func NeedsCast(t table.Type) bool {
	cast := ClientCast(t)
	if cast.ID != t.ID {
		return true
	}
	for i, f := range t.Fields {
		if i >= len(cast.Fields) || NeedsCast(f.Type) {
			return true
		}
	}
	return false
}
