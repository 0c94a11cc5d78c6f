package planjson

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
)

// typeIDs are the ids as the plan spells them, where they differ from package table's.
var typeIDs = map[string]table.TypeID{
	"TIMESTAMP WITH TIME ZONE": table.TimestampTZ, "TIME WITH TIME ZONE": table.TimeTZ, "NULL": table.Null,
}

// plainTypes are the types without parameters.
var plainTypes = func() map[table.TypeID]bool {
	m := map[table.TypeID]bool{}
	for _, id := range []table.TypeID{table.Boolean, table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.HugeInt,
		table.UTinyInt, table.USmallInt, table.UInteger, table.UBigInt, table.UHugeInt, table.Float, table.Double, table.Varchar,
		table.Blob, table.Bit, table.BigNum, table.Date, table.Time, table.TimeNS, table.TimeTZ, table.Timestamp, table.TimestampS,
		table.TimestampMS, table.TimestampNS, table.TimestampTZ, table.Interval, table.UUID, table.Null} {
		m[id] = true
	}
	return m
}()

func typesOf(raw []rawType) ([]table.Type, error) {
	out := make([]table.Type, len(raw))
	for i := range raw {
		var err error
		if out[i], err = typeOf(&raw[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func typeOf(r *rawType) (table.Type, error) {
	if r == nil {
		return table.Type{}, unread("a type is missing")
	}
	id, ok := typeIDs[r.ID]
	if !ok {
		id = table.TypeID(r.ID)
	}
	i := r.Info
	if i == nil {
		if !plainTypes[id] {
			return table.Type{}, unread("type %s", r.ID)
		}
		return table.Of(id), nil
	}
	if i.Collation != "" {
		return table.Type{}, unread("a collation")
	}
	if len(i.ExtensionInfo) > 0 && string(i.ExtensionInfo) != "null" {
		return table.Type{}, unread("type %s of an extension", r.ID)
	}
	t := table.Type{ID: id, Alias: i.Alias}
	var err error
	switch {
	case plainTypes[id] && (i.Type == "GENERIC_TYPE_INFO" || i.Type == "STRING_TYPE_INFO"):
	case id == table.Decimal && i.Type == "DECIMAL_TYPE_INFO" && i.Width >= 1 && i.Width <= 38 && i.Scale <= i.Width:
		t.Width, t.Scale = i.Width, i.Scale
	case id == table.Enum && i.Type == "ENUM_TYPE_INFO" && len(i.Values) > 0:
		t.Labels = i.Values
	case (id == table.List && i.Type == "LIST_TYPE_INFO") || (id == table.Array && i.Type == "ARRAY_TYPE_INFO" && i.Size > 0):
		t.Size = i.Size
		t.Fields = make([]table.Field, 1)
		t.Fields[0].Type, err = typeOf(i.ChildType)
	case id == table.Map && i.Type == "LIST_TYPE_INFO":
		return mapOf(i)
	case id == table.Struct && i.Type == "STRUCT_TYPE_INFO" && len(i.ChildTypes) > 0:
		t.Fields, err = members(i.ChildTypes)
	case id == table.Union && i.Type == "STRUCT_TYPE_INFO" && len(i.ChildTypes) > 1:
		t.Fields, err = members(i.ChildTypes[1:]) // The first is the tag.
	default:
		return table.Type{}, unread("type %s with %s", r.ID, i.Type)
	}
	return t, err
}

func members(raw []rawMember) ([]table.Field, error) {
	fields := make([]table.Field, len(raw))
	for k := range raw {
		t, err := typeOf(&raw[k].Second)
		if err != nil {
			return nil, err
		}
		fields[k] = table.Field{Name: raw[k].First, Type: t}
	}
	return fields, nil
}

// mapOf reads a MAP, a list of key and value structs underneath.
func mapOf(i *rawTypeInfo) (table.Type, error) {
	entry, err := typeOf(i.ChildType)
	if err != nil {
		return table.Type{}, err
	}
	if entry.ID != table.Struct || len(entry.Fields) != 2 {
		return table.Type{}, unread("a MAP of %s", entry.ID)
	}
	entry.Fields[0].Name, entry.Fields[1].Name = "key", "value"
	return table.Type{ID: table.Map, Fields: entry.Fields, Alias: i.Alias}, nil
}
