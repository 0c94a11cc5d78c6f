package coordinator

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

// ingestBytesMax is how much text the rows of one task of an ingest are: DuckDB parses such a text in some tens of milliseconds, and
// with its tree it takes some tens of MiB of a worker.
const ingestBytesMax = 1 << 20

// An Ingest says where the rows go that a client sends.
type Ingest struct {
	// Name is the table's: [table], or with a schema and a catalog before it. Temporary: the client asks for a temporary table.
	Name      []string
	Temporary bool
	// Append and Replace say what to do with a table that is there; neither: it is an error. Create: one that is not is made.
	Append, Replace, Create bool
}

// Ingest writes the rows of a reader into a temporary table and returns their number. The table has all of them or none. The caller
// closes the reader. Columns go by their names; those that the table has and the rows have not are NULL.
func (c *Coordinator) Ingest(ctx context.Context, r Request, in Ingest, reader flightx.Reader) (int64, error) {
	r.held = &held{}
	defer r.held.release()
	w := &frontend.Write{Name: in.Name, Temporary: in.Temporary}
	kind := frontend.KindInsert
	if in.Create {
		kind = frontend.KindCreate
	}
	if err := mayWrite(r, kind, w); err != nil {
		return 0, err
	}
	unlock, err := r.Temporary.Lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	old, err := c.ingestTarget(ctx, r, in, w)
	if err != nil {
		return 0, err
	}
	columns := old.Columns
	if columns == nil {
		if columns, err = ingestColumns(reader.Schema()); err != nil {
			return 0, err
		}
	}
	head, types, err := ingestSelect(columns, reader.Schema())
	if err != nil {
		return 0, err
	}
	made, err := c.ingestRows(ctx, r, columns, head, types, reader)
	if err != nil {
		return 0, err
	}
	before := old.Count()
	var all []*temptable.Rows
	for _, rows := range old.Rows {
		all = append(all, rows.Hold())
	}
	all = append(all, made...)
	next := temptable.NewVersion(old.Name, columns, all)
	count := next.Count() - before
	if err := r.Temporary.Put(next); err != nil {
		return 0, err
	}
	return count, c.compact(ctx, r, old.Name, columns, len(all))
}

// ingestTarget is the version that the rows are added to, held by the statement: that of the table, or a new one without rows.
func (c *Coordinator) ingestTarget(ctx context.Context, r Request, in Ingest, w *frontend.Write) (*temptable.Version, error) {
	name := in.Name[len(in.Name)-1]
	old := r.Temporary.Table(name)
	if old != nil {
		r.held.add(old)
	}
	switch {
	case old == nil && !in.Create:
		if _, err := c.target(ctx, r, frontend.KindInsert, w); !qerr.Is(err, qerr.User) {
			return nil, err
		}
		return nil, qerr.New(qerr.NotFound, "there is no temporary table %q to append to", name)
	case old != nil && !in.Append && !in.Replace:
		return nil, qerr.New(qerr.AlreadyExists, "the temporary table %q exists already", name)
	case old != nil && in.Append:
		return old, nil
	}
	v := temptable.NewVersion(name, nil, nil)
	r.held.add(v)
	return v, nil
}

// ingestColumns are the columns of a table that is made for the rows.
func ingestColumns(schema *arrow.Schema) (columns []table.Column, err error) {
	for _, f := range schema.Fields() {
		t, err := ingestType(f)
		if err != nil {
			return nil, err
		}
		columns = append(columns, table.Column{Name: f.Name, Type: t})
	}
	return columns, nil
}

func ingestType(f arrow.Field) (table.Type, error) {
	t, err := arrowtype.FromArrow(f.Type)
	if err != nil {
		return table.Type{}, qerr.Wrap(qerr.User, "column "+f.Name, err)
	}
	if t.ID == table.Null {
		t = table.Of(table.Integer)
	}
	return t, nil
}

// ingestSelect is what goes before the VALUES of the rows, to give them the table's columns, and the types of the values.
func ingestSelect(columns []table.Column, schema *arrow.Schema) (head string, types []table.Type, err error) {
	place := map[string]int{}
	for i, f := range schema.Fields() {
		t, err := ingestType(f)
		if err != nil {
			return "", nil, err
		}
		if _, twice := place[table.Fold(f.Name)]; twice {
			return "", nil, qerr.New(qerr.User, "the rows have two columns %q", f.Name)
		}
		place[table.Fold(f.Name)] = i
		types = append(types, t)
	}
	if len(types) == 0 {
		return "", nil, qerr.New(qerr.User, "the rows have no columns")
	}
	list := make([]string, len(columns))
	for i, column := range columns {
		list[i] = "CAST(NULL AS " + column.Type.SQL() + ")"
		if at, given := place[table.Fold(column.Name)]; given {
			list[i] = "CAST(CAST(v.v" + strconv.Itoa(at) + " AS " + types[at].SQL() + ") AS " + column.Type.SQL() + ")"
			delete(place, table.Fold(column.Name))
		}
		list[i] += " AS " + table.Quote(column.Name)
	}
	for name := range place {
		return "", nil, qerr.New(qerr.User, "the table has no column %q", name)
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM ", types, nil
}

// ingestRows has the workers keep all rows of a reader.
func (c *Coordinator) ingestRows(ctx context.Context, r Request, columns []table.Column, head string, types []table.Type, reader flightx.Reader) (all []*temptable.Rows, err error) {
	defer func() {
		if err != nil {
			for _, rows := range all {
				rows.Release()
			}
		}
	}()
	names := make([]string, len(types))
	for i := range names {
		names[i] = "v" + strconv.Itoa(i)
	}
	tail := " AS v(" + strings.Join(names, ", ") + ")"
	for {
		batch, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		for row := int64(0); row < batch.NumRows(); {
			var values string
			if values, row, err = frontend.Values(batch, types, row, ingestBytesMax); err != nil {
				break
			}
			var rows *temptable.Rows
			planned := &frontend.Planned{Columns: columns, Statement: distplan.Statement{Columns: columns, Text: head + "(" + values + ")" + tail}}
			if rows, err = c.keep(ctx, r, planned); err != nil {
				break
			}
			all = append(all, rows)
		}
		batch.Release()
		if err != nil {
			return all, err
		}
	}
}
