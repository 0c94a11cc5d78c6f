package coordinator

import (
	"slices"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
)

const (
	// owedMax bounds the ends of queries that are remembered for one life of a worker, and owedLivesMax those lives. What
	// is forgotten is held at the worker until its deadline, or until it has not been watched for long.
	owedMax      = 4096
	owedLivesMax = 256
)

// owed are ends of queries that a worker has not heard of since it was away. A worker that hung, or was cut off, comes back
// with all that it had, and is told then; another life of it has nothing.
type owed struct {
	mu    sync.Mutex
	lives []owedLife // guarded by mu; the oldest first
}

type owedLife struct {
	worker      ids.WorkerID
	incarnation ids.Incarnation
	ends        []owedEnd
}

type owedEnd struct {
	query ids.QueryID
	why   error
}

func (o *owed) add(worker member.Record, end owedEnd) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := slices.IndexFunc(o.lives, func(l owedLife) bool { return l.worker == worker.ID && l.incarnation == worker.Incarnation })
	if at < 0 {
		if len(o.lives) == owedLivesMax {
			o.lives = slices.Delete(o.lives, 0, 1)
		}
		o.lives = append(o.lives, owedLife{worker: worker.ID, incarnation: worker.Incarnation})
		at = len(o.lives) - 1
	}
	life := &o.lives[at]
	if len(life.ends) == owedMax {
		life.ends = slices.Delete(life.ends, 0, 1)
	}
	life.ends = append(life.ends, end)
}

// take gives what is owed to a worker that is there again, and forgets what was owed to other lives of it.
func (o *owed) take(worker member.Record) (ends []owedEnd) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lives = slices.DeleteFunc(o.lives, func(l owedLife) bool {
		if l.worker == worker.ID && l.incarnation == worker.Incarnation {
			ends = l.ends
		}
		return l.worker == worker.ID
	})
	return ends
}

// owe remembers an end that a worker could not be told.
func (c *Coordinator) owe(worker member.Record, query ids.QueryID, why error) {
	c.owed.add(worker, owedEnd{query, why})
	if c.links.isUp(worker) { // it came back meanwhile
		c.payOwed(worker)
	}
}

// payOwed tells a worker that is there again which queries have ended.
func (c *Coordinator) payOwed(worker member.Record) {
	for _, end := range c.owed.take(worker) {
		c.release(worker, end.query, end.why)
	}
}
