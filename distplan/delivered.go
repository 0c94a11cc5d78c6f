package distplan

import "github.com/arbalest-sql/arbalest/distplan/operator"

// A partitioning says how an operator's rows lie over the tasks that run it.
type partitioning uint8

const (
	// single: all rows in one task.
	single partitioning = iota
	// arbitrary: each row in some task, as the splits fell.
	arbitrary
	// hashed: rows that agree on the keys in the same task, the same partition number for the same key values.
	hashed
	// ranged: rows that agree on the only key in the same task, and those of other ranged operators of the same cluster too.
	ranged
)

// delivered are the properties of an operator's output, which the rules above it look at.
type delivered struct {
	partitioning partitioning
	// keys are the output columns of a hashed partitioning, in the order in which they were hashed.
	keys []int
	// also are, for each of keys, further output columns that hold the same value of the same type in every row, as the
	// two sides of an inner join's condition do; nil when there are none.
	also [][]int
	// partitions of a hashed partitioning.
	partitions int
	// cluster of a ranged partitioning: what shares its cuts.
	cluster *cluster
	// sortable are the columns by ranges of which the only divided scan below could be divided, while the partitioning is
	// arbitrary.
	sortable []sortable
}

// A sortable is an output column that is, value for value, column at of a scan's output.
type sortable struct {
	column int
	scan   *operator.Scan
	at     int
}

// keyed reports whether rows lie by keys.
func (p delivered) keyed() bool { return p.partitioning == hashed || p.partitioning == ranged }

// columnsOf lists the output columns that hold the i-th hashed key.
func (p delivered) columnsOf(i int) []int {
	if p.also == nil {
		return p.keys[i : i+1]
	}
	return append([]int{p.keys[i]}, p.also[i]...)
}

// hashedBy describes a hashed partitioning by classes of equal columns, one class a key; without a column for some key it
// is arbitrary to whoever looks from above.
func hashedBy(classes [][]int, partitions int) delivered {
	return delivered{partitioning: hashed, partitions: partitions}.by(classes)
}

// by gives a keyed partitioning other columns: classes of equal ones, one class a key.
func (p delivered) by(classes [][]int) delivered {
	out := delivered{partitioning: p.partitioning, partitions: p.partitions, cluster: p.cluster}
	for _, class := range classes {
		if len(class) == 0 {
			return delivered{partitioning: arbitrary, partitions: p.partitions}
		}
		out.keys = append(out.keys, class[0])
		out.also = append(out.also, class[1:])
	}
	return out
}

// through carries the properties over an operator that moves input column c to output column at(c), < 0 when it is gone.
func (p delivered) through(at func(int) int) delivered {
	return p.throughAll(func(c int) []int {
		if to := at(c); to >= 0 {
			return []int{to}
		}
		return nil
	})
}

// throughAll is through for operators that put the values of a column into several.
func (p delivered) throughAll(at func(int) []int) delivered {
	if !p.keyed() {
		var moved []sortable
		for _, s := range p.sortable {
			for _, to := range at(s.column) {
				moved = append(moved, sortable{to, s.scan, s.at})
			}
		}
		p.sortable = moved
		return p
	}
	classes := make([][]int, len(p.keys))
	for i := range p.keys {
		for _, c := range p.columnsOf(i) {
			classes[i] = append(classes[i], at(c)...)
		}
	}
	return p.by(classes)
}

// lies reports whether rows lie exactly as a hash exchange by these columns into so many partitions would lay them.
func (p delivered) lies(columns []int, partitions int) bool {
	if p.partitioning != hashed || p.partitions != partitions || len(columns) != len(p.keys) {
		return false
	}
	for i, c := range columns {
		if !in(c, p.columnsOf(i)) {
			return false
		}
	}
	return true
}

// together reports whether rows that agree on all of the columns are in one task.
func (p delivered) together(columns []int) bool {
	if !p.keyed() {
		return p.partitioning == single
	}
	for i := range p.keys {
		held := false
		for _, c := range p.columnsOf(i) {
			held = held || in(c, columns)
		}
		if !held {
			return false
		}
	}
	return true
}

func in(c int, columns []int) bool {
	for _, k := range columns {
		if k == c {
			return true
		}
	}
	return false
}
