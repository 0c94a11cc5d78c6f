package lifecycle

import (
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// resume reads the stages as start does, with what is left of each task behind them: "had=done#1,lost#1,placed#2,-".
func (s *script) resume(t *testing.T, d *datadriven.TestData) Resume {
	states := map[string]TaskState{"done": Done, "lost": Done, "placed": Placed, "running": Active}
	e := Resume{Given: 100, Revealed: d.HasArg("revealed"), Now: s.now}
	var left []string
	lines := strings.Split(strings.TrimSpace(d.Input), "\n")
	for i, line := range lines {
		before, had, _ := strings.Cut(line, " had=")
		lines[i], left = before, append(left, had)
	}
	d.Input = strings.Join(lines, "\n")
	e.Shape = s.shape(t, d)
	for stage, had := range left {
		var tasks []Resumed
		for i, word := range strings.Split(had, ",") {
			if had == "" {
				break
			}
			state, number, _ := strings.Cut(word, "#")
			attempt, _ := strconv.Atoi(number)
			one := Resumed{Task: Task{Worker: e.Shape.Stages[stage].Workers[i], Attempt: ids.Attempt(attempt), State: states[state]}}
			if one.SchemaSent = state == "running"; state == "lost" {
				one.Lost = qerr.New(qerr.Unavailable, "its worker is gone")
			}
			tasks = append(tasks, one)
		}
		e.Tasks = append(e.Tasks, tasks)
	}
	return e
}
