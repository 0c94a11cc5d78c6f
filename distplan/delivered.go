package distplan

// A partitioning says how an operator's rows lie over the tasks that run it.
type partitioning uint8

const (
	// single: all rows in one task.
	single partitioning = iota
	// arbitrary: each row in some task, as the splits fell.
	arbitrary
	// hashed: rows that agree on the keys in the same task, the same partition number for the same key values.
	hashed
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
}

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
	p := delivered{partitioning: hashed, partitions: partitions}
	for _, class := range classes {
		if len(class) == 0 {
			return delivered{partitioning: arbitrary, partitions: partitions}
		}
		p.keys = append(p.keys, class[0])
		p.also = append(p.also, class[1:])
	}
	return p
}

// through carries the properties over an operator that moves input column c to output column at(c), < 0 when it is gone.
func (p delivered) through(at func(int) int) delivered {
	if p.partitioning != hashed {
		return p
	}
	classes := make([][]int, len(p.keys))
	for i := range p.keys {
		for _, c := range p.columnsOf(i) {
			if to := at(c); to >= 0 {
				classes[i] = append(classes[i], to)
			}
		}
	}
	return hashedBy(classes, p.partitions)
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
	if p.partitioning != hashed {
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
