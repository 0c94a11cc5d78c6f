package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/apache/arrow/go/v15/arrow/flight"
)

// A setting is what the features are measured against: see the type of this name in integration/compat.
type setting struct {
	URI         string `json:"uri"`
	Secure      secure `json:"secure"`
	Rows        int64  `json:"rows"`
	LargeRows   int64  `json:"large_rows"`
	SpreadRows  int64  `json:"spread_rows"`
	Connections int    `json:"connections"`
	Slow        string `json:"slow"`
	Endless     string `json:"endless"`
}

type secure struct {
	Address  string `json:"address"`
	CA       string `json:"ca"`
	User     string `json:"user"`
	Password string `json:"password"`
	Workers  int    `json:"workers"`
}

const workers = 2 // of the door without login

// A verdict is what a check gives instead of a plain yes, for a reason that is known and stays.
type verdict string

func (v verdict) Error() string { return string(v) }

func notApplicable(reason string) func(context.Context) error {
	return func(context.Context) error { return verdict("n/a: " + reason) }
}

func noted(detail string) error { return verdict("yes: " + detail) }

// features measures what the client can do, and writes its column into the folder of ARBALEST_COMPAT_OUT.
func features(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var s setting
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	const young = "the call is younger than this client"
	verdicts := map[string]string{}
	var faults []error
	for _, f := range []struct {
		name  string
		check func(context.Context) error
	}{
		{"login", loginGo(s)}, {"token", tokenGo(s)}, {"tls", tlsGo(s)}, {"session", s.with(sessionGo)},
		{"session options", notApplicable(young)}, {"prepared", s.with(preparedGo)}, {"parameters", s.with(parametersGo)},
		{"many rows bound", s.with(manyRowsGo)}, {"temporary tables", s.with(temporaryGo)}, {"ingest", notApplicable(young)},
		{"transactions", s.with(transactionsGo)}, {"savepoints", s.with(savepointsGo)}, {"catalogs", s.with(catalogsGo)},
		{"table schema", s.with(tableSchemaGo)}, {"keys", s.with(keysGo)}, {"type info", s.with(typeInfoGo)},
		{"server info", s.with(serverInfoGo)}, {"streaming", s.with(streamingGo)}, {"endpoints", s.with(endpointsGo)},
		{"partitions", s.with(partitionsGo)}, {"poll", notApplicable(young)}, {"cancel", s.with(cancelGo)}, {"timeout", s.with(timeoutGo)},
		{"renew", s.with(renewGo)}, {"25 workers", workersGo(s)}, {"10 M rows", s.with(largeGo)}, {"50 connections", connectionsGo(s)},
		{"data frames", notApplicable("the client has no data frames, only Arrow's batches")}, {"plain flight", s.with(plainGo)},
	} {
		err := f.check(context.Background())
		var known verdict
		switch {
		case err == nil:
			verdicts[f.name] = "yes"
		case errors.As(err, &known):
			verdicts[f.name] = string(known)
		default:
			verdicts[f.name] = "no: " + err.Error()
			faults = append(faults, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	data, err = json.Marshal(map[string]any{"client": "flightsql-v15", "version": libraryVersion(), "features": verdicts})
	if err != nil {
		return err
	}
	out := filepath.Join(os.Getenv("ARBALEST_COMPAT_OUT"), "flightsql-v15-features.json")
	return errors.Join(append(faults, os.WriteFile(out, data, 0o644))...)
}

func libraryVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/apache/arrow/go/v15" {
				return m.Version
			}
		}
	}
	return ""
}

// leave closes the session, by its bare action as this client has no call for it, and the connection.
func (c *session) leave(ctx context.Context) error {
	stream, err := c.Client.Client.DoAction(ctx, &flight.Action{Type: "CloseSession"})
	for err == nil {
		_, err = stream.Recv()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, c.Close())
}
