package frontend

import (
	"slices"
	"strings"
)

// nearestMax is how many names a message offers.
const nearestMax = 3

// NearestNames returns at most three of have that look like want, the likeliest first: by edits, without regard to case.
// A name of which more than half would have to change is not alike.
func NearestNames(want string, have []string) []string {
	type near struct {
		name     string
		distance int
	}
	lower := strings.ToLower(want)
	var all []near
	for _, h := range have {
		l := strings.ToLower(h)
		d := distance(lower, l)
		if min(len(l), len(lower)) >= 3 && (strings.Contains(l, lower) || strings.Contains(lower, l)) {
			d = min(d, 2)
		}
		if d <= max(len(lower), len(l))/2 {
			all = append(all, near{h, d})
		}
	}
	slices.SortStableFunc(all, func(a, b near) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var names []string
	for _, n := range all[:min(len(all), nearestMax)] {
		names = append(names, n.name)
	}
	return names
}

// distance is Levenshtein's, over bytes: names are mostly ASCII, and a rough order is enough.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
