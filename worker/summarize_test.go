package worker

import (
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
)

// summaryOf gives the summary of a column, of batches in Arrow's JSON.
func summaryOf(t *testing.T, typ string, batches ...string) (table.Summary, bool) {
	t.Helper()
	parsed, err := table.ParseType(typ)
	if err != nil {
		t.Fatal(err)
	}
	s := newSummarizer([]table.Column{{Type: table.Of(table.Boolean)}, {Type: parsed}}, []uint32{0, 1, 7})
	if s == nil {
		return table.Summary{}, false
	}
	for _, text := range batches {
		column, _, err := array.FromJSON(memory.DefaultAllocator, arrowtype.WireType(parsed), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		schema := arrow.NewSchema([]arrow.Field{{Name: "c0", Type: column.DataType()}, {Name: "c1", Type: column.DataType()}}, nil)
		batch := array.NewRecordBatch(schema, []arrow.Array{column, column}, int64(column.Len()))
		s.add(batch)
		batch.Release()
		column.Release()
	}
	summary, known := s.summaries()[1]
	return summary, known
}

func TestSummaries(t *testing.T) {
	numbers := func(all ...int64) (s table.Summary) {
		for _, n := range all {
			s.Values = append(s.Values, table.Value{Number: n})
		}
		return s
	}
	for _, c := range []struct {
		typ     string
		batches []string
		want    table.Summary
		unknown bool
	}{
		{"BIGINT", nil, table.Summary{}, false},
		{"BIGINT", []string{"[null, null]"}, table.Summary{}, false},
		{"BIGINT", []string{"[3, null, -4, 3]", "[]", "[null, 0]"}, numbers(-4, 0, 3), false},
		{"UINTEGER", []string{"[4294967295, 0]"}, numbers(0, 4294967295), false},
		{"DECIMAL(9,2)", []string{"[-150, 25]"}, numbers(-150, 25), false},
		{"DATE", []string{`["1970-01-02", "1969-12-31"]`}, numbers(-1, 1), false},
		{"VARCHAR", []string{`["b", null, "", "a", "b"]`}, table.Summary{Values: []table.Value{{}, {Text: "a"}, {Text: "b"}}}, false},
		{"VARCHAR", []string{`["b"]`, `["` + strings.Repeat("x", table.SummaryTextBytesMax+1) + `"]`}, table.Summary{}, true},
		{"UBIGINT", []string{"[1]"}, table.Summary{}, true},
		{"DOUBLE", nil, table.Summary{}, true},
	} {
		got, known := summaryOf(t, c.typ, c.batches...)
		if known == c.unknown || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %v: %v (known %t), not %v", c.typ, c.batches, got, known, c.want)
		}
	}
}

// One value more than may be listed, in one batch or in several, leaves the range; later values widen it.
func TestSummaryOfMany(t *testing.T) {
	list := func(from, until int, format func(int) string) string {
		var all []string
		for i := from; i < until; i++ {
			all = append(all, format(i))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	number := func(i int) string {
		return string(append([]byte("-"), []byte{byte('1' + i/100), byte('0' + i/10%10), byte('0' + i%10)}...))
	}
	text := func(i int) string { return `"k` + number(i) + `"` }
	for _, c := range []struct {
		typ             string
		format          func(int) string
		least, greatest table.Value
	}{
		{"INTEGER", number, table.Value{Number: -399}, table.Value{Number: -100}},
		{"VARCHAR", text, table.Value{Text: "k-100"}, table.Value{Text: "k-399"}},
	} {
		want := table.Summary{Values: []table.Value{c.least, c.greatest}, Range: true}
		for _, batches := range [][]string{
			{list(0, 300, c.format)},
			{list(100, 200, c.format), list(0, 100, c.format), list(200, 300, c.format)},
		} {
			if got, known := summaryOf(t, c.typ, batches...); !known || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v (known %t), not %v", c.typ, got, known, want)
			}
		}
		exact := []string{list(0, 100, c.format), list(50, table.SummaryValuesMax, c.format)}
		if got, _ := summaryOf(t, c.typ, exact...); got.Range || len(got.Values) != table.SummaryValuesMax {
			t.Errorf("%s: %d values, range %t", c.typ, len(got.Values), got.Range)
		}
	}
}
