package flightserver

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Arrays of the type null have no buffers, alone and in lists; they are read. A list whose offsets lie is not.
func TestCheckBatch(t *testing.T) {
	nulls := array.NewData(arrow.Null, 3, nil, nil, 3, 0)
	defer nulls.Release()
	lists := func(offsets ...int32) arrow.ArrayData {
		buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets))}
		return array.NewData(arrow.ListOf(arrow.Null), 2, buffers, []arrow.ArrayData{nulls}, 0, 0)
	}
	for name, c := range map[string]struct {
		data arrow.ArrayData
		good bool
	}{
		"nulls":                {array.NewData(arrow.Null, 3, nil, nil, 3, 0), true},
		"lists of nulls":       {lists(0, 1, 3), true},
		"lists beyond the end": {lists(0, 1, 4), false},
		"lists that go back":   {lists(0, 2, 1), false},
	} {
		column := array.MakeFromData(c.data)
		batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "p", Type: c.data.DataType(), Nullable: true}}, nil),
			[]arrow.Array{column}, int64(c.data.Len()))
		if err := checkBatch(batch); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		batch.Release()
		column.Release()
		c.data.Release()
	}
}
