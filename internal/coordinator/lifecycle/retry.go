package lifecycle

import (
	"fmt"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// failed handles the end of a task's current attempt by an error: the task is tried again, or its query fails.
func (m *Machine) failed(stage ids.StageID, index ids.TaskIndex, err error, now time.Time) []Action {
	task := m.find(stage, index)
	if err == nil {
		err = qerr.New(qerr.Internal, "the worker gave no reason")
	}
	m.count(task, OutcomeFailed)
	task.State, task.Err = Broken, err
	fault := explain(running(stage, index, task), err)
	root := m.isRoot(stage)
	if root && task.shown() {
		return m.fail(fault, now)
	}
	// A client that read the task at its worker has seen the error. It goes on elsewhere only when the worker could not
	// serve it, or was short of something that others may have; other errors it takes for the query's.
	told := root && !task.proxied
	pause := true
	switch qerr.KindOf(err) {
	case qerr.FetchFailed:
		if m.unreadable(stage, err, fault) {
			// Only the producer is to blame, whose attempts bound how often this happens.
			task.next(Broken, now)
			if told {
				task.told = fault
			}
			return m.proceed(now)
		}
		task.shun()
	case qerr.Unavailable, qerr.Fenced:
		task.shun()
	case qerr.IO:
		if told || qerr.IsFinal(err) {
			return m.fail(fault, now)
		}
		task.shun() // the fault may be in the worker's way to the file
	case qerr.Resource:
		if task.alone {
			return m.fail(fault, now)
		}
		task.alone = true
		task.shun() // what is used up there, its disk too, may be plenty elsewhere
	case qerr.Internal:
		task.shun()
		if told || task.faulted || !m.elsewhere(task) {
			return m.fail(fault, now)
		}
		task.faulted, pause = true, false
	default:
		return m.fail(fault, now)
	}
	if !m.charge(task) {
		return m.fail(fault, now)
	}
	notBefore := now
	if pause {
		notBefore = now.Add(backoff(task.failures))
	}
	task.next(Broken, notBefore)
	if told {
		task.told = fault
	}
	return m.proceed(now)
}

// charge counts an attempt against the task's limit, and reports whether there may be another one.
func (m *Machine) charge(task *task) bool {
	task.failures++
	return task.failures < m.shape.Attempts
}

// unreadable marks the producer that a failed fetch of a stage names as lost. It reports false when the error names none.
func (m *Machine) unreadable(stage ids.StageID, err, why error) bool {
	key := producerOf(err)
	producer := m.find(key.Stage, key.Task)
	if producer == nil || key.Stage >= stage || key.Attempt < 1 || key.Attempt > producer.Attempt {
		return false
	}
	if producer.Attempt == key.Attempt && producer.State == Done && !producer.lost {
		producer.shun()
		m.lose(producer, why)
	}
	return true
}

// refused handles a task that its worker did not take. As long as there are workers that were not asked, that is none of the
// task's attempts: a worker that drains, or is full, is replaced.
func (m *Machine) refused(e Created, task *task) []Action {
	fault := explain(fmt.Sprintf("dispatch stage %d task %d to worker %s", e.Stage, e.Task, task.Worker), e.Err)
	m.count(task, OutcomeRefused)
	task.Err = e.Err
	switch qerr.KindOf(e.Err) {
	case qerr.Unavailable, qerr.Fenced, qerr.Deadline, qerr.Resource:
	default:
		task.State = Broken
		return m.fail(fault, e.Now)
	}
	notBefore := e.Now
	if !m.elsewhere(task) {
		if !m.charge(task) {
			task.State = Broken
			return m.fail(fault, e.Now)
		}
		notBefore = e.Now.Add(backoff(task.failures))
		task.avoid = nil // all are asked once more
	}
	task.shun()
	task.notBefore = notBefore
	m.giveUp(task, Broken) // the worker may have taken it, and only the answer was lost
	return m.proceed(e.Now)
}
