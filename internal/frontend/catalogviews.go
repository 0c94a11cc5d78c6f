package frontend

import (
	"context"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/sqltext"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// answerBytesMax bounds the answer of a statement over the engine's catalog: information_schema.columns of 100 000 columns
// takes some 20 MB.
const answerBytesMax = 64 << 20

// planCatalogViews answers a statement over information_schema, SHOW TABLES and the like at once, in a planning database
// that holds all tables of the snapshot, empty; its rows become the local statement.
func (f *Frontend) planCatalogViews(ctx context.Context, st *statement) (*Planned, error) {
	if len(st.res.tables) > 0 {
		return nil, qerr.New(qerr.Unsupported, "the catalog's views (information_schema, duckdb_…, SHOW) and tables such as %s cannot "+
			"stand in one statement; query them one after the other, or use sys.tables", st.res.tables[0].Name)
	}
	tables, err := allTables(ctx, st.r)
	if err != nil {
		return nil, err
	}
	temporary := temporaryTables(st.r)
	in, err := f.instanceOf(ctx, f.catalogs, st.r, versionOf(st.r.Snapshot)+definitions(temporary))
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, catalogDeadline, errPlanDeadline)
	defer cancel()
	result := make(chan *Planned, 1)
	err = f.catalogs.Do(limited, in, func() error {
		got, err := answer(in, st, tables, temporary)
		result <- got
		return err
	})
	if !abandoned(err) {
		f.catalogs.Put(in)
	}
	if err != nil {
		return nil, faultError(err)
	}
	return <-result, nil
}

func defineTemporary(in *plandb.Instance, t *table.Table) error {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = table.Quote(c.Name) + " " + c.Type.SQL()
	}
	_, err := in.Rows("CREATE TEMP TABLE IF NOT EXISTS "+table.Quote(t.Name.Table)+" ("+strings.Join(columns, ", ")+")", 0)
	return err
}

// temporaryTables are the session's, without their rows.
func temporaryTables(r *Request) []*table.Table {
	if r.Temporaries == nil {
		return nil
	}
	return r.Temporaries()
}

// definitions tell tables apart by all that a database knows of them: one that has had some is for sessions with the same.
func definitions(tables []*table.Table) string {
	var b strings.Builder
	for _, t := range tables {
		b.WriteString("\x00" + t.Name.Table)
		for _, c := range t.Columns {
			b.WriteString("\x01" + c.Name + "\x01" + c.Type.SQL())
		}
	}
	return b.String()
}

// catalogDeadline bounds such an answer.
const catalogDeadline = 30 * time.Second

// allTables loads every table; one that cannot be read is left out, and read by name it says why.
func allTables(ctx context.Context, r *Request) ([]*table.Table, error) {
	var all []*table.Table
	if r.Snapshot != nil {
		for _, n := range r.Snapshot.Names() {
			t, err := r.Snapshot.Table(ctx, n)
			if stopped(ctx) {
				return nil, err
			}
			if err == nil {
				all = append(all, t)
			}
		}
	}
	if r.System != nil {
		for _, n := range systemTables {
			if t, err := r.System(n); err == nil && t != nil {
				all = append(all, t)
			}
		}
	}
	return all, nil
}

func answer(in *plandb.Instance, st *statement, tables, temporary []*table.Table) (*Planned, error) {
	if st.r.Snapshot != nil {
		for _, c := range st.r.Snapshot.Catalogs() {
			if err := in.DefineSchemas(c, st.r.Snapshot.Schemas(c)); err != nil {
				return nil, err
			}
		}
	}
	if err := in.DefineEmpty(tables...); err != nil {
		return nil, err
	}
	for _, t := range temporary {
		if err := defineTemporary(in, t); err != nil {
			return nil, err
		}
	}
	if err := in.Use(st.r.Settings.Catalog(), st.r.Settings.Schema(), st.r.Settings.TimeZone()); err != nil {
		return nil, err
	}
	cols, err := columns(in, st)
	if err != nil {
		return nil, err
	}
	names, texts := make([]string, len(cols)), make([]string, len(cols))
	for i := range cols {
		names[i] = "c" + itoa(i)
		texts[i] = "CAST(t." + names[i] + " AS VARCHAR)"
	}
	sql, err := printed(in, st.syntax)
	if err != nil {
		return nil, err
	}
	rows, err := in.Rows("SELECT "+strings.Join(texts, ", ")+" FROM ("+sql+"\n) AS t("+strings.Join(names, ", ")+")", answerBytesMax)
	if err != nil {
		return nil, err
	}
	sql = inlineSQL(&table.Table{Columns: cols, Inline: literals(rows)})
	p := &Planned{Local: true, LocalSQL: sqltext.SelectText(sql, cols), Columns: cols}
	p.Statement.Columns, p.Statement.Text = cols, sql
	p.Statement.Unread = "it asks the catalog"
	return p, nil
}

func literals(rows [][]*string) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		out[i] = make([]string, len(r))
		for k, v := range r {
			out[i][k] = "NULL"
			if v != nil {
				out[i][k] = table.Literal(*v)
			}
		}
	}
	return out
}
