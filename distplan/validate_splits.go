package distplan

import (
	"fmt"

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
