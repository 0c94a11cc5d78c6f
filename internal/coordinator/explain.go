package coordinator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/schedule"
)

// localPlanText is the plan of statements that need no worker.
const localPlanText = "plan stages=0 tasks=0\nthe coordinator answers this statement itself: it scans no table\n"

// explained is the result of EXPLAIN, in DuckDB's columns.
func explained(key, plan string) localResult {
	return localResult{
		sql:     "SELECT " + text(key) + " AS explain_key, " + text(plan) + " AS explain_value",
		columns: []table.Column{column("explain_key", table.Varchar), column("explain_value", table.Varchar)},
	}
}

// explain prints the plan that the statement would have with the workers there are now.
func (c *Coordinator) explain(ctx context.Context, q *Query, r Request, sql string) error {
	if err := c.onlyQueries(sql); err != nil {
		return err
	}
	planned, err := c.plan(ctx, r, sql)
	if err != nil {
		return err
	}
	plan := localPlanText
	if !planned.Local {
		built, assignment, _, err := c.build(planned.Statement, r.Settings, c.links.usableOrWait(nil))
		if err != nil {
			return qerr.Wrap(qerr.Internal, "plan stages", err)
		}
		plan = planText(built, assignment) + rulesText(built)
	}
	return c.answer(q, explained("distributed_plan", plan))
}

func (c *Coordinator) onlyQueries(sql string) error {
	command, err := c.cfg.Frontend.Classify(sql)
	if err != nil {
		return err
	}
	if command.Kind != frontend.KindQuery {
		return qerr.New(qerr.Unsupported, "only queries can be explained")
	}
	return nil
}

// planText prints a plan, with its tasks when there were workers to assign them to.
func planText(plan *distplan.Plan, assignment *schedule.Assignment) string {
	if assignment == nil {
		return distplan.Explain(plan)
	}
	return distplan.ExplainOn(plan, assignment.Tasks())
}

// rulesText prints the rules that made a plan.
func rulesText(plan *distplan.Plan) string {
	var b strings.Builder
	for _, name := range plan.Rules {
		fmt.Fprintf(&b, "rule: %s\n", name)
	}
	return b.String()
}

// explainAnalyze runs the statement as a query of its own, reads and drops its rows, and then prints what ran. The result
// is placed when that is done.
func (c *Coordinator) explainAnalyze(ctx context.Context, q *Query, r Request, sql string) error {
	if err := c.onlyQueries(sql); err != nil {
		return err
	}
	q.describe(explained("", "").columns)
	if err := c.registry.add(q); err != nil {
		return err
	}
	r.SQL = sql
	r.Once = true
	child, err := c.Submit(ctx, r)
	if err != nil {
		q.Cancel(err)
		return err
	}
	q.atEnd(func() { child.Cancel(nil) })
	if !c.group.run(func(ctx context.Context) { c.analyze(ctx, q, child) }) {
		q.Cancel(errStopping)
	}
	return nil
}

// analyze reads the child to its end and gives the parent its result.
func (c *Coordinator) analyze(ctx context.Context, q, child *Query) {
	plan, err := c.drain(ctx, child)
	if err != nil {
		child.Cancel(err)
		q.Cancel(err)
		return
	}
	select {
	case <-child.done: // the workers' last reports have come: the figures are exact
	case <-ctx.Done():
	case <-time.After(c.cfg.Limits.CallTimeout):
	}
	c.answerLater(q, explained("analyzed_plan", plan+child.figures()))
}

// drain reads all endpoints at once and drops the rows. It returns the plan, which an ended query does not keep.
func (c *Coordinator) drain(ctx context.Context, q *Query) (plan string, err error) {
	if err := q.Ready(ctx); err != nil {
		return "", err
	}
	plan = localPlanText
	q.mu.Lock()
	placed := q.work.plan
	q.mu.Unlock()
	if placed != nil {
		plan = planText(placed.plan, placed.assignment)
		for _, note := range placed.notes {
			plan += "adapted: " + note.String() + "\n"
		}
	}
	endpoints := q.State().Endpoints
	faults := make([]error, len(endpoints))
	var readers sync.WaitGroup
	for i, e := range endpoints {
		readers.Go(func() { faults[i] = c.drop(ctx, e.Ticket, q.user) })
	}
	readers.Wait()
	for _, fault := range faults {
		if fault != nil {
			return "", fault // the first is as good as any: one failure ends the others
		}
	}
	return plan, nil
}

func (c *Coordinator) drop(ctx context.Context, ticket []byte, user string) error {
	reader, err := c.Open(ctx, ticket, user)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }()
	for {
		batch, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		batch.Release()
	}
}

// figures prints what ran, by stage.
func (q *Query) figures() string {
	stages := q.tasks()
	q.mu.Lock()
	elapsed := q.machine.Ended().Sub(q.machine.Started())
	q.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "\nran in %s\n", elapsed.Round(time.Microsecond))
	for s, tasks := range stages {
		b.WriteString(stageFigures(s, tasks))
	}
	return b.String()
}

func stageFigures(stage int, tasks []lifecycle.Task) string {
	var rows, bytes, spill, most uint64
	var slowest time.Duration
	for _, t := range tasks {
		rows += t.Rows
		bytes += t.Bytes
		spill += t.SpillBytes
		most = max(most, t.Rows)
		slowest = max(slowest, t.Elapsed)
	}
	skew := 1.0 // the largest task's rows over the mean
	if rows > 0 {
		skew = float64(most) * float64(len(tasks)) / float64(rows)
	}
	return fmt.Sprintf("stage %d ran tasks=%d rows=%d bytes=%d spill=%d time=%s skew=%.2f\n",
		stage, len(tasks), rows, bytes, spill, slowest.Round(time.Microsecond), skew)
}
