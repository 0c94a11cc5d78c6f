package logic

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/oracle/contest"
)

// tolerance is relative, for numbers that a script gives with few digits.
const tolerance = 1e-6

// agree compares DuckDB's answer with what the script says.
func agree(record Record, want *contest.Want) error {
	if record.Kind == StatementError {
		if want.Refusal == nil {
			return fmt.Errorf("DuckDB gives %d rows, not an error", len(want.Rows.Cells))
		}
		if text := strings.Join(record.Wanted, "\n"); !strings.Contains(want.Refusal.Error(), text) {
			return fmt.Errorf("DuckDB's error is %w, not %q", want.Refusal, text)
		}
		return nil
	}
	if want.Refusal != nil {
		return want.Refusal
	}
	if n := len(want.Rows.Columns); n != record.Columns {
		return fmt.Errorf("%d columns, not %d", n, record.Columns)
	}
	has := arrange(shown(want.Rows), record)
	says := arrange(record.Wanted, record)
	if !slices.EqualFunc(has, says, equal) {
		return fmt.Errorf("DuckDB gives\n%s", lines(has, record.Columns))
	}
	return nil
}

// shown are the cells as sqllogictest writes them.
func shown(rows *oracle.Rows) []string {
	var all []string
	for _, row := range rows.Cells {
		for _, c := range row {
			text := c.String()
			if !c.Null && text == "" {
				text = "(empty)"
			}
			all = append(all, text)
		}
	}
	return all
}

// arrange sorts values as the record says.
func arrange(all []string, record Record) []string {
	switch record.Sort {
	case ValueSort:
		all = slices.Sorted(slices.Values(all))
	case RowSort:
		rows := slices.Collect(slices.Chunk(all, record.Columns))
		slices.SortFunc(rows, slices.Compare)
		all = slices.Concat(rows...)
	}
	return all
}

func equal(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && math.Abs(x-y) <= tolerance*max(math.Abs(x), math.Abs(y))
}

func lines(all []string, columns int) string {
	var b strings.Builder
	for row := range slices.Chunk(all, columns) {
		b.WriteString(strings.Join(row, "\t") + "\n")
	}
	return b.String()
}
