package adapt

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// Filters leaves out, before a stage starts, those rows of its scans that can match nothing in joins above, by the values that
// stages on the other sides of those joins gave. It returns no plan when there is nothing to leave out. Which rows that may
// be says distplan.RuntimeFilters.
func Filters(p *distplan.Plan, stage ids.StageID, sizes Sizes, workers int) (*distplan.Plan, []Note) {
	var narrowed *distplan.Plan
	var notes []Note
	for _, f := range distplan.RuntimeFilters(p) {
		if f.To != stage {
			continue
		}
		values, known := sizes.values(f.From, f.FromColumn)
		if !known {
			continue
		}
		current := p
		if narrowed != nil {
			current = narrowed
		}
		next, err := distplan.Narrow(current, f, values, workers)
		if next == nil || err != nil { // the plan that there is runs as well
			continue
		}
		narrowed = next
		notes = append(notes, Note{Kind: Filtered, Stage: stage, Text: filterText(next, f, values)})
	}
	return narrowed, notes
}

// values are those of a column of all that a stage gave; not known when one of its tasks has not said.
func (s Sizes) values(stage ids.StageID, column int) (table.Summary, bool) {
	var parts []table.Summary
	for i := range s[stage] {
		part, known := s[stage][i].Values[column]
		if !known {
			return table.Summary{}, false
		}
		parts = append(parts, part)
	}
	return table.Merge(parts), len(parts) > 0
}

// filterText tells people what a filter keeps.
func filterText(p *distplan.Plan, f distplan.RuntimeFilter, values table.Summary) string {
	scan := &p.Stages[f.To].Scans[f.Scan]
	column := scan.Table.Columns[scan.Columns[f.Column]]
	kept := "no value"
	if n := len(values.Values); n > 0 && values.Range {
		least, _ := values.Values[0].SQL(column.Type)
		greatest, _ := values.Values[1].SQL(column.Type)
		kept = fmt.Sprintf("%s to %s", least, greatest)
	} else if n == 1 {
		kept = "1 value"
	} else if n > 1 {
		kept = fmt.Sprintf("%d values", n)
	}
	splits := ""
	if scan.Of > len(scan.Splits) {
		splits = fmt.Sprintf(", %d of %d splits", len(scan.Splits), scan.Of)
	}
	return fmt.Sprintf("scan of %s filtered by %s of stage %d in %s%s", scan.Table.Name, kept, f.From, column.Name, splits)
}
