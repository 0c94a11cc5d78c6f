package distplan

import (
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/distplan/plantest"
)

func TestEstimates(t *testing.T) {
	made, err := plantest.Table(plantest.Spec{Name: "t", Columns: "k BIGINT, i INTEGER, s VARCHAR, u VARCHAR", Files: 1, GroupsPerFile: 1, RowsPerGroup: 1000})
	if err != nil {
		t.Fatal(err)
	}
	made.Stats = make([]table.ColumnStats, len(made.Columns))
	made.Stats[2].UncompressedBytes = 32_000 // 32 bytes a text; nothing is known of u
	tables := map[string]*table.Table{"t": made}
	const left, right = "\n  scan t (k, i)", "\n  filter i > 1\n    scan t (k, i)"
	for _, c := range []struct {
		tree        string
		rows, bytes float64
	}{
		{"scan t (k, i)", 1000, 1000 * 12},
		{"scan t (k, s)", 1000, 1000 * (8 + stringHeader + 32)},
		{"scan t (u)", 1000, 1000 * 24},
		{"scan t (k) rows=7", 7, 7 * 8},
		{"filter k > 1 -> (i)\n  scan t (k, i)", 200, 200 * 4},
		{"filter k > 1 rows=3\n  scan t (k)", 3, 3 * 8},
		{"project s, k + 1\n  scan t (k, s)", 1000, 1000 * (stringHeader + 32 + 8)},
		{"aggregate agg=(count(*), max(i))\n  scan t (k, i)", 1, 12},
		{"aggregate group=(s) agg=(count(*))\n  scan t (s)", 250, 250 * (stringHeader + 32 + 8)},
		{"top 5 by=(k)\n  scan t (k)", 5, 5 * 8},
		{"limit 5000\n  scan t (k)", 1000, 1000 * 8},
		{"join inner on=(k = k)" + left + right, 1000, 1000 * 24},
		{"join inner on=(k < k)" + left + right, 200_000, 200_000 * 24},
		{"join left on=(k = k) -> (k) right-> ()" + right + left, 1000, 1000 * 8},
		{"join full on=(k = k)" + left + right, 1200, 1200 * 24},
		{"join semi on=(k = k)" + left + right, 500, 500 * 12},
		{"join right_anti on=(k = k)" + left + right, 100, 100 * 12},
		{"join mark on=(k = k)" + left + right, 1000, 1000 * 13},
		{"cross" + left + right, 200_000, 200_000 * 24},
		{"union all\n  scan t (k)\n  scan t (k)", 2000, 2000 * 8},
		{"except\n  scan t (k)\n  scan t (k)", 1000, 1000 * 8},
		{"empty (a BIGINT)", 0, 0},
		{"dummy", 1, 1},
	} {
		tree := plantest.MustTree(c.tree, tables)
		var s sizes
		if rows, bytes := s.rows(tree), s.bytes(tree); rows != c.rows || bytes != c.bytes {
			t.Errorf("%s\n%v rows of %v bytes, want %v of %v", c.tree, rows, bytes, c.rows, c.bytes)
		}
	}
}

// A split operator keeps the estimate of the whole: the guess is not made twice.
func TestEstimateOfPlacedOperators(t *testing.T) {
	made, err := plantest.Table(plantest.Spec{Name: "t", Columns: "k BIGINT", Files: 2, GroupsPerFile: 1, RowsPerGroup: 1000})
	if err != nil {
		t.Fatal(err)
	}
	tree := plantest.MustTree("distinct\n  scan t (k)", map[string]*table.Table{"t": made})
	d := distributor{opts: Options{}.withDefaults()}
	if p := d.place(tree); d.sizes.rows(p.node) != 500 {
		t.Errorf("%v rows", d.sizes.rows(p.node))
	}
}

func TestDelivered(t *testing.T) {
	p := hashedBy([][]int{{3, 5}, {4}}, 8)
	if !p.lies([]int{5, 4}, 8) || !p.lies([]int{3, 4}, 8) || p.lies([]int{4, 3}, 8) || p.lies([]int{3, 4}, 7) || p.lies([]int{3}, 8) {
		t.Errorf("lies: %+v", p)
	}
	if !p.together([]int{9, 4, 5}) || p.together([]int{3, 5}) || p.together(nil) {
		t.Errorf("together: %+v", p)
	}
	kept := p.through(func(c int) int { return map[int]int{5: 0, 4: 1, 3: -1}[c] })
	if !kept.lies([]int{0, 1}, 8) {
		t.Errorf("through: %+v", kept)
	}
	if gone := p.through(func(c int) int { return c - 5 }); gone.partitioning != arbitrary {
		t.Errorf("a key is gone, and still %+v", gone)
	}
	if !(delivered{}).together(nil) || (delivered{partitioning: arbitrary}).together([]int{0}) {
		t.Error("together of one task, or of none in particular")
	}
}

// The side of which no row comes into the result by itself may repeat, and no other.
func TestMayRepeat(t *testing.T) {
	for kind, want := range map[operator.JoinKind][2]bool{ // left, right
		operator.Inner: {true, true}, operator.Left: {false, true}, operator.Right: {true, false}, operator.Full: {},
		operator.Semi: {false, true}, operator.Anti: {false, true}, operator.RightSemi: {true, false}, operator.RightAnti: {true, false},
		operator.Mark: {false, true}, operator.Single: {false, true}, "NEW": {},
	} {
		if got := [2]bool{mayRepeat(kind, true), mayRepeat(kind, false)}; got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}
