package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

// held are the versions of temporary tables that a statement reads: what they are made of stays until it has ended.
type held struct {
	mu       sync.Mutex
	versions []*temptable.Version
	over     bool
	sent     *sent // rows that the statement is to keep; nil for others, and once they are kept
}

// add takes a version's hold over.
func (h *held) add(v *temptable.Version) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		v.Release()
		return
	}
	h.versions = append(h.versions, v)
}

func (h *held) release() {
	h.mu.Lock()
	versions := h.versions
	h.versions, h.over = nil, true
	h.mu.Unlock()
	for _, v := range versions {
		v.Release()
	}
}

// of names the table that the rows of a query belong to.
func (h *held) of(query ids.QueryID) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, v := range h.versions {
		for _, r := range v.Rows {
			if r.Query == query {
				return v.Name
			}
		}
	}
	return ""
}

// temporaryTable is a session's table as the planner sees it: each kept output is a file of it. Nil when there is none.
func (c *Coordinator) temporaryTable(r Request, name string) (*table.Table, error) {
	if rows := r.held.carried(); rows != nil {
		return rows.table(r), nil
	}
	v := r.Temporary.Table(name)
	if v == nil {
		return nil, nil //nolint:nilnil // as the frontend wants it
	}
	r.held.add(v)
	t := &table.Table{Name: table.Name{Catalog: r.Settings.Catalog(), Schema: r.Settings.Schema(), Table: v.Name}, Columns: v.Columns,
		Format: frontend.Temporary, Rows: v.Count(), RowsExact: true}
	for _, rows := range v.Rows {
		q, known := c.registry.find(rows.Query)
		if !known || q.err() != nil {
			return nil, lost(v.Name)
		}
		for _, p := range rows.Parts {
			if p.Rows > 0 {
				t.Files = append(t.Files, table.File{Path: fmt.Sprintf("%s/%d", rows.Query, p.Task), Size: p.Bytes, Rows: p.Rows})
			}
		}
	}
	return t, nil
}

// temporaries are the session's tables, without their rows.
func (r Request) temporaries() (all []*table.Table) {
	if r.Temporary == nil {
		return nil
	}
	for _, v := range r.Temporary.List() {
		all = append(all, &table.Table{Name: table.Name{Table: v.Name}, Columns: v.Columns})
		v.Release()
	}
	return all
}

// lost is the error of who reads a table of which a worker kept a part that is gone.
func lost(name string) error {
	return qerr.New(qerr.NotFound, "the temporary table %q is lost: a worker that kept a part of it is gone; drop it and create it again", name)
}

// lostTable makes the failed fetch of a table's part what a user can act on.
func lostTable(q *Query, err error) error {
	var e *qerr.Error
	if !qerr.Is(err, qerr.FetchFailed) || !errors.As(err, &e) || e.Producer.Query == "" || e.Producer.Query == q.id {
		return err
	}
	return lost(q.held.of(e.Producer.Query))
}

// temporaryInput says where a task's share of a temporary table is.
func (c *Coordinator) temporaryInput(q *Query, in *distplan.ScanInput, splits []table.Split) (*pb.ExchangeSource, error) {
	types := make([]table.Type, len(in.Table.Columns))
	for i, column := range in.Table.Columns {
		types[i] = column.Type
	}
	source := &pb.ExchangeSource{Name: in.Name, Columns: numbered(types), Projection: &pb.Projection{}}
	for _, k := range in.Columns {
		source.Projection.Columns = append(source.Projection.Columns, int32(k))
	}
	if rows := q.held.carried(); rows != nil {
		source.Rows = rows.stream
		return source, nil
	}
	for _, s := range splits {
		producer, err := c.temporaryProducer(s.File.Path)
		if err != nil {
			return nil, err
		}
		if producer == nil {
			return nil, lost(in.Table.Name.Table)
		}
		source.Producers = append(source.Producers, producer)
	}
	return source, nil
}

// temporaryProducer is the kept output that a "file" of a temporary table stands for; nil when it is lost.
func (c *Coordinator) temporaryProducer(path string) (*pb.Producer, error) {
	id, index, _ := strings.Cut(path, "/")
	n, err := strconv.Atoi(index)
	q, known := c.registry.find(ids.QueryID(id))
	if err != nil || !known {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	root, ok := q.machine.RootTask(ids.TaskIndex(n))
	if !ok || q.work.plan == nil || root.State != lifecycle.Done {
		return nil, nil //nolint:nilnil // lost
	}
	worker := q.work.workers[root.Worker]
	key := keyOf(q.id, q.work.plan.plan.Root().ID, ids.TaskIndex(n), root.Attempt)
	ticket, err := c.sign(q, &pb.Ticket{Audience: pb.Audience_AUDIENCE_EXCHANGE, Key: key, Partitions: []uint32{0}}, worker)
	return &pb.Producer{Key: key, WorkerId: string(worker.ID), Address: worker.Address, Tls: worker.TLS, Ticket: ticket}, err
}

// keep runs a query whose rows stay on the workers, and waits for its end. The caller releases the rows.
func (c *Coordinator) keep(ctx context.Context, r Request, planned *frontend.Planned) (*temptable.Rows, error) {
	if planned.Local { // no table is scanned: one worker computes it
		planned.Statement = distplan.Statement{Columns: planned.Columns, Text: planned.LocalSQL}
	}
	q := c.newQuery(r)
	q.rows, q.spool = true, false
	if err := c.run(q, planned); err != nil {
		return nil, err
	}
	if err := q.Ready(ctx); err != nil {
		q.Cancel(err)
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.machine.Err(); err != nil {
		return nil, err
	}
	var parts []temptable.Part
	for t := 0; ; t++ {
		task, ok := q.machine.RootTask(ids.TaskIndex(t))
		if !ok {
			break
		}
		parts = append(parts, temptable.Part{Task: ids.TaskIndex(t), Rows: int64(task.Rows), Bytes: int64(task.Bytes)})
	}
	return temptable.NewRows(q.id, parts, func() { q.step(lifecycle.Forget{Now: c.cfg.Now()}) }), nil
}
