package adapt_test

import (
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
	"github.com/arbalest-sql/arbalest/internal/adapt"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A stage is filtered by the values of all tasks of the other side, once each of them has told them.
func TestFilters(t *testing.T) {
	tables := map[string]*table.Table{}
	for _, name := range []string{"l", "r"} {
		made, err := plantest.Table(plantest.Spec{Name: name, Columns: name + "k BIGINT, " + name + "d DATE", Files: 3, GroupsPerFile: 2, RowsPerGroup: 10, BytesPerGroup: 10})
		if err != nil {
			t.Fatal(err)
		}
		tables[name] = made
	}
	tree := plantest.MustTree("join semi on=(lk = rk, ld = rd)\n  scan l (lk, ld)\n  scan r (rk, rd)\n", tables)
	st := distplan.Statement{Tree: tree, Columns: []table.Column{{Name: "k", Type: tree.Types()[0]}, {Name: "d", Type: tree.Types()[1]}}}
	p, err := distplan.Build(st, distplan.Options{Workers: 3, Partitions: 6, Distributed: distplan.Always, JoinStrategy: distplan.JoinExchange})
	if err != nil {
		t.Fatal(err)
	}
	list := func(numbers ...int64) (s table.Summary) {
		for _, n := range numbers {
			s.Values = append(s.Values, table.Value{Number: n})
		}
		return s
	}
	days := table.Summary{Range: true, Values: []table.Value{{Number: -1}, {Number: 1}}}
	const probe, build = ids.StageID(0), ids.StageID(1)
	for _, c := range []struct {
		name   string
		values []map[int]table.Summary // of each of the build side's tasks
		want   []string
	}{
		{"not finished", nil, nil},
		{"not told", []map[int]table.Summary{nil}, nil},
		{"told by one of two", []map[int]table.Summary{{0: list(1)}, {}}, nil},
		{"told by both", []map[int]table.Summary{{0: list(1, 2)}, {0: list(-2, 2)}}, []string{"filtered by 3 values of stage 1 in lk"}},
		{"both keys", []map[int]table.Summary{{0: list(5), 1: days}}, []string{"filtered by 1 value of stage 1 in lk",
			"filtered by CAST('1969-12-31' AS DATE) to CAST('1970-01-02' AS DATE) of stage 1 in ld"}},
	} {
		sizes := adapt.Sizes{}
		for _, values := range c.values {
			sizes[build] = append(sizes[build], adapt.Producer{Worker: "w1", Values: values})
		}
		next, notes := adapt.Filters(p, probe, sizes, 3)
		if (next == nil) != (len(c.want) == 0) || len(notes) != len(c.want) {
			t.Errorf("%s: %v", c.name, notes)
			continue
		}
		for i, n := range notes {
			if n.Kind != adapt.Filtered || n.Stage != probe || !strings.Contains(n.Text, c.want[i]) {
				t.Errorf("%s: %v, not %s", c.name, n, c.want[i])
			}
		}
	}
}
