package oracle

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	// floatTolerance is relative: partial sums add in another order, which moves the last few of 53 bits.
	floatTolerance = 1e-9
	// floatFloor is absolute: where sums cancel (a covariance that is zero), what is left is the rounding of the summands,
	// which no relative tolerance allows for. The suites' numbers are of ordinary size, their rounding far below this.
	floatFloor = 1e-9
	// shownRows is how many differing rows a message shows.
	shownRows = 3
)

// Compare says how got differs from want; nil when it does not. keys are the columns of ORDER BY (from 0), in which rows
// must agree position by position; without keys the order is free.
func Compare(want, got *Rows, keys ...int) error {
	if len(want.Columns) > 0 && len(got.Columns) > 0 && !slices.Equal(want.Columns, got.Columns) {
		return fmt.Errorf("columns are %q, want %q", got.Columns, want.Columns)
	}
	if len(want.Cells) != len(got.Cells) {
		return fmt.Errorf("%d rows, want %d", len(got.Cells), len(want.Cells))
	}
	for i := range want.Cells {
		if len(want.Cells[i]) != len(got.Cells[i]) {
			return fmt.Errorf("row %d has %d columns, want %d", i, len(got.Cells[i]), len(want.Cells[i]))
		}
		for _, key := range keys {
			if !same(want.Cells[i][key], got.Cells[i][key]) {
				return fmt.Errorf("row %d is out of order: column %d is %s, want %s", i, key, got.Cells[i][key], want.Cells[i][key])
			}
		}
	}
	wanted, given := sorted(want, floats(want, got)), sorted(got, floats(want, got))
	var differ []string
	for i := range wanted {
		if slices.EqualFunc(wanted[i], given[i], same) {
			continue
		}
		if len(differ) == shownRows {
			differ = append(differ, "…")
			break
		}
		differ = append(differ, fmt.Sprintf("  got  %s\n  want %s", show(given[i]), show(wanted[i])))
	}
	if differ != nil {
		return fmt.Errorf("rows differ:\n%s", strings.Join(differ, "\n"))
	}
	return nil
}

// floats tells which columns hold floating point on either side: text of such is no sort key.
func floats(sides ...*Rows) map[int]bool {
	columns := map[int]bool{}
	for _, side := range sides {
		for _, row := range side.Cells {
			for j, c := range row {
				if c.Float {
					columns[j] = true
				}
			}
		}
	}
	return columns
}

// sorted gives the rows in one order for both sides: by the exact columns first, then by the numbers.
func sorted(r *Rows, floats map[int]bool) [][]Cell {
	rows := make([][]Cell, len(r.Cells))
	for i, row := range r.Cells {
		rows[i] = slices.Clone(row)
		for j, c := range row {
			rows[i][j].Text = canonical(c.Text)
		}
	}
	slices.SortFunc(rows, func(a, b []Cell) int {
		for j := range a {
			if !floats[j] {
				if c := cmp.Or(compareBool(a[j].Null, b[j].Null), cmp.Compare(a[j].Text, b[j].Text)); c != 0 {
					return c
				}
			}
		}
		for j := range a {
			if floats[j] {
				x, _ := strconv.ParseFloat(a[j].Text, 64)
				y, _ := strconv.ParseFloat(b[j].Text, 64)
				if c := cmp.Compare(x, y); c != 0 {
					return c
				}
			}
		}
		return 0
	})
	return rows
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func same(a, b Cell) bool {
	if a == b {
		return true
	}
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	if a.Float || b.Float {
		x, errX := strconv.ParseFloat(a.Text, 64)
		y, errY := strconv.ParseFloat(b.Text, 64)
		if errX != nil || errY != nil {
			return a.Text == b.Text
		}
		return x == y || math.IsNaN(x) && math.IsNaN(y) ||
			!math.IsInf(x, 0) && !math.IsInf(y, 0) && math.Abs(x-y) <= max(floatFloor, floatTolerance*max(math.Abs(x), math.Abs(y)))
	}
	if strings.ContainsAny(a.Text+b.Text, "eE") { // 1e20 and 1.0E20: clients without types write numbers in their own way
		x, errX := strconv.ParseFloat(a.Text, 64)
		y, errY := strconv.ParseFloat(b.Text, 64)
		if errX == nil && errY == nil {
			return x == y
		}
	}
	return a.Text == b.Text || canonical(a.Text) == canonical(b.Text)
}

// canonical drops the trailing zeros of a fraction: 1.50 is 1.5 and 12:00:00.0 is 12:00:00, whoever wrote them. Only
// numbers and clock times have a fraction: digits, signs, colons and blanks before the dot, digits after it.
func canonical(text string) string {
	dot := strings.LastIndexByte(text, '.')
	if dot < 1 || strings.Trim(text[:dot], "0123456789-: ") != "" {
		return text
	}
	digits, zone := text[dot+1:], ""
	if at := strings.IndexByte(digits, '+'); at >= 0 {
		digits, zone = digits[:at], digits[at:]
	}
	if strings.Trim(digits, "0123456789") != "" {
		return text
	}
	if digits = strings.TrimRight(digits, "0"); digits == "" {
		return text[:dot] + zone
	}
	return text[:dot+1] + digits + zone
}

func show(row []Cell) string {
	parts := make([]string, len(row))
	for i, c := range row {
		parts[i] = c.String()
	}
	return strings.Join(parts, " | ")
}
