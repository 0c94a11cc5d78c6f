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
