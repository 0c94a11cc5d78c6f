package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/flight"
	"github.com/apache/arrow/go/v15/arrow/flight/flightsql"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

type plan struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	User     string `json:"user"`
	Password string `json:"password"`
	Out      string `json:"out"`
	Steps    []step `json:"steps"`
}

type step struct {
	Name        string  `json:"name"`
	Kind        string  `json:"kind"`
	SQL         string  `json:"sql"`
	Params      []param `json:"params"`
	Count       bool    `json:"count"`
	AfterMillis int     `json:"after_ms"`
}

type result struct {
	Name      string `json:"name"`
	Rows      int64  `json:"rows"`
	Millis    int64  `json:"millis"`
	Endpoints int    `json:"endpoints"`
	Error     string `json:"error"`
	Status    string `json:"status"`
}

type report struct {
	Client string   `json:"client"`
	Error  string   `json:"error"`
	Status string   `json:"status"`
	Steps  []result `json:"steps"`
}

func main() {
	start := run
	switch {
	case len(os.Args) == 3 && os.Args[1] == "features":
		start = features
	case len(os.Args) != 2:
		fmt.Fprintln(os.Stderr, "usage: v15client plan.json | v15client features setting.json")
		os.Exit(2)
	}
	if err := start(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "v15client:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var p plan
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	r := report{Client: "arrow-go v15"}
	if err := perform(context.Background(), p, &r); err != nil {
		r.Error, r.Status = err.Error(), statusOf(err)
	}
	if data, err = json.Marshal(r); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.Out, "report.json"), data, 0o644)
}

func perform(ctx context.Context, p plan, r *report) error {
	// v15 programs keep a session by cookies: its client has no notion of a token in a reply.
	client, err := flightsql.NewClientCtx(ctx, fmt.Sprintf("%s:%d", p.Host, p.Port), nil,
		[]flight.ClientMiddleware{flight.NewClientCookieMiddleware()}, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer client.Close()
	if p.User != "" {
		if ctx, err = client.Client.AuthenticateBasicToken(ctx, p.User, p.Password); err != nil {
			return err
		}
	}
	for _, s := range p.Steps {
		out := result{Name: s.Name}
		start := time.Now()
		if err := performStep(ctx, client, p.Out, s, &out); err != nil {
			out.Error, out.Status = err.Error(), statusOf(err)
		}
		out.Millis = time.Since(start).Milliseconds()
		r.Steps = append(r.Steps, out)
	}
	return nil
}

func performStep(ctx context.Context, client *flightsql.Client, dir string, s step, out *result) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.Kind == "cancel" {
		timer := time.AfterFunc(time.Duration(s.AfterMillis)*time.Millisecond, cancel)
		defer timer.Stop()
	}
	if s.Kind != "params" {
		info, err := client.Execute(ctx, s.SQL)
		if err != nil {
			return err
		}
		return save(ctx, client, dir, s, info, out)
	}
	prepared, err := client.Prepare(ctx, s.SQL)
	if err != nil {
		return err
	}
	batch, err := bindings(s.Params)
	if err != nil {
		return err
	}
	defer batch.Release()
	prepared.SetParameters(batch)
	info, err := prepared.Execute(ctx)
	if err != nil {
		return errors.Join(err, prepared.Close(ctx))
	}
	return errors.Join(save(ctx, client, dir, s, info, out), prepared.Close(ctx))
}

// save reads every endpoint through the one connection to the door, as v15 programs do: they know no locations.
func save(ctx context.Context, client *flightsql.Client, dir string, s step, info *flight.FlightInfo, out *result) (err error) {
	out.Endpoints = len(info.GetEndpoint())
	schema, err := flight.DeserializeSchema(info.GetSchema(), nil)
	if err != nil {
		return err
	}
	write := func(arrow.Record) error { return nil }
	if s.Kind != "execute" && s.Kind != "cancel" && !s.Count {
		file, err := os.Create(filepath.Join(dir, s.Name+".arrow"))
		if err != nil {
			return err
		}
		sink := ipc.NewWriter(file, ipc.WithSchema(schema))
		defer func() { err = errors.Join(err, sink.Close(), file.Close()) }()
		write = sink.Write
	}
	for i, endpoint := range info.GetEndpoint() {
		if err := readEndpoint(ctx, client, endpoint, schema, write, out); err != nil {
			return fmt.Errorf("endpoint %d: %w", i, err)
		}
	}
	return nil
}

func readEndpoint(ctx context.Context, client *flightsql.Client, endpoint *flight.FlightEndpoint, schema *arrow.Schema,
	write func(arrow.Record) error, out *result,
) error {
	reader, err := client.DoGet(ctx, endpoint.GetTicket())
	if err != nil {
		return err
	}
	defer reader.Release()
	if !reader.Schema().Equal(schema) {
		return fmt.Errorf("sends %s, FlightInfo announced %s", reader.Schema(), schema)
	}
	for reader.Next() {
		out.Rows += reader.Record().NumRows()
		if err := write(reader.Record()); err != nil {
			return err
		}
	}
	return reader.Err()
}

var names = [...]string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
	"UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}

func statusOf(err error) string {
	if s, ok := status.FromError(err); ok {
		return names[s.Code()]
	}
	var wrapped interface{ GRPCStatus() *status.Status }
	if errors.As(err, &wrapped) {
		return names[wrapped.GRPCStatus().Code()]
	}
	if errors.Is(err, context.Canceled) {
		return "CANCELLED"
	}
	return "UNKNOWN"
}
