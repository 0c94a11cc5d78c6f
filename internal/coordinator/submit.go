package coordinator

import (
	"context"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// Submit plans a statement and starts its query. Faults of the statement come back from here, and so does a refusal by
// admission; what happens later is in the Query's State. ctx bounds the planning only: the query outlives it, and who
// submitted it must see to it that it is read or cancelled (or leave it to the result TTL).
func (c *Coordinator) Submit(ctx context.Context, r Request) (*Query, error) {
	r.held = &held{}
	q := c.newQuery(r)
	command, err := c.cfg.Frontend.Classify(r.SQL)
	if err != nil {
		return nil, err
	}
	if command.Kind == frontend.KindQuery {
		err = c.runQuery(ctx, q, r)
	} else {
		err = c.runCommand(ctx, q, r, command)
	}
	if err != nil {
		r.held.release()
		return nil, err
	}
	q.atEnd(r.held.release)
	return q, nil
}

// runQuery plans a statement that gives rows, and answers it here or hands it to the workers.
func (c *Coordinator) runQuery(ctx context.Context, q *Query, r Request) error {
	planned, err := c.plan(ctx, r, r.SQL)
	if err != nil {
		return err
	}
	q.planTime = c.cfg.Now().Sub(q.submitted)
	c.metrics.planned(q.planTime)
	if planned.Local {
		return c.answer(q, localResult{sql: planned.LocalSQL, columns: planned.Columns, kept: q.spool})
	}
	if q.group, err = c.groupOf(r); err != nil {
		return err
	}
	return c.run(q, planned)
}

// Describe tells the columns and parameters of a statement without running it.
func (c *Coordinator) Describe(ctx context.Context, r Request) (*frontend.Description, error) {
	r.held = &held{}
	defer r.held.release()
	command, err := c.cfg.Frontend.Classify(r.SQL)
	if err != nil {
		return nil, err
	}
	if command.Write != nil {
		return c.describeWrite(ctx, r, command)
	}
	request, err := c.request(ctx, r, r.SQL)
	if err != nil {
		return nil, err
	}
	return c.cfg.Frontend.Describe(ctx, request)
}

func (c *Coordinator) newQuery(r Request) *Query {
	return &Query{
		spool: !r.Once && r.Settings.Results() == settings.Spool, affected: -1, held: r.held, epoch: 1,
		c: c, id: ids.QueryID(newID("q")), user: r.User, session: r.Session,
		statement: cut(r.SQL, c.cfg.Limits.StatementBytesMax),
		submitted: c.cfg.Now(), settings: r.Settings, ready: make(chan struct{}), done: make(chan struct{}),
	}
}

// describe fixes what the client will see.
func (q *Query) describe(columns []table.Column) {
	q.columns = columns
	q.schema = arrowtype.ClientSchema(columns, q.settings.TimeZone())
}

// plan asks the frontend for the operator tree of a statement, over a fresh snapshot of the catalog.
func (c *Coordinator) plan(ctx context.Context, r Request, sql string) (*frontend.Planned, error) {
	request, err := c.request(ctx, r, sql)
	if err != nil {
		return nil, err
	}
	return c.cfg.Frontend.Plan(ctx, request)
}

func (c *Coordinator) request(ctx context.Context, r Request, sql string) (frontend.Request, error) {
	snapshot, err := c.cfg.Catalog.Snapshot(ctx)
	if err != nil {
		return frontend.Request{}, qerr.Wrap(qerr.IO, "read catalog", err)
	}
	var temporary func(string) (*table.Table, error)
	if r.Temporary != nil && (r.Temporary.Any() || r.held.carried() != nil) {
		temporary = func(name string) (*table.Table, error) { return c.temporaryTable(r, name) }
	}
	return frontend.Request{
		SQL: sql, Temporary: temporary, Temporaries: r.temporaries, Params: r.Params, Snapshot: snapshot, Settings: r.Settings, User: r.User,
		System: func(name string) (*table.Table, error) { return c.systemTable(ctx, name, r) },
	}, nil
}

// run takes a planned query into the registry, and starts it when admission has a place.
func (c *Coordinator) run(q *Query, planned *frontend.Planned) error {
	q.describe(planned.Columns)
	q.work.plan = &placedPlan{statement: planned.Statement}
	if err := c.registry.add(q); err != nil {
		return err
	}
	limit := c.cfg.Limits.QueueWaitMax
	q.step(lifecycle.Wait{Until: q.submitted.Add(limit),
		Err: qerr.New(qerr.Unavailable, "the query waited %s for one of %d places; try again later", limit, c.cfg.Limits.RunningMax)})
	now, err := c.admission.enter(q)
	if err != nil {
		q.Cancel(err)
		return err
	}
	if now {
		c.start(q)
	}
	if q.State().Status.Final() { // ended (Close, KILL) before it had its place: give the place back
		c.leave(q)
	}
	return nil
}

// cut shortens a text to at most bytesMax bytes at a rune's border.
func cut(text string, bytesMax int) string {
	if len(text) <= bytesMax {
		return text
	}
	const mark = "…"
	end := bytesMax - len(mark)
	for end > 0 && text[end]&0xC0 == 0x80 {
		end--
	}
	return text[:max(end, 0)] + mark
}
