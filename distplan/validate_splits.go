package distplan

import (
	"fmt"
	"sort"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// validateSplits checks that the splits of a scan are its units, each once, in order, but for those that are skipped.
func validateSplits(s *ScanInput) error {
	if s.Skip != nil && len(s.Skip) != table.CountUnits(s.Table) {
		return fmt.Errorf("scan of %s: %d of %d units are marked", s.Table.Name, len(s.Skip), table.CountUnits(s.Table))
	}
	left := s.Splits
	row := int64(-1) // the row of the first split left where the next unit must begin, < 0 at the start of a split
	at := 0
	for i := range s.Table.Files {
		f := &s.Table.Files[i]
		for g := range f.Units() {
			skip := s.Skip != nil && s.Skip[at]
			at++
			if len(left) == 0 {
				if skip {
					continue
				}
				return fmt.Errorf("scan of %s: splits end before file %d of %d, unit %d", s.Table.Name, i, len(s.Table.Files), g)
			}
			split := left[0]
			first, rows := int64(0), f.Rows
			if len(f.RowGroups) > 0 {
				first, rows = f.RowGroups[g].FirstRow, f.RowGroups[g].Rows
			}
			end := first + rows
			if split.File != f || row < 0 && !split.Whole() && (split.FirstRow > first && rows == 0 || split.FirstRow >= end && rows > 0) {
				if skip {
					continue
				}
				return fmt.Errorf("scan of %s: split %d is not of file %d, unit %d", s.Table.Name, len(s.Splits)-len(left), i, g)
			}
			from, until := split.FirstRow, split.FirstRow+split.Rows
			if split.Whole() {
				from, until = 0, f.Rows
			}
			if row < 0 {
				row = from
			}
			if skip || row != first || until < end || rows > 0 && split.Rows == 0 {
				return fmt.Errorf("scan of %s: split %d begins at row %d or ends at %d, not as unit %d of file %d", s.Table.Name,
					len(s.Splits)-len(left), row, until, g, i)
			}
			if row = end; row == until && (!split.Whole() || g == f.Units()-1) {
				left, row = left[1:], -1
			}
		}
		if row >= 0 {
			return fmt.Errorf("scan of %s: a split of file %d ends beyond its rows", s.Table.Name, i)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("scan of %s: splits end in a file that is no file left", s.Table.Name)
	}
	return nil
}

// validateRanges checks a scan that is divided by ranges: the cuts ascend and can be said in SQL, and each split says of all
// of its row groups in which ranges their rows may be.
func validateRanges(s *ScanInput) error {
	if s.By == nil {
		if s.Spans != nil {
			return fmt.Errorf("scan of %s has spans without ranges", s.Table.Name)
		}
		return nil
	}
	r := s.By.Ranges
	if s.Replicated || len(s.Spans) != len(s.Splits) || s.By.Column < 0 || s.By.Column >= len(s.Columns) || s.Columns[s.By.Column] < 0 ||
		len(r.Weights) != r.Count() {
		return fmt.Errorf("scan of %s: %d spans of %d splits by column %d of %d in %d ranges", s.Table.Name, len(s.Spans), len(s.Splits),
			s.By.Column, len(s.Columns), len(r.Weights))
	}
	column := s.Columns[s.By.Column]
	if t := s.Table.Columns[column].Type; !t.Equal(r.Type) || !t.Ordered() {
		return fmt.Errorf("scan of %s: a column of type %s in ranges of %s", s.Table.Name, t.SQL(), r.Type.SQL())
	}
	for i, c := range r.Cuts {
		if _, ok := c.SQL(r.Type); !ok || i > 0 && r.Cuts[i-1].Compare(c) >= 0 {
			return fmt.Errorf("scan of %s: cut %d is out of order or unprintable", s.Table.Name, i)
		}
	}
	for i, split := range s.Splits {
		f := split.File
		for g := firstUnit(split); g < f.Units(); g++ {
			if len(f.RowGroups) > 0 && !split.Whole() && f.RowGroups[g].FirstRow >= split.FirstRow+split.Rows {
				break
			}
			want, got := spanOf(r, f.Zone(column).At(g)), s.Spans[i]
			if got.First > want.First || got.Last < want.Last || want.Nulls && !got.Nulls {
				return fmt.Errorf("scan of %s: split %d may hold rows of ranges %d to %d", s.Table.Name, i, want.First, want.Last)
			}
		}
	}
	return nil
}

// firstUnit is the first unit of its file that a split reads.
func firstUnit(s table.Split) int {
	if s.Whole() {
		return 0
	}
	return sort.Search(len(s.File.RowGroups), func(g int) bool { return s.File.RowGroups[g].FirstRow >= s.FirstRow })
}
