package table

import "math"

// A DistinctCount sums, over the row groups that tell it, how many different values a column has in each.
type DistinctCount struct {
	Groups int64
	// Rows are those groups' rows without the NULLs.
	Rows int64
	// Values counts a value once for every row group that has it.
	Values int64
}

// Add adds the row groups of another count.
func (c *DistinctCount) Add(o DistinctCount) {
	c.Groups += o.Groups
	c.Rows += o.Rows
	c.Values += o.Values
}

// clusteredMax is how many times the span of a whole column its row groups may span together where equal values still
// lie in few of them. A sorted column's span it once, one in no order as often as there are row groups.
const clusteredMax = 2

// Distinct estimates how many different values a column of a table has, NULL aside, from those of its row groups; 0 when
// none tells. rows are the column's rows without NULLs. Together says that equal values lie in few row groups.
//
// With n rows and v values a row group:
//
//	together:  rows × v / n, since each value is in one row group
//	else:      d with v = d × (1 - exp(-n / d)): so many of d values are met when n rows are drawn of them
//
// but no more than rows, and no more than there are numbers between the least and the greatest.
func Distinct(c DistinctCount, rows int64, files []File, column int) (values int64, together bool) {
	if c.Groups <= 0 || c.Rows <= 0 || c.Values <= 0 || rows <= 0 {
		return 0, false
	}
	span, together := spanOf(files, column)
	d := float64(rows) * float64(c.Values) / float64(c.Rows)
	n, v := float64(c.Rows)/float64(c.Groups), float64(c.Values)/float64(c.Groups)
	if !together {
		d = min(d, max(Population(n, v), v))
	}
	d = min(max(d, 1), float64(rows))
	if span > 0 {
		d = min(d, span)
	}
	return int64(d), together
}

// Population is the d of which n draws meet v different ones: v = d × (1 - exp(-n / d)). It is infinite where all that
// were drawn differ.
func Population(n, v float64) float64 {
	if v >= n {
		return math.Inf(1)
	}
	// With x = n / d it is v / n = (1 - exp(-x)) / x, which falls from 1 to 0.
	low, high := 0.0, n/v
	for range 60 {
		x := (low + high) / 2
		if -math.Expm1(-x)/x > v/n {
			low = x
		} else {
			high = x
		}
	}
	return n / high
}

// spanOf counts the numbers from the least to the greatest of a column, 0 when bounds are not known or no numbers, and
// says whether the row groups' own spans together are little more.
func spanOf(files []File, column int) (span float64, clustered bool) {
	var low, high int64
	var sum float64
	groups := 0
	for i := range files {
		z := files[i].Zone(column)
		if !z.Known() && files[i].Rows > 0 {
			return 0, false
		}
		for g := range z.Nulls {
			b := z.At(g)
			if b.Nulls == NullsOnly {
				continue
			}
			if !b.Known || len(z.Numbers) == 0 {
				return 0, false
			}
			if groups++; groups == 1 {
				low, high = b.Min.Number, b.Max.Number
			}
			low, high = min(low, b.Min.Number), max(high, b.Max.Number)
			sum += float64(b.Max.Number) - float64(b.Min.Number) + 1
		}
	}
	if groups == 0 {
		return 0, false
	}
	span = float64(high) - float64(low) + 1
	return span, groups > clusteredMax && sum <= clusteredMax*span
}
