package coordinator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func workerRows(c *Coordinator, _ context.Context, _ Request) ([][]string, error) {
	states := c.links.loads()
	var rows [][]string
	for _, m := range c.cfg.Cluster.Members().Members {
		state, followed := states[m.ID]
		followed = followed && state.incarnation == m.Incarnation
		load := state.load
		number := func(n uint64) string {
			if !followed || load == nil {
				return null
			}
			return integer(int64(n))
		}
		rows = append(rows, []string{
			text(string(m.ID)), text(string(m.Incarnation)), text(m.Address), textOrNull(m.Advertised),
			text(m.Status.String()), textOrNull(m.Reason), boolean(followed && state.up),
			integer(int64(m.Threads)), integer(int64(m.MemoryBytes)),
			number(uint64(load.GetRunningTasks())), number(uint64(load.GetKeptTasks())), number(load.GetExchangeBytes()),
			number(load.GetEngineBytes()), number(load.GetSpillBytes()),
			text(m.Version), text(m.DuckDB), integer(int64(m.Protocol)),
		})
	}
	return rows, nil
}

func queryRows(c *Coordinator, _ context.Context, r Request) ([][]string, error) {
	var rows [][]string
	for _, q := range c.newestFirst() {
		rows = append(rows, q.row(r.User))
	}
	return rows, nil
}

// newestFirst lists all known queries.
func (c *Coordinator) newestFirst() []*Query {
	all := c.registry.all()
	slices.SortFunc(all, func(a, b *Query) int {
		return cmp.Or(b.submitted.Compare(a.submitted), cmp.Compare(a.id, b.id))
	})
	return all
}

func (q *Query) row(reader string) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	statement := text(q.statement)
	if !mayManage(reader, q) {
		statement = null
	}
	kind, message := null, null
	if err := q.machine.Err(); err != nil {
		kind, message = text(qerr.KindOf(err).String()), text(cut(err.Error(), q.c.cfg.Limits.StatementBytesMax))
	}
	tasks, resultRows, bytes := q.machine.Totals()
	if q.stages == 0 { // the coordinator's own answer is no stage of a plan
		tasks = 0
	}
	return []string{
		text(string(q.id)), textOrNull(q.user), textOrNull(q.session), text(q.machine.Status().String()), statement,
		integer(int64(q.stages)), integer(int64(tasks)), number(q.machine.Progress()),
		integer(int64(resultRows)), integer(int64(bytes)),
		moment(q.submitted), moment(q.machine.Started()), moment(q.machine.Ended()),
		number(float64(q.planTime) / float64(time.Millisecond)), kind, message,
		notesText(q.notes),
		textOrNull(q.group), number(float64(q.queueTime()) / float64(time.Millisecond)),
	}
}

// queueTime is how long the query waited after it was planned, or has waited so far; q.mu is held.
func (q *Query) queueTime() time.Duration {
	until := q.machine.Started()
	if until.IsZero() {
		until = q.machine.Ended()
	}
	if until.IsZero() {
		until = q.c.cfg.Now()
	}
	return max(until.Sub(q.submitted)-q.planTime, 0)
}

// mayManage reports whether a user may see a query's statement and end it: its own, and any on a server without login.
func mayManage(user string, q *Query) bool { return user == "" || user == q.user }

func taskRows(c *Coordinator, _ context.Context, _ Request) ([][]string, error) {
	var rows [][]string
	for _, q := range c.newestFirst() {
		for _, a := range q.attempts() {
			if len(rows) == tasksRowsMax {
				return rows, nil
			}
			kind, message := null, null
			if a.Err != nil {
				kind, message = text(qerr.KindOf(a.Err).String()), text(cut(a.Err.Error(), c.cfg.Limits.StatementBytesMax))
			}
			rows = append(rows, []string{
				text(string(q.id)), integer(int64(a.stage)), integer(int64(a.task)), integer(int64(a.Attempt)),
				textOrNull(string(a.Worker)), text(a.State.String()),
				integer(int64(a.Rows)), integer(int64(a.Bytes)), integer(int64(a.SpillBytes)),
				number(float64(a.Elapsed) / float64(time.Millisecond)), number(a.Progress), kind, message,
			})
		}
	}
	return rows, nil
}

// An attempt is one try of a task of a query.
type attempt struct {
	stage, task int
	lifecycle.Task
}

// attempts lists the attempts of all tasks of a distributed query, by stage and task, the current one last.
func (q *Query) attempts() (all []attempt) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stages == 0 {
		return nil
	}
	for s, tasks := range q.machine.Stages() {
		for t := range tasks {
			for _, one := range q.machine.Attempts(ids.StageID(s), ids.TaskIndex(t)) {
				all = append(all, attempt{s, t, one})
			}
		}
	}
	return all
}

func settingRows(_ *Coordinator, _ context.Context, r Request) ([][]string, error) {
	var rows [][]string
	for _, s := range r.Settings.All() {
		rows = append(rows, []string{text(s.Name), text(s.Value), text(s.Default), text(s.Type), text(s.Allowed), text(s.Description)})
	}
	return rows, nil
}

func tableRows(c *Coordinator, ctx context.Context, _ Request) ([][]string, error) {
	snapshot, err := c.cfg.Catalog.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, name := range snapshot.Names() {
		row := []string{text(name.Catalog), text(name.Schema), text(name.Table), null, null, null, null, null, null, null}
		if t, err := snapshot.Table(ctx, name); err != nil {
			row[9] = text(err.Error())
		} else {
			var bytes int64
			for i := range t.Files {
				bytes += t.Files[i].Size
			}
			row[3], row[4], row[5], row[6] = text(string(t.Format)), integer(int64(len(t.Columns))), integer(int64(len(t.Files))), integer(bytes)
			row[7], row[8] = integer(t.Rows), boolean(t.RowsExact)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// The forms of literals.

const null = "NULL"

// text is a string literal. Clients choose statements, users and sessions, so what no VARCHAR may hold is taken out.
func text(s string) string {
	return table.Literal(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", ""))
}

func textOrNull(s string) string {
	if s == "" {
		return null
	}
	return text(s)
}

func integer(n int64) string { return strconv.FormatInt(n, 10) }

func number(f float64) string { return fmt.Sprintf("%.3f::DOUBLE", f) }

func boolean(b bool) string { return strconv.FormatBool(b) }

func moment(t time.Time) string {
	if t.IsZero() {
		return null
	}
	return "TIMESTAMPTZ " + table.Literal(t.UTC().Format("2006-01-02 15:04:05.000000+00"))
}
