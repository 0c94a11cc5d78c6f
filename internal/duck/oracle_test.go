package duck

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	bindings "github.com/duckdb/duckdb-go-bindings"
)

// exportedArrow runs a statement in another DuckDB and gives its rows as DuckDB's own Arrow export writes them.
func exportedArrow(t *testing.T, sql string) []arrow.RecordBatch {
	t.Helper()
	var db bindings.Database
	if bindings.Open("", &db) != bindings.StateSuccess {
		t.Fatal("open the reference database")
	}
	defer bindings.Close(&db)
	var conn bindings.Connection
	bindings.Connect(db, &conn)
	defer bindings.Disconnect(&conn)
	var zone, res bindings.Result
	bindings.Query(conn, "SET TimeZone = 'UTC'", &zone)
	bindings.DestroyResult(&zone)
	if bindings.Query(conn, sql, &res) != bindings.StateSuccess {
		t.Fatal(bindings.ResultError(&res))
	}
	defer bindings.DestroyResult(&res)
	options := bindings.ResultGetArrowOptions(&res)
	defer bindings.DestroyArrowOptions(&options)
	schema := exportedSchema(t, &res, options)
	var out []arrow.RecordBatch
	for {
		chunk := bindings.FetchChunk(res)
		if chunk.Ptr == nil {
			return out
		}
		rec, fault := bindings.DataChunkToArrowArray(options, schema, chunk)
		if rec == nil {
			t.Fatal(bindings.ErrorDataMessage(fault))
		}
		bindings.DestroyErrorData(&fault)
		bindings.DestroyDataChunk(&chunk)
		out = append(out, rec)
	}
}

func exportedSchema(t *testing.T, res *bindings.Result, options bindings.ArrowOptions) *arrow.Schema {
	t.Helper()
	var types []bindings.LogicalType
	var names []string
	for i := range bindings.ColumnCount(res) {
		types = append(types, bindings.ColumnLogicalType(res, i))
		names = append(names, bindings.ColumnName(res, i))
	}
	schema, fault := bindings.NewArrowSchema(options, types, names)
	if schema == nil {
		t.Fatal(bindings.ErrorDataMessage(fault))
	}
	bindings.DestroyErrorData(&fault)
	for i := range types {
		bindings.DestroyLogicalType(&types[i])
	}
	return schema
}

// column reads one column of a list of batches row by row.
type column struct {
	arrays []arrow.Array
	at     int
}

func columnOf(batches []arrow.RecordBatch, i int) *column {
	c := &column{}
	for _, b := range batches {
		c.arrays = append(c.arrays, b.Column(i))
	}
	return c
}

// next gives the array and row of the next value.
func (c *column) next() (arrow.Array, int) {
	for c.at >= c.arrays[0].Len() {
		c.arrays, c.at = c.arrays[1:], 0
	}
	c.at++
	return c.arrays[0], c.at - 1
}

// equalValues compares two values of one type, nested ones in depth. Names of list items differ between writers and do not
// matter; leaf types and their bytes do.
func equalValues(a arrow.Array, i int, b arrow.Array, j int) bool {
	if a.IsNull(i) || b.IsNull(j) {
		return a.IsNull(i) && b.IsNull(j)
	}
	switch x := a.(type) {
	case array.ListLike:
		y, ok := b.(array.ListLike)
		if !ok || a.DataType().ID() != b.DataType().ID() {
			return false
		}
		s, e := x.ValueOffsets(i)
		u, v := y.ValueOffsets(j)
		for k := range e - s {
			if v-u != e-s || !equalValues(x.ListValues(), int(s+k), y.ListValues(), int(u+k)) {
				return false
			}
		}
		return v-u == e-s
	case *array.Struct:
		y, ok := b.(*array.Struct)
		if !ok || x.NumField() != y.NumField() {
			return false
		}
		for k := range x.NumField() {
			if !equalValues(x.Field(k), i, y.Field(k), j) {
				return false
			}
		}
		return true
	}
	return arrow.TypeEqual(a.DataType(), b.DataType()) && bytes.Equal(leafBytes(a, i), leafBytes(b, j))
}

// leafBytes gives the bytes of a value that is not nested.
func leafBytes(a arrow.Array, i int) []byte {
	switch x := a.(type) {
	case *array.Boolean:
		if x.Value(i) {
			return []byte{1}
		}
		return []byte{0}
	case *array.String:
		return []byte(x.Value(i))
	case *array.Binary:
		return x.Value(i)
	}
	width := a.DataType().(arrow.FixedWidthDataType).Bytes()
	at := (a.Data().Offset() + i) * width
	return a.Data().Buffers()[1].Bytes()[at : at+width]
}
