package lifecycle

import "github.com/arbalest-sql/arbalest/internal/ids"

// giveUp ends the current attempt of a task and has its worker end it too, and begins another one.
//
// Not given up in this way are attempts that ended by themselves at their worker, those of lost workers (which are, when the
// worker comes back with them: see former), and outputs that one consumer could not read: others may be reading them, and the
// query's end drops them.
func (m *Machine) giveUp(task *task, ended TaskState) {
	m.abandon(task, &task.Task)
	task.next(ended, task.notBefore)
}

// abandon has a worker end an attempt of a task.
func (m *Machine) abandon(task *task, attempt *Task) {
	if attempt.Worker == "" || attempt.abandoned || attempt.State == Waiting {
		return
	}
	attempt.abandoned = true
	m.abandoned = append(m.abandoned, Abandon{Stage: task.stage, Task: task.index, Attempt: attempt.Attempt, Worker: attempt.Worker})
}

// forgetAbandoned has attempts of a lost worker abandoned once more if it comes back with them: the word may not have reached
// it.
func (t *task) forgetAbandoned(worker ids.WorkerID) {
	for p := range t.past {
		if t.past[p].Worker == worker {
			t.past[p].abandoned = false
		}
	}
}
