package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

const parts = 8

func main() {
	scale := flag.Float64("scale", 1, "TPC-H scale `factor`")
	workers := flag.Int("workers", 2, "worker processes")
	distributed := flag.String("distributed", "always", "arbalest.distributed of the session: auto, always or never")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *scale, *workers, *distributed); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, scale float64, workers int, distributed string) (err error) {
	fmt.Fprintf(out, "TPC-H at scale %v as Parquet, each table in %d files …\n", scale, parts)
	data, err := harness.TPCH(ctx, scale, parts)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "The answers of one plain DuckDB over the same files …")
	answers, cleanup, err := expected(ctx, data)
	if err != nil {
		return err
	}
	defer cleanup()

	cluster, err := harness.Launch(ctx, harness.Options{Data: []string{data}, Workers: workers,
		Threads: max(1, runtime.NumCPU()/workers), Memory: "4GB"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	fmt.Fprintf(out, "\ncoordinator at %s", cluster.URI())
	for _, w := range cluster.Workers {
		fmt.Fprintf(out, ", %s at grpc://%s", w.Name, w.Address)
	}
	fmt.Fprint(out, "\n\n")

	session, err := client.Dial(ctx, cluster.Door.Address, client.Options{})
	if err != nil {
		return err
	}
	defer session.Close()
	if err := session.Exec(ctx, "SET arbalest.distributed = '"+distributed+"'"); err != nil {
		return err
	}
	return queries(ctx, out, session, answers)
}

// expected asks the oracle for all answers; cleanup removes its files.
func expected(ctx context.Context, data string) (map[string]oracle.Answer, func(), error) {
	dir, err := os.MkdirTemp("", "arbalest-demo-")
	if err != nil {
		return nil, nil, err
	}
	cleanup := func() { os.RemoveAll(dir) }
	tables, err := harness.Tables(data)
	if err != nil {
		return nil, cleanup, err
	}
	question := oracle.Question{Tables: tables, Out: dir, Threads: runtime.NumCPU()}
	for _, q := range tpch.Queries() {
		question.Statements = append(question.Statements, oracle.Statement{Name: q.Name, SQL: q.SQL})
	}
	answers, err := oracle.Ask(ctx, question)
	return answers, cleanup, err
}

// queries runs all 22 and a read of a whole table, and prints a line for each.
func queries(ctx context.Context, out io.Writer, session *client.Session, answers map[string]oracle.Answer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "query\trows\ttime\tstages\tcheck\tendpoints")
	var wrong []string
	for _, q := range tpch.Queries() {
		result, err := session.Query(ctx, q.SQL)
		if err != nil {
			return fmt.Errorf("%s: %w", q.Name, err)
		}
		verdict := "as DuckDB"
		if err := check(result, answers[q.Name], tpch.OrderBy[q.Number]); err != nil {
			verdict = "WRONG"
			wrong = append(wrong, fmt.Sprintf("%s: %v", q.Name, err))
		}
		if err := line(ctx, table, session, q.Name, verdict, result); err != nil {
			return err
		}
	}
	result, err := session.Query(ctx, "SELECT l_orderkey, l_linenumber, l_extendedprice FROM lineitem")
	if err != nil {
		return fmt.Errorf("whole table: %w", err)
	}
	if err := line(ctx, table, session, "lineitem", "", result); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if wrong != nil {
		return fmt.Errorf("%d answers differ from DuckDB's:\n%s", len(wrong), strings.Join(wrong, "\n"))
	}
	fmt.Fprintf(out, "\nAll %d answers are DuckDB's.\n", len(tpch.Queries()))
	return nil
}

func check(result *client.Result, answer oracle.Answer, order []int) error {
	want, err := answer.Rows()
	if err != nil {
		return fmt.Errorf("the oracle refuses: %w", err)
	}
	return oracle.Compare(want, oracle.FromBatches(result.Schema, result.Batches), order...)
}

// line prints what a result was and where it came from, and releases it.
func line(ctx context.Context, table io.Writer, session *client.Session, name, verdict string, result *client.Result) error {
	defer result.Release()
	stages, err := stagesOf(ctx, session, result.QueryID)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var places []string
	for _, p := range result.Parts {
		place := p.Location
		if place == "" {
			place = "coordinator"
		}
		places = append(places, fmt.Sprintf("%s (%d rows)", place, p.Rows))
	}
	fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%s\t%s\n", name, result.Rows(), result.Elapsed.Round(time.Millisecond), stages, verdict, strings.Join(places, ", "))
	return nil
}

// stagesOf looks the query up in sys.queries.
func stagesOf(ctx context.Context, session *client.Session, queryID string) (int32, error) {
	r, err := session.Query(ctx, "SELECT stages FROM sys.queries WHERE query_id = '"+strings.ReplaceAll(queryID, "'", "''")+"'")
	if err != nil {
		return 0, err
	}
	defer r.Release()
	if r.Rows() != 1 {
		return 0, fmt.Errorf("sys.queries has %d rows for query %q", r.Rows(), queryID)
	}
	column, ok := r.Batches[0].Column(0).(*array.Int32)
	if !ok {
		return 0, fmt.Errorf("sys.queries.stages is %s", r.Batches[0].Column(0).DataType())
	}
	return column.Value(0), nil
}
