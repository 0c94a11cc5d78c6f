package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/arbalest-sql/arbalest/internal/shell"
	"github.com/spf13/pflag"
)

const (
	workersStatement = "SELECT * FROM sys.workers ORDER BY worker_id"
	queriesStatement = "SELECT query_id, state, progress, \"user\", submitted, statement FROM sys.queries WHERE ended IS NULL AND statement NOT LIKE '%sys.queries%' ORDER BY submitted"
)

func runStatus(args []string, out io.Writer) error {
	var o clientOptions
	flags := pflag.NewFlagSet("arbalest status", pflag.ContinueOnError)
	o.flags(flags)
	asJSON := flags.Bool("json", false, "print one JSON object: workers and queries")
	if err := parse(flags, args, out); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client, err := o.connect(ctx)
	if err != nil {
		return errors.New(shell.Message(err))
	}
	defer client.Close()
	if *asJSON {
		return statusJSON(ctx, client, out)
	}
	for _, part := range []struct{ title, statement string }{{"workers", workersStatement}, {"running queries", queriesStatement}} {
		fmt.Fprintln(out, part.title)
		w, err := shell.NewWriter("table", out)
		if err != nil {
			return err
		}
		if _, err := client.Run(ctx, part.statement, w, nil); err != nil {
			return errors.New(shell.Message(err))
		}
		fmt.Fprintln(out)
	}
	return nil
}

func statusJSON(ctx context.Context, client *shell.Client, out io.Writer) error {
	var workers, queries rowCollector
	if _, err := client.Run(ctx, workersStatement, &workers, nil); err != nil {
		return errors.New(shell.Message(err))
	}
	if _, err := client.Run(ctx, queriesStatement, &queries, nil); err != nil {
		return errors.New(shell.Message(err))
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"workers": workers.rows, "queries": queries.rows})
}

// rowCollector keeps every row as a JSON object.
type rowCollector struct{ rows []json.RawMessage }

func (c *rowCollector) Schema(*arrow.Schema) error { c.rows = []json.RawMessage{}; return nil }
func (c *rowCollector) Finish() error              { return nil }
func (c *rowCollector) Batch(b arrow.RecordBatch) error {
	text, err := b.MarshalJSON()
	if err != nil {
		return err
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(text, &rows); err != nil {
		return err
	}
	c.rows = append(c.rows, rows...)
	return nil
}
