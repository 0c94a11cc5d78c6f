package coordinator

import (
	"context"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

const (
	// sentBytesMin and sentBytesMax are how many bytes of rows one task of an ingest is given, in its spec: few at first, as most
	// ingests are small, then an eighth of what has come, so that a large table is not of too many parts. Several of them, and their
	// copies in messages, are in memory at once.
	sentBytesMin = 8 << 20
	sentBytesMax = 16 << 20
	// sentRowBytesMax bounds a single row. With what is around it, it has to stay under the 64 MiB of a message.
	sentRowBytesMax = 48 << 20
	// sentAtOnce is how many tasks of an ingest run at once: the workers take turns.
	sentAtOnce = 2
)

// sent are rows on their way from a client to the worker that will keep them: the one table that their statement reads.
type sent struct {
	types  []table.Type
	rows   int64
	stream []byte // in IPC, in the wire layout of types
}

// sentTable and sentColumn name them in that statement's SQL, which is our own.
const sentTable = "sent rows"

func sentColumn(i int) string { return "v" + strconv.Itoa(i) }

// table is the rows as the planner sees them: one file.
func (s *sent) table(r Request) *table.Table {
	t := &table.Table{Name: table.Name{Catalog: r.Settings.Catalog(), Schema: r.Settings.Schema(), Table: sentTable}, Format: frontend.Temporary,
		Rows: s.rows, RowsExact: true, Files: []table.File{{Path: sentTable, Size: int64(len(s.stream)), Rows: s.rows}}}
	for i, of := range s.types {
		t.Columns = append(t.Columns, table.Column{Name: sentColumn(i), Type: of})
	}
	return t
}

// carried are the rows that came with a statement; nil when none did, or they are kept already.
func (h *held) carried() *sent {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent
}

func (h *held) letGo() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = nil
}

// ingestRows has the workers keep all rows of a reader, in their order; sql makes the table's rows of those that were sent. On an
// error nothing is kept. The caller releases what it returns.
func (c *Coordinator) ingestRows(ctx context.Context, r Request, sql string, types []table.Type, reader flightx.Reader) ([]*temptable.Rows, error) {
	s := &sender{c: c, r: r, sql: sql, out: newOutgoing(types)}
	s.group, s.ctx = errgroup.WithContext(ctx)
	s.group.SetLimit(sentAtOnce)
	err := s.read(reader)
	if err == nil {
		err = s.flush()
	}
	if err != nil {
		s.group.Go(func() error { return err }) // ends the others
	}
	err = s.group.Wait()
	if err == nil {
		err = s.standing()
	}
	if err != nil {
		for _, rows := range s.kept {
			if rows != nil {
				rows.Release()
			}
		}
		return nil, err
	}
	return s.kept, nil
}

// keepSent has a worker keep rows. The caller releases what it returns.
func (c *Coordinator) keepSent(ctx context.Context, r Request, sql string, rows *sent) (*temptable.Rows, error) {
	r = withoutParameters(r)
	var err error
	if r.Settings, err = r.Settings.Set(settings.Distributed, settings.Never); err != nil { // one task: the workers take turns
		return nil, err
	}
	r.held = &held{sent: rows}
	defer r.held.letGo() // the query lives as long as the table
	kept, err := c.keepSQL(ctx, r, sql)
	if err != nil {
		return nil, err
	}
	got := int64(0)
	for _, p := range kept.Parts {
		got += p.Rows
	}
	if got != rows.rows {
		kept.Release()
		return nil, qerr.New(qerr.Internal, "a worker has kept %d rows of %d; are all nodes of one version?", got, rows.rows)
	}
	return kept, nil
}

// standing reports, as Unavailable, when a worker was lost while the last rows came, with some that it had kept before.
func (s *sender) standing() error {
	for _, rows := range s.kept {
		if !s.c.stands(rows) {
			return qerr.New(qerr.Unavailable, "a worker that kept a part of the rows was lost while the others came; nothing is written, send them again")
		}
	}
	return nil
}

// stands reports whether all parts of some rows are still kept, as far as this coordinator knows.
func (c *Coordinator) stands(rows *temptable.Rows) bool {
	q, known := c.registry.find(rows.Query)
	if !known {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range rows.Parts {
		if task, ok := q.machine.RootTask(p.Task); !ok || task.State != lifecycle.Done {
			return false
		}
	}
	return q.machine.Err() == nil && !q.machine.Status().Final()
}
