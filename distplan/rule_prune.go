package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// pruneScans marks the row groups and files of which a filter right above a scan can keep no row, as the bounds of the
// catalog and the keys of directories tell. The filter stays: it decides about rows, this about what is read.
func pruneScans(n operator.Node) (operator.Node, error) {
	n, err := rewriteChildren(n, pruneScans)
	if err != nil {
		return nil, err
	}
	f, ok := n.(*operator.Filter)
	if !ok {
		return n, nil
	}
	scan, ok := f.Child.(*operator.Scan)
	if !ok {
		return n, nil
	}
	skip := skipped(scan, f.Conditions)
	if skip == nil {
		return n, nil
	}
	out := *f
	pruned := *scan
	pruned.Skip = skip
	out.Child = &pruned
	return &out, nil
}

// skipped marks the units (table.Units) of which no row meets all conditions, beside those already marked; nil when none.
func skipped(scan *operator.Scan, conditions []expr.Expr) []bool {
	var all []test
	for _, c := range conditions {
		if t := compile(c, scan); t != nil {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return scan.Skip
	}
	skip := append([]bool(nil), scan.Skip...)
	if skip == nil {
		skip = make([]bool, table.CountUnits(scan.Table))
	}
	any := false
	at := 0
	for i := range scan.Table.Files {
		f := &scan.Table.Files[i]
		for g := range f.Units() {
			for _, t := range all {
				if skip[at] {
					break
				}
				skip[at] = t(f, g)&canTrue == 0
			}
			any = any || skip[at]
			at++
		}
	}
	if !any {
		return nil
	}
	return skip
}
