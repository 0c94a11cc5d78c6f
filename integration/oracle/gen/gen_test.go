package gen

import (
	"strings"
	"testing"
)

func TestSeedDecidesEverything(t *testing.T) {
	texts := func() string {
		var b strings.Builder
		tables := NewTables(7, "x_")
		for _, table := range tables {
			for _, row := range table.Rows {
				b.WriteString(strings.Join(row, ","))
			}
		}
		g := New(7, tables)
		for range 200 {
			c := g.Case()
			b.WriteString(c.Want.String() + c.Have.String())
		}
		return b.String()
	}
	if first, second := texts(), texts(); first != second {
		t.Error("the same seed gave two different runs")
	}
}

// Shrinking keeps what fails and drops all else.
func TestShrinkFindsTheCore(t *testing.T) {
	tables := NewTables(3, "x_")
	found := 0
	for g, i := New(3, tables), 0; i < 300; i++ {
		c := g.Case()
		fails := func(c Case) bool { return strings.Contains(c.Have.String(), " FULL JOIN ") }
		if !fails(c) {
			continue
		}
		found++
		small := Shrink(c, 5000, fails)
		if !fails(small) {
			t.Fatalf("shrunk away what fails: %s", small.Have)
		}
		if before, after := c.Have.size(), small.Have.size(); after > 20 && after > before/2 {
			t.Errorf("from %d to %d leaves only: %s", before, after, small.Have)
		}
	}
	if found == 0 {
		t.Error("no case had a full join")
	}
}
