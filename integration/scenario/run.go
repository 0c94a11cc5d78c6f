package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// Run performs a plan by a client written in Go and writes its report: step runs one step and notes what it saw in the
// result; its error becomes the result's, with the status that statusOf reads from it.
func (p *Plan) Run(ctx context.Context, client string, step func(context.Context, Step, *Result) error, statusOf func(error) string) error {
	r := Report{Client: client}
	for _, s := range p.Steps {
		out := Result{Name: s.Name}
		start := time.Now()
		if err := p.runStep(ctx, s, &out, step); err != nil {
			out.Error, out.Status = err.Error(), statusOf(err)
		}
		out.Millis = time.Since(start).Milliseconds()
		r.Steps = append(r.Steps, out)
	}
	return r.write(p.Out)
}

// Refused writes the report of a client that could not connect.
func (p *Plan) Refused(client string, cause error, statusOf func(error) string) error {
	r := Report{Client: client, Error: cause.Error(), Status: statusOf(cause)}
	return r.write(p.Out)
}

func (p *Plan) runStep(ctx context.Context, s Step, out *Result, step func(context.Context, Step, *Result) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.Kind == "cancel" {
		timer := time.AfterFunc(time.Duration(s.AfterMillis)*time.Millisecond, cancel)
		defer timer.Stop()
	}
	return step(ctx, s, out)
}

func (r *Report) write(dir string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "report.json"), data, 0o644)
}

// Keeps tells whether the step's rows are wanted, or only their number.
func (s Step) Keeps() bool { return s.Kind != "execute" && s.Kind != "cancel" && !s.Count }

// Keep opens the file for a step's result; each batch goes to write, and done closes it. A step that keeps nothing writes
// nowhere.
func (p *Plan) Keep(s Step, schema *arrow.Schema) (write func(arrow.RecordBatch) error, done func() error, err error) {
	if !s.Keeps() {
		return func(arrow.RecordBatch) error { return nil }, func() error { return nil }, nil
	}
	file, err := os.Create(filepath.Join(p.Out, s.Name+".arrow"))
	if err != nil {
		return nil, nil, err
	}
	sink := ipc.NewWriter(file, ipc.WithSchema(schema))
	return sink.Write, func() error { return errors.Join(sink.Close(), file.Close()) }, nil
}
