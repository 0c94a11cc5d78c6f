package distplan

import (
	"math"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// Guesses where neither the frontend nor the catalog knows better. They err towards more rows: a broadcast that turns out
// large costs more than an exchange that turns out small.
const (
	// filterKeeps is the share of rows that a condition keeps; DuckDB guesses the same.
	filterKeeps = 0.2
	// groupsPerRow is how many groups a row makes.
	groupsPerRow = 0.25
	// matchShare is the share of rows that a semi or anti join keeps.
	matchShare = 0.5
	// rowsUnknown stands for the output of operators that nothing is known of.
	rowsUnknown = 1e6
	// stringHeader is what a text costs beside its bytes, in Arrow and in DuckDB's vectors, in the mean.
	stringHeader = 8
)

// sizes estimates the output of operators, remembering what it found: a tree is asked about from many places.
//
// Rows are the frontend's estimate, or by the operator:
//
//	scan: the rows of units that are read      filter: child × filterKeeps, never more than the child
//	aggregate: 1 without groups, else child × groupsPerRow; distinct likewise
//	top, limit: min(limit, child)              order, window, project, exchange: child
//	inner join: max(left, right) with an equality, else left × right; left: at least left; right, full likewise
//	semi, anti: left × matchShare (right for those of the right); mark, single: left
//	union: the sum; intersect, except: the first input
//
// Bytes of a row are summed over its columns: a fixed-width value has its width; a text has stringHeader and the mean
// length in the column's uncompressed pages where it comes from a table whose footers tell, else the guess of rowBytes.
type sizes struct {
	rowsOf   map[operator.Node]float64
	widthsOf map[operator.Node][]float64
	valuesIn map[columnOf]float64 // see distinctMax
}

// bytes of the whole output.
func (s *sizes) bytes(n operator.Node) float64 {
	var row float64
	for _, w := range s.widths(n) {
		row += w
	}
	return s.rows(n) * max(row, 1)
}

func (s *sizes) rows(n operator.Node) float64 {
	if rows, ok := s.rowsOf[n]; ok {
		return rows
	}
	rows := n.Estimate()
	if rows < 0 || math.IsNaN(rows) {
		rows = s.guess(n)
	}
	switch n := n.(type) {
	case *operator.Scan:
		rows = min(rows, float64(scanRows(n)))
	case *operator.Filter:
		rows = min(rows, s.rows(n.Child)) // the frontend does not know what was pruned
	}
	s.set(n, rows)
	return rows
}

// set says what is known of n.
func (s *sizes) set(n operator.Node, rows float64) {
	if s.rowsOf == nil {
		s.rowsOf = map[operator.Node]float64{}
	}
	s.rowsOf[n] = rows
}

func (s *sizes) guess(n operator.Node) float64 {
	switch n := n.(type) {
	case *operator.Scan:
		return float64(scanRows(n))
	case *operator.Values:
		return float64(len(n.Rows))
	case *operator.Empty:
		return 0
	case *operator.Dummy:
		return 1
	case *operator.Filter:
		return s.rows(n.Child) * filterKeeps
	case *operator.Aggregate:
		if len(n.Groups) == 0 {
			return 1
		}
		return max(1, s.rows(n.Child)*groupsPerRow)
	case *operator.Distinct:
		return max(1, s.rows(n.Child)*groupsPerRow)
	case *operator.TopN:
		return head(s.rows(n.Child), n.Limit)
	case *operator.Limit:
		return head(s.rows(n.Child), n.Limit)
	case *operator.Join:
		return s.joined(n)
	case *operator.DelimJoin:
		return s.joined(&n.Join)
	case *operator.Cross:
		return s.rows(n.Left) * s.rows(n.Right)
	case *operator.SetOp:
		if n.Kind != operator.Union {
			return s.rows(n.Inputs[0])
		}
		var sum float64
		for _, in := range n.Inputs {
			sum += s.rows(in)
		}
		return sum
	case *operator.CTE:
		return s.rows(n.Body)
	case *operator.SharedRead:
		return s.rows(n.Share.Child)
	}
	if children := n.Children(); len(children) == 1 {
		return s.rows(children[0])
	}
	return rowsUnknown
}

func (s *sizes) joined(n *operator.Join) float64 {
	left, right := s.rows(n.Left), s.rows(n.Right)
	switch n.Kind {
	case operator.Semi, operator.Anti:
		return left * matchShare
	case operator.RightSemi, operator.RightAnti:
		return right * matchShare
	case operator.Mark, operator.Single:
		return left
	}
	matches := left * right
	for _, c := range n.Conditions {
		if c.Op == expr.Equal || c.Op == expr.NotDistinctFrom {
			matches = max(left, right)
		}
	}
	switch n.Kind {
	case operator.Left:
		return max(matches, left)
	case operator.Right:
		return max(matches, right)
	case operator.Full:
		return max(matches, left+right)
	}
	return matches
}

func head(rows float64, limit int64) float64 {
	if limit < 0 {
		return rows
	}
	return min(rows, float64(limit))
}

// widths are the bytes of each output column.
func (s *sizes) widths(n operator.Node) []float64 {
	if widths, ok := s.widthsOf[n]; ok {
		return widths
	}
	widths := s.columnWidths(n)
	if s.widthsOf == nil {
		s.widthsOf = map[operator.Node][]float64{}
	}
	s.widthsOf[n] = widths
	return widths
}

func (s *sizes) columnWidths(n operator.Node) []float64 {
	switch n := n.(type) {
	case *operator.Scan:
		return scanWidths(n)
	case *operator.Filter:
		return pickWidths(s.widths(n.Child), n.Project)
	case *operator.Order:
		return pickWidths(s.widths(n.Child), n.Project)
	case *operator.Project:
		return exprWidths(n.Exprs, s.widths(n.Child))
	case *operator.Aggregate:
		groups := exprWidths(n.Groups, s.widths(n.Child))
		return append(groups, typeWidths(n.Types()[len(groups):])...)
	case *operator.Window:
		below := s.widths(n.Child)
		return append(append([]float64(nil), below...), typeWidths(n.Types()[len(below):])...)
	case *operator.Join:
		return s.joinWidths(n)
	case *operator.DelimJoin:
		return s.joinWidths(&n.Join)
	case *operator.Cross:
		return append(append([]float64(nil), s.widths(n.Left)...), s.widths(n.Right)...)
	case *operator.CTE:
		return s.widths(n.Body)
	case *operator.SharedRead:
		return s.widths(n.Share.Child)
	case *operator.Distinct, *operator.TopN, *operator.Limit, *operator.Exchange, *operator.SetOp:
		return s.widths(n.Children()[0])
	}
	return typeWidths(n.Types())
}

func (s *sizes) joinWidths(n *operator.Join) []float64 {
	left := pickWidths(s.widths(n.Left), n.LeftProject)
	right := pickWidths(s.widths(n.Right), n.RightProject)
	switch n.Kind {
	case operator.Semi, operator.Anti:
		return left
	case operator.RightSemi, operator.RightAnti:
		return right
	case operator.Mark:
		return append(append([]float64(nil), left...), 1)
	}
	return append(append([]float64(nil), left...), right...)
}

// scanWidths reads the widths of a table's texts off its footers.
func scanWidths(n *operator.Scan) []float64 {
	widths := typeWidths(n.Types())
	for i, c := range n.Columns {
		if c < 0 || c >= len(n.Table.Stats) || n.Table.Rows <= 0 {
			continue
		}
		if id := n.Table.Columns[c].Type.ID; id != table.Varchar && id != table.Blob {
			continue
		}
		if stored := n.Table.Stats[c].UncompressedBytes; stored > 0 {
			widths[i] = stringHeader + float64(stored)/float64(n.Table.Rows)
		}
	}
	return widths
}

func exprWidths(list []expr.Expr, below []float64) []float64 {
	widths := make([]float64, len(list))
	for i, e := range list {
		if r, ok := e.(*expr.Ref); ok {
			widths[i] = below[r.Index]
			continue
		}
		widths[i] = rowBytes([]table.Type{e.Type()})
	}
	return widths
}

func typeWidths(types []table.Type) []float64 {
	widths := make([]float64, len(types))
	for i, t := range types {
		widths[i] = rowBytes([]table.Type{t})
	}
	return widths
}

func pickWidths(widths []float64, project []int) []float64 {
	picked := make([]float64, 0, len(widths))
	for _, c := range operator.Pick(project, len(widths)) {
		picked = append(picked, widths[c])
	}
	return picked
}
