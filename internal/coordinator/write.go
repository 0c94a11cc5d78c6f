package coordinator

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

// write runs a statement that writes a temporary table, to its end, and makes the query's result from the count of rows.
func (c *Coordinator) write(ctx context.Context, q *Query, r Request, command frontend.Command) error {
	w := command.Write
	if err := mayWrite(r, command.Kind, w); err != nil {
		return err
	}
	unlock, err := r.Temporary.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	switch command.Kind {
	case frontend.KindCreate, frontend.KindCreateAs:
		q.affected, err = c.createTable(ctx, r, w)
	case frontend.KindInsert:
		q.affected, err = c.insertRows(ctx, r, w)
	case frontend.KindUpdate:
		q.affected, err = c.updateRows(ctx, r, w)
	case frontend.KindDelete:
		q.affected, err = c.deleteRows(ctx, r, w)
	default:
		err = c.dropTable(ctx, r, w)
		q.affected = 0
	}
	if err != nil {
		return err
	}
	if command.Kind == frontend.KindCreate || command.Kind == frontend.KindDrop {
		return c.answer(q, done())
	}
	return c.answer(q, localResult{
		sql:     "SELECT CAST(" + strconv.FormatInt(q.affected, 10) + " AS BIGINT) AS \"Count\"",
		columns: []table.Column{column("Count", table.BigInt)},
	})
}

// mayWrite refuses what is no temporary table by its name.
func mayWrite(r Request, kind frontend.Kind, w *frontend.Write) error {
	temporary := len(w.Name) == 1 || strings.EqualFold(w.Name[0], frontend.TemporaryCatalog)
	creates := kind == frontend.KindCreate || kind == frontend.KindCreateAs
	switch {
	case r.Temporary == nil:
		return qerr.New(qerr.Unsupported, "%s (DDL, DML): there are temporary tables in sessions only, and nothing else can be written", kind)
	case creates && w.Temporary && !temporary:
		return qerr.New(qerr.User, "Parser Error: a temporary table has no catalog or schema but %q", frontend.TemporaryCatalog)
	case creates && !w.Temporary && !(temporary && (len(w.Name) > 1 || r.Settings.CreateTemporary())):
		return qerr.New(qerr.Unsupported, "%s (DDL) is not supported yet for tables that stay: put files into the data directory, use CREATE TEMP TABLE, "+
			"or SET arbalest.create_temporary = true to have it mean that", kind)
	case !temporary:
		return readOnly(kind, strings.Join(w.Name, "."))
	}
	return nil
}

func readOnly(kind frontend.Kind, name string) error {
	return qerr.New(qerr.Unsupported, "%s (DDL, DML) is not supported yet for %s: the catalog's tables are read-only, only temporary tables can be written; "+
		"change the files in the data directory and the catalog follows", kind, name)
}

// target finds the table that a statement writes; the statement holds it.
func (c *Coordinator) target(ctx context.Context, r Request, kind frontend.Kind, w *frontend.Write) (*temptable.Version, error) {
	name := w.Name[len(w.Name)-1]
	if v := r.Temporary.Table(name); v != nil {
		r.held.add(v)
		return v, nil
	}
	snapshot, err := c.cfg.Catalog.Snapshot(ctx)
	if err != nil {
		return nil, qerr.Wrap(qerr.IO, "read catalog", err)
	}
	full := table.Name{Catalog: r.Settings.Catalog(), Schema: r.Settings.Schema(), Table: name}
	if len(w.Name) == 1 && slices.ContainsFunc(snapshot.Names(), func(n table.Name) bool {
		return strings.EqualFold(n.String(), full.String())
	}) {
		return nil, readOnly(kind, name)
	}
	return nil, qerr.New(qerr.NotFound, "Catalog Error: there is no temporary table %q", name)
}

func (c *Coordinator) createTable(ctx context.Context, r Request, w *frontend.Write) (int64, error) {
	name := w.Name[len(w.Name)-1]
	if old := r.Temporary.Table(name); old != nil {
		old.Release()
		if w.Lenient {
			return 0, nil
		}
		if !w.Replace {
			return 0, qerr.New(qerr.AlreadyExists, "Catalog Error: the temporary table %q exists already", name)
		}
	}
	if w.Definition != "" {
		columns, err := c.cfg.Frontend.Definition(ctx, w)
		if err != nil {
			return 0, err
		}
		return 0, r.Temporary.Put(temptable.NewVersion(name, columns, nil))
	}
	planned, err := c.plan(ctx, r, w.Query)
	if err != nil {
		return 0, err
	}
	sql, err := w.CreateSQL(planned.Columns)
	if err != nil {
		return 0, err
	}
	if sql != w.Query {
		if planned, err = c.plan(ctx, r, sql); err != nil {
			return 0, err
		}
	}
	rows, err := c.keep(ctx, r, planned)
	if err != nil {
		return 0, err
	}
	v := temptable.NewVersion(name, planned.Columns, []*temptable.Rows{rows})
	count := v.Count()
	return count, r.Temporary.Put(v)
}

// insertSQL is the query of an INSERT's new rows.
func (c *Coordinator) insertSQL(ctx context.Context, r Request, w *frontend.Write, columns []table.Column) (string, error) {
	given := 0
	if w.Rows == nil {
		request, err := c.request(ctx, r, w.Query)
		if err != nil {
			return "", err
		}
		d, err := c.cfg.Frontend.Describe(ctx, request)
		if err != nil {
			return "", err
		}
		given = len(d.Columns)
	}
	return w.InsertSQL(columns, given)
}

func (c *Coordinator) insertRows(ctx context.Context, r Request, w *frontend.Write) (int64, error) {
	old, err := c.target(ctx, r, frontend.KindInsert, w)
	if err != nil {
		return 0, err
	}
	sql, err := c.insertSQL(ctx, r, w, old.Columns)
	if err != nil {
		return 0, err
	}
	rows, err := c.keepSQL(ctx, r, sql)
	if err != nil {
		return 0, err
	}
	return c.appendRows(ctx, r, old, rows)
}

// appendRows makes the version of a table that has more rows, which it takes over, and returns how many. They stand after those
// that were there: SQL promises no order, but who reads a small table expects what came first to be first.
func (c *Coordinator) appendRows(ctx context.Context, r Request, old *temptable.Version, rows *temptable.Rows) (int64, error) {
	var all []*temptable.Rows
	for _, o := range old.Rows {
		all = append(all, o.Hold())
	}
	all = append(all, rows)
	next := temptable.NewVersion(old.Name, old.Columns, all)
	count := next.Count() - old.Count()
	if count == 0 {
		next.Release()
		return 0, nil
	}
	if err := r.Temporary.Put(next); err != nil {
		return 0, err
	}
	return count, c.compact(ctx, r, old.Name, old.Columns, len(all))
}

// compact writes a table anew as the rows of one query when it is of those of too many: each is a query here, and a file on its worker.
func (c *Coordinator) compact(ctx context.Context, r Request, name string, columns []table.Column, parts int) error {
	if parts <= c.cfg.Limits.TemporaryPartsMax {
		return nil
	}
	whole, err := c.keepSQL(ctx, withoutParameters(r), "SELECT * FROM "+table.Quote(name))
	if err != nil {
		return err
	}
	return r.Temporary.Put(temptable.NewVersion(name, columns, []*temptable.Rows{whole}))
}

func withoutParameters(r Request) Request {
	r.Params = nil
	return r
}

func (c *Coordinator) keepSQL(ctx context.Context, r Request, sql string) (*temptable.Rows, error) {
	planned, err := c.plan(ctx, r, sql)
	if err != nil {
		return nil, err
	}
	return c.keep(ctx, r, planned)
}

func (c *Coordinator) updateRows(ctx context.Context, r Request, w *frontend.Write) (int64, error) {
	old, err := c.target(ctx, r, frontend.KindUpdate, w)
	if err != nil {
		return 0, err
	}
	sql, err := w.UpdateSQL(old.Columns)
	if err != nil {
		return 0, err
	}
	count := old.Count()
	if w.Where != "" {
		if count, err = c.count(ctx, r, w.CountSQL()); err != nil {
			return 0, err
		}
	}
	planned, err := c.plan(ctx, r, sql) // also for no row: a fault in it is one
	if err != nil || count == 0 {
		return 0, err
	}
	rows, err := c.keep(ctx, r, planned)
	if err != nil {
		return 0, err
	}
	return count, r.Temporary.Put(temptable.NewVersion(old.Name, old.Columns, []*temptable.Rows{rows}))
}

func (c *Coordinator) deleteRows(ctx context.Context, r Request, w *frontend.Write) (int64, error) {
	old, err := c.target(ctx, r, frontend.KindDelete, w)
	if err != nil {
		return 0, err
	}
	var all []*temptable.Rows
	if sql := w.DeleteSQL(); sql != "" {
		rows, err := c.keepSQL(ctx, r, sql)
		if err != nil {
			return 0, err
		}
		all = append(all, rows)
	}
	next := temptable.NewVersion(old.Name, old.Columns, all)
	count := old.Count() - next.Count()
	if count == 0 {
		next.Release()
		return 0, nil
	}
	return count, r.Temporary.Put(next)
}

func (c *Coordinator) dropTable(ctx context.Context, r Request, w *frontend.Write) error {
	_, err := c.target(ctx, r, frontend.KindDrop, w)
	if err != nil {
		if w.Lenient && qerr.Is(err, qerr.NotFound) {
			return nil
		}
		return err
	}
	r.Temporary.Drop(w.Name[len(w.Name)-1])
	return nil
}

// count runs a query of one number. Parameters that stand elsewhere in the statement are named too, as each has to be.
func (c *Coordinator) count(ctx context.Context, r Request, sql string) (int64, error) {
	if r.Params != nil {
		for i := range r.Params.NumCols() {
			n := "$" + strconv.FormatInt(i+1, 10)
			sql += " AND (" + n + " IS NULL OR " + n + " IS NOT NULL)"
		}
	}
	planned, err := c.plan(ctx, r, sql)
	if err != nil {
		return 0, err
	}
	r.Once = true
	q := c.newQuery(r)
	if planned.Local {
		err = c.answer(q, localResult{sql: planned.LocalSQL, columns: planned.Columns})
	} else {
		err = c.run(q, planned)
	}
	if err != nil {
		return 0, err
	}
	if err := q.Ready(ctx); err != nil {
		q.Cancel(err)
		return 0, err
	}
	total := int64(0)
	for _, e := range q.State().Endpoints {
		n, err := c.sum(ctx, e.Ticket, q.user)
		if err != nil {
			q.Cancel(err)
			return 0, err
		}
		total += n
	}
	return total, nil
}

// sum adds up the first column of a stream.
func (c *Coordinator) sum(ctx context.Context, ticket []byte, user string) (total int64, err error) {
	reader, err := c.Open(ctx, ticket, user)
	if err != nil {
		return 0, err
	}
	defer func() { _ = reader.Close() }()
	for {
		batch, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return 0, err
		}
		if numbers, ok := batch.Column(0).(*array.Int64); ok {
			for _, n := range numbers.Int64Values() {
				total += n
			}
		}
		batch.Release()
	}
}

// describeWrite tells the parameters of a write, each with the type of where it goes.
func (c *Coordinator) describeWrite(ctx context.Context, r Request, command frontend.Command) (*frontend.Description, error) {
	w := command.Write
	if err := mayWrite(r, command.Kind, w); err != nil {
		return nil, err
	}
	var sql string
	var err error
	switch command.Kind {
	case frontend.KindCreateAs:
		sql = w.Query
	case frontend.KindInsert, frontend.KindUpdate, frontend.KindDelete:
		var old *temptable.Version
		if old, err = c.target(ctx, r, command.Kind, w); err != nil {
			return nil, err
		}
		switch command.Kind {
		case frontend.KindInsert:
			sql, err = c.insertSQL(ctx, r, w, old.Columns)
		case frontend.KindUpdate:
			sql, err = w.UpdateSQL(old.Columns)
		default:
			sql = w.DeleteSQL()
		}
	}
	if err != nil || sql == "" {
		return &frontend.Description{IsUpdate: true}, err
	}
	request, err := c.request(ctx, r, sql)
	if err != nil {
		return nil, err
	}
	d, err := c.cfg.Frontend.Describe(ctx, request)
	if err != nil {
		return nil, err
	}
	return &frontend.Description{Params: d.Params, IsUpdate: true}, nil
}
