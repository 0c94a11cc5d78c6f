package temptable

import (
	"sync/atomic"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A Part is what one task has kept.
type Part struct {
	Task        ids.TaskIndex
	Rows, Bytes int64
}

// Rows are the rows of one query that its workers keep.
type Rows struct {
	Query ids.QueryID
	Parts []Part

	free func()
	held atomic.Int64
}

// NewRows returns rows that the caller holds; free is called once, when nobody holds them any more.
func NewRows(query ids.QueryID, parts []Part, free func()) *Rows {
	r := &Rows{Query: query, Parts: parts, free: free}
	r.held.Store(1)
	return r
}

// Hold keeps the rows from being freed.
func (r *Rows) Hold() *Rows {
	r.held.Add(1)
	return r
}

// Release takes one Hold back.
func (r *Rows) Release() {
	if r.held.Add(-1) == 0 {
		r.free()
	}
}

// A Version is one state of a table.
type Version struct {
	Name    string
	Columns []table.Column
	Rows    []*Rows

	held atomic.Int64
}

// NewVersion returns a version that the caller holds, and takes over one Hold of each of the rows.
func NewVersion(name string, columns []table.Column, rows []*Rows) *Version {
	v := &Version{Name: name, Columns: columns, Rows: rows}
	v.held.Store(1)
	return v
}

// Hold keeps the version's rows from being freed.
func (v *Version) Hold() *Version {
	v.held.Add(1)
	return v
}

// Release takes one Hold back.
func (v *Version) Release() {
	if v.held.Add(-1) > 0 {
		return
	}
	for _, r := range v.Rows {
		r.Release()
	}
}

// Count is the number of rows.
func (v *Version) Count() (rows int64) {
	for _, r := range v.Rows {
		for _, p := range r.Parts {
			rows += p.Rows
		}
	}
	return rows
}
