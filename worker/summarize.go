package worker

import (
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// A summarizer notes the values of some columns of a task's output as it is made. Its methods may be called concurrently.
type summarizer struct {
	mu      sync.Mutex
	columns []columnSummary
}

// columnSummary is what is known of a column so far.
type columnSummary struct {
	index int
	// failed: it has values that no summary may hold.
	failed          bool
	any, many       bool
	least, greatest table.Value
	distinct        map[table.Value]struct{} // nil once there are many
}

// newSummarizer watches the named columns; nil when there are none.
func newSummarizer(columns []table.Column, wanted []uint32) *summarizer {
	s := &summarizer{}
	for _, c := range wanted {
		if int(c) < len(columns) && columns[c].Type.Ordered() {
			s.columns = append(s.columns, columnSummary{index: int(c), distinct: map[table.Value]struct{}{}})
		}
	}
	if len(s.columns) == 0 {
		return nil
	}
	return s
}

// add notes a batch, in wire layout.
func (s *summarizer) add(batch arrow.RecordBatch) {
	for i := range s.columns {
		s.mu.Lock()
		failed, many := s.columns[i].failed, s.columns[i].many
		s.mu.Unlock()
		if failed {
			continue
		}
		part := columnSummary{many: many}
		part.read(batch.Column(s.columns[i].index))
		s.mu.Lock()
		s.columns[i].merge(&part)
		s.mu.Unlock()
	}
}

// summaries are those of all columns that have one.
func (s *summarizer) summaries() map[int]table.Summary {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[int]table.Summary{}
	for i := range s.columns {
		c := &s.columns[i]
		switch {
		case c.failed:
		case !c.any:
			all[c.index] = table.Summary{}
		case c.many:
			all[c.index] = table.Summary{Values: []table.Value{c.least, c.greatest}, Range: true}
		default:
			var values []table.Value
			for v := range c.distinct {
				values = append(values, v)
			}
			slices.SortFunc(values, table.Value.Compare)
			all[c.index] = table.Summary{Values: values}
		}
	}
	return all
}

func (c *columnSummary) merge(part *columnSummary) {
	c.failed = c.failed || part.failed
	if part.any {
		c.bound(part.least)
		c.bound(part.greatest)
	}
	if part.many {
		c.many, c.distinct = true, nil
	}
	for v := range part.distinct {
		c.list(v)
	}
}

// bound widens the range by a value.
func (c *columnSummary) bound(v table.Value) {
	if !c.any || v.Compare(c.least) < 0 {
		c.least = v
	}
	if !c.any || v.Compare(c.greatest) > 0 {
		c.greatest = v
	}
	c.any = true
}

// list adds a value to the distinct ones, unless there are many.
func (c *columnSummary) list(v table.Value) {
	if c.many {
		return
	}
	if c.distinct == nil {
		c.distinct = map[table.Value]struct{}{}
	}
	c.distinct[v] = struct{}{}
	if len(c.distinct) > table.SummaryValuesMax {
		c.many, c.distinct = true, nil
	}
}

// read takes in a column in wire layout.
func (c *columnSummary) read(column arrow.Array) {
	switch column := column.(type) {
	case *array.Int8:
		readNumbers(c, column, column.Int8Values())
	case *array.Int16:
		readNumbers(c, column, column.Int16Values())
	case *array.Int32:
		readNumbers(c, column, column.Int32Values())
	case *array.Int64:
		readNumbers(c, column, column.Int64Values())
	case *array.Uint8:
		readNumbers(c, column, column.Uint8Values())
	case *array.Uint16:
		readNumbers(c, column, column.Uint16Values())
	case *array.Uint32:
		readNumbers(c, column, column.Uint32Values())
	case *array.Date32:
		readNumbers(c, column, column.Date32Values())
	case *array.Time64:
		readNumbers(c, column, column.Time64Values())
	case *array.Timestamp:
		readNumbers(c, column, column.TimestampValues())
	case *array.String:
		c.readTexts(column)
	default:
		c.failed = true
	}
}

type number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}

func readNumbers[T number](c *columnSummary, column arrow.Array, values []T) {
	nulls := column.NullN() > 0
	var least, greatest, last T
	found := false
	for i, v := range values {
		if nulls && column.IsNull(i) || found && v == last {
			continue
		}
		if !found {
			least, greatest, found = v, v, true
		}
		last, least, greatest = v, min(least, v), max(greatest, v)
		if !c.many {
			c.list(table.Value{Number: int64(v)})
		}
	}
	if found {
		c.bound(table.Value{Number: int64(least)})
		c.bound(table.Value{Number: int64(greatest)})
	}
}

func (c *columnSummary) readTexts(column *array.String) {
	for i := range column.Len() {
		if column.IsNull(i) {
			continue
		}
		text := column.Value(i)
		if len(text) > table.SummaryTextBytesMax {
			c.failed = true
			return
		}
		v := table.Value{Text: text}
		if _, known := c.distinct[v]; known {
			continue
		}
		// The text lies in the batch, which goes: a value that stays needs its own.
		if !c.any || v.Compare(c.least) < 0 || v.Compare(c.greatest) > 0 || !c.many {
			v.Text = string([]byte(text))
			c.bound(v)
			c.list(v)
		}
	}
}

// summariesProto writes summaries down, in the order of the columns.
func summariesProto(all map[int]table.Summary) []*pb.Summary {
	var out []*pb.Summary
	for column, s := range all {
		p := &pb.Summary{Column: uint32(column), Range: s.Range}
		texts := slices.ContainsFunc(s.Values, func(v table.Value) bool { return v.Text != "" })
		for _, v := range s.Values {
			if texts {
				p.Texts = append(p.Texts, []byte(v.Text))
			} else {
				p.Numbers = append(p.Numbers, v.Number)
			}
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *pb.Summary) int { return int(a.GetColumn()) - int(b.GetColumn()) })
	return out
}
