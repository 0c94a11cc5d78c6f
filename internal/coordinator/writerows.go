package coordinator

import (
	"context"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

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
