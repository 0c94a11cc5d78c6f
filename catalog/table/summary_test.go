package table

import (
	"reflect"
	"testing"
)

func TestMerge(t *testing.T) {
	list := func(from, until int64) (s Summary) {
		for n := from; n < until; n++ {
			s.Values = append(s.Values, Value{Number: n})
		}
		return s
	}
	span := func(least, greatest int64) Summary {
		return Summary{Values: []Value{{Number: least}, {Number: greatest}}, Range: true}
	}
	for _, c := range []struct {
		name  string
		parts []Summary
		want  Summary
	}{
		{"no part", nil, Summary{}},
		{"only empty parts", []Summary{{}, {}}, Summary{}},
		{"lists", []Summary{list(-2, 1), {}, list(-1, 3)}, list(-2, 3)},
		{"a list in a range", []Summary{list(3, 5), span(-7, 9)}, span(-7, 9)},
		{"a list beyond a range", []Summary{span(1, 9), list(-3, 20)}, span(-3, 19)},
		{"as many as may be listed", []Summary{list(0, 100), list(100, SummaryValuesMax)}, list(0, SummaryValuesMax)},
		{"too many", []Summary{list(0, 100), list(100, SummaryValuesMax+1)}, span(0, SummaryValuesMax)},
	} {
		if got := Merge(c.parts); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, not %v", c.name, got, c.want)
		}
	}
}
