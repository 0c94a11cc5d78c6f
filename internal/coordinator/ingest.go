package coordinator

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowwire"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

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
	if in.Create && !in.Temporary && r.Temporary != nil && !r.Settings.CreateTemporary() && (len(in.Name) == 1 || !strings.EqualFold(in.Name[0], frontend.TemporaryCatalog)) {
		return 0, qerr.New(qerr.Unsupported, "ingest into tables that stay is not supported yet: ask for a temporary one (temporary=True of Python's adbc_ingest, "+
			"the option adbc.ingest.temporary), or set the session option %s to true, to have ingest mean that", settings.CreateTemporary)
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
	types, err := ingestTypes(reader.Schema())
	if err != nil {
		return 0, err
	}
	columns := old.Columns
	if columns == nil {
		for i, t := range types {
			columns = append(columns, table.Column{Name: reader.Schema().Field(i).Name, Type: t})
		}
	}
	sql, err := ingestSQL(columns, reader.Schema(), types)
	if err != nil {
		return 0, err
	}
	made, err := c.ingestRows(ctx, r, sql, types, reader)
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
		if _, err := c.target(ctx, r, frontend.KindInsert, w); !qerr.Is(err, qerr.NotFound) {
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

// ingestTypes are the types of the rows' columns.
func ingestTypes(schema *arrow.Schema) ([]table.Type, error) {
	if schema.NumFields() == 0 {
		return nil, qerr.New(qerr.User, "the rows have no columns")
	}
	types := make([]table.Type, schema.NumFields())
	for i, f := range schema.Fields() {
		var err error
		if types[i], err = arrowwire.Type(f); err != nil {
			return nil, err
		}
	}
	return types, nil
}

// ingestSQL is the query that gives sent rows the table's columns, by their names.
func ingestSQL(columns []table.Column, schema *arrow.Schema, types []table.Type) (string, error) {
	place := map[string]int{}
	for i, f := range schema.Fields() {
		if _, twice := place[table.Fold(f.Name)]; twice {
			return "", qerr.New(qerr.User, "the rows have two columns %q", f.Name)
		}
		place[table.Fold(f.Name)] = i
	}
	list := make([]string, len(columns))
	for i, column := range columns {
		list[i] = "CAST(NULL AS " + column.Type.SQL() + ")"
		if at, given := place[table.Fold(column.Name)]; given {
			list[i] = sentColumn(at)
			if !types[at].Equal(column.Type) {
				list[i] = "CAST(" + list[i] + " AS " + column.Type.SQL() + ")"
			}
			delete(place, table.Fold(column.Name))
		}
		list[i] += " AS " + table.Quote(column.Name)
	}
	for _, f := range schema.Fields() {
		if _, left := place[table.Fold(f.Name)]; left {
			return "", qerr.New(qerr.User, "the table has no column %q", f.Name)
		}
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + table.Quote(sentTable), nil
}
