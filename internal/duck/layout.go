package duck

/*
#include "layout.h"
*/
import "C"

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
)

// widths are the types whose values are copied as they are, with the bytes of one value in DuckDB's vectors.
var widths = map[table.TypeID]uint8{
	table.TinyInt: 1, table.UTinyInt: 1, table.SmallInt: 2, table.USmallInt: 2,
	table.Integer: 4, table.UInteger: 4, table.Float: 4, table.Date: 4, table.Null: 4,
	table.BigInt: 8, table.UBigInt: 8, table.Double: 8, table.Time: 8, table.TimeNS: 8, table.TimeTZ: 8,
	table.Timestamp: 8, table.TimestampS: 8, table.TimestampMS: 8, table.TimestampNS: 8, table.TimestampTZ: 8,
	table.HugeInt: 16, table.UHugeInt: 16, table.UUID: 16,
}

// clientLayout is the layout in which columns are copied for a client, after their casts.
func clientLayout(cols []table.Column) []C.ab_node {
	var l layouter
	l.client = true
	for _, c := range cols {
		l.add(arrowtype.ClientCast(c.Type))
	}
	return l.nodes
}

// wireLayout is the layout in which columns travel between workers.
func wireLayout(types []table.Type) []C.ab_node {
	var l layouter
	for _, t := range types {
		l.add(t)
	}
	return l.nodes
}

// layouter lists the nodes of types in preorder.
type layouter struct {
	nodes  []C.ab_node
	client bool
}

func (l *layouter) add(t table.Type) {
	at := len(l.nodes)
	l.nodes = append(l.nodes, C.ab_node{})
	node := C.ab_node{kind: C.AB_BYTES}
	switch t.ID {
	case table.Boolean:
		node.kind = C.AB_BOOL
	case table.Decimal:
		node.kind, node.width = C.AB_FIXED, C.uint8_t(arrowtype.DecimalBytes(t.Width))
		if l.client && node.width < 16 {
			node.kind = C.AB_DECIMAL
		}
	case table.Enum:
		node.kind, node.width = C.AB_FIXED, C.uint8_t(arrowtype.EnumBytes(len(t.Labels)))
	case table.Interval:
		node.kind, node.width = C.AB_FIXED, 16
		if l.client {
			node.kind = C.AB_INTERVAL
		}
	case table.List:
		node.kind = C.AB_LIST
		l.children(&node, t.Fields)
	case table.Map:
		node.kind = C.AB_LIST
		l.children(&node, []table.Field{{Type: table.Type{ID: table.Struct, Fields: t.Fields}}})
	case table.Array:
		node.kind, node.size = C.AB_ARRAY, C.uint32_t(t.Size)
		l.children(&node, t.Fields)
	case table.Struct:
		node.kind = C.AB_STRUCT
		l.children(&node, t.Fields)
	case table.Union:
		node.kind = C.AB_STRUCT
		l.children(&node, append([]table.Field{{Type: table.Of(table.UTinyInt)}}, t.Fields...))
	case arrowtype.Variant:
		node.kind = C.AB_STRUCT
		l.children(&node, arrowtype.VariantFields())
	default:
		if w, ok := widths[t.ID]; ok {
			node.kind, node.width = C.AB_FIXED, C.uint8_t(w)
		}
	}
	node.nodes = C.uint32_t(len(l.nodes) - at)
	l.nodes[at] = node
}

func (l *layouter) children(node *C.ab_node, fields []table.Field) {
	node.children = C.uint32_t(len(fields))
	for _, f := range fields {
		l.add(f.Type)
	}
}
