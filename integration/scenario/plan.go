package scenario

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// A Plan is what a client shall do, in one session.
type Plan struct {
	URI      string `json:"uri"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	User     string `json:"user,omitempty"` // empty = anonymous
	Password string `json:"password,omitempty"`
	Out      string `json:"out"` // folder for the report and the results
	Steps    []Step `json:"steps"`
}

// A Step is one statement and what to do with it.
type Step struct {
	Name        string  `json:"name"`
	Kind        string  `json:"kind"`
	SQL         string  `json:"sql"`
	Params      []Param `json:"params,omitempty"`
	Count       bool    `json:"count,omitempty"`    // only count the rows
	AfterMillis int     `json:"after_ms,omitempty"` // when to cancel
}

// A Param is one parameter: null bool int32 int64 double decimal string date timestamp bytes (as hex).
type Param struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// A Report is what happened. Error is set when the connection failed and no step ran.
type Report struct {
	Client string   `json:"client"`
	Error  string   `json:"error"`
	Status string   `json:"status"`
	Steps  []Result `json:"steps"`
}

// A Result is what happened in one step.
type Result struct {
	Name      string   `json:"name"`
	Rows      int64    `json:"rows"`
	Millis    int64    `json:"millis"`
	Endpoints int      `json:"endpoints"` // 0 = the client does not tell
	Locations []string `json:"locations"`
	Error     string   `json:"error"`
	Status    string   `json:"status"` // as gRPC writes it: INVALID_ARGUMENT
}

// Step finds a step's result.
func (r *Report) Step(name string) (Result, error) {
	for _, s := range r.Steps {
		if s.Name == name {
			return s, nil
		}
	}
	return Result{}, fmt.Errorf("%s did not run step %s: %s", r.Client, name, r.Error)
}

// Write puts the plan as plan.json into its Out folder and returns the file's path.
func (p *Plan) Write() (string, error) {
	data, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return "", fmt.Errorf("write the plan: %w", err)
	}
	path := filepath.Join(p.Out, "plan.json")
	return path, os.WriteFile(path, data, 0o644)
}

// ReadReport reads report.json of a run.
func ReadReport(dir string) (*Report, error) {
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		return nil, fmt.Errorf("the client left no report: %w", err)
	}
	r := &Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	return r, nil
}

// Address gives the door as host:port.
func (p *Plan) Address() string { return net.JoinHostPort(p.Host, strconv.Itoa(p.Port)) }
