package planjson

import (
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// nested prints lists, arrays, structs, maps and unions, whose elements are constants themselves.
func nested(v *rawValue, t table.Type) (string, error) {
	var data struct {
		Children []*rawValue `json:"children"`
	}
	if err := strict(v.Value, &data); err != nil {
		return "", unread("a constant of type %s: %v", t.ID, err)
	}
	if !nameable(t) {
		return "", unread("a constant of a type with unnamed members")
	}
	items := make([]string, len(data.Children))
	for i, c := range data.Children {
		if t.ID == table.Map {
			entry, err := mapEntry(c)
			if err != nil {
				return "", err
			}
			items[i] = entry
			continue
		}
		e, err := constant(c)
		if err != nil {
			return "", err
		}
		items[i] = e.(*expr.Const).SQL //nolint:forcetypeassert // constant gives nothing else.
	}
	switch t.ID {
	case table.List, table.Array:
		return castTo("["+strings.Join(items, ", ")+"]", t), nil
	case table.Map:
		return castTo("MAP {"+strings.Join(items, ", ")+"}", t), nil
	case table.Struct:
		if len(items) != len(t.Fields) {
			return "", unread("a struct of %d values for %d members", len(items), len(t.Fields))
		}
		for i, f := range t.Fields {
			items[i] = table.Quote(f.Name) + " := " + items[i]
		}
		return castTo("struct_pack("+strings.Join(items, ", ")+")", t), nil
	}
	return union(data.Children, items, t)
}

func mapEntry(v *rawValue) (string, error) {
	var data struct {
		Children []*rawValue `json:"children"`
	}
	if v == nil || v.IsNull || strict(v.Value, &data) != nil || len(data.Children) != 2 {
		return "", unread("an entry of a map that is no pair")
	}
	key, err := constant(data.Children[0])
	if err != nil {
		return "", err
	}
	value, err := constant(data.Children[1])
	if err != nil {
		return "", err
	}
	return key.(*expr.Const).SQL + ": " + value.(*expr.Const).SQL, nil //nolint:forcetypeassert // See nested.
}

// union prints the member that the tag names.
func union(children []*rawValue, items []string, t table.Type) (string, error) {
	if len(children) != len(t.Fields)+1 || children[0] == nil {
		return "", unread("a union of %d values for %d members", len(children), len(t.Fields))
	}
	tag, err := strconv.Atoi(string(children[0].Value))
	if err != nil || tag < 0 || tag >= len(t.Fields) {
		return "", unread("a union without its tag")
	}
	return castTo("union_value("+table.Quote(t.Fields[tag].Name)+" := "+items[tag+1]+")", t), nil
}
