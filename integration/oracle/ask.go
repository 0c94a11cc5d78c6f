package oracle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

// A Question is a request to the oracle.
type Question struct {
	Tables     map[string]string `json:"tables"`  // name → Parquet glob
	Threads    int               `json:"threads"` // 0 = 2
	Out        string            `json:"out"`     // where the answers go
	Setup      []string          `json:"setup"`   // run first: CREATE TABLE, COPY … TO
	Statements []Statement       `json:"statements"`
}

// A Statement is one SELECT; Text asks for DuckDB's text of every value instead of the values.
type Statement struct {
	Name string `json:"name"`
	SQL  string `json:"sql"`
	Text bool   `json:"text"`
}

// An Answer is what DuckDB said.
type Answer struct {
	RowCount int64  `json:"rows"`
	Millis   int64  `json:"millis"`
	Error    string `json:"error"` // DuckDB's message, when it refused
	Path     string `json:"-"`     // the Arrow IPC stream
}

// Ask runs the statements in one DuckDB process and gives its answers by name. A refused statement is an answer; only a
// fault in the setup or in the process is an error.
func Ask(ctx context.Context, q Question) (map[string]Answer, error) {
	python, err := harness.Python()
	if err != nil {
		return nil, err
	}
	script, err := harness.Path("integration", "oracle", "oracle.py")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(q.Out, 0o755); err != nil {
		return nil, fmt.Errorf("ask the oracle: %w", err)
	}
	request, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("ask the oracle: %w", err)
	}
	command := exec.CommandContext(ctx, python, script)
	command.Stdin = bytes.NewReader(request)
	reply, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("ask the oracle: %w", err)
	}
	answers := map[string]Answer{}
	if err := json.Unmarshal(reply, &answers); err != nil {
		return nil, fmt.Errorf("read the oracle's reply: %w", err)
	}
	for name, a := range answers {
		a.Path = filepath.Join(q.Out, name+".arrow")
		answers[name] = a
	}
	return answers, nil
}

// Rows reads the answer's values.
func (a Answer) Rows() (*Rows, error) {
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	return ReadStream(a.Path)
}
