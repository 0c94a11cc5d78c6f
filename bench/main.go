package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"text/tabwriter"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

// A figure is one measured number with its limit.
type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Limit    float64 `json:"limit"`
	Unit     string  `json:"unit"`
	Baseline string  `json:"baseline"`
}

// options say what to measure.
type options struct {
	scale   float64 // of the queries and of the stream
	large   float64 // of a second stream; 0 = none
	rounds  int     // per query
	selects int
	threads int
	verbose bool
}

// fileParts is how many files a table has.
const fileParts = 8

func main() {
	var o options
	flag.Float64Var(&o.scale, "scale", 1, "TPC-H scale `factor` of the queries and the stream")
	flag.Float64Var(&o.large, "large", 0, "scale `factor` of a second, larger stream (10); 0 = none")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds per query; medians are compared")
	flag.IntVar(&o.selects, "selects", 500, "rounds of SELECT 1")
	flag.IntVar(&o.threads, "threads", runtime.NumCPU(), "engine threads of both sides")
	flag.BoolVar(&o.verbose, "v", false, "print each query")
	only := flag.String("only", "", "measure only `stream`, queries or select1")
	file := flag.String("json", "", "also write the figures to `FILE`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, *only, *file); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, only, file string) error {
	var figures []figure
	for _, m := range []struct {
		name    string
		measure func(context.Context, options) ([]figure, error)
	}{{"stream", streams}, {"queries", queries}, {"select1", selectOne}} {
		if only != "" && only != m.name {
			continue
		}
		more, err := m.measure(ctx, o)
		if err != nil {
			return err
		}
		figures = append(figures, more...)
	}
	if figures == nil {
		return fmt.Errorf("-only %q: there are stream, queries and select1", only)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tvalue\tlimit\t\tbaseline")
	for _, f := range figures {
		verdict := "holds"
		if f.Value > f.Limit {
			verdict = "MISSED"
		}
		fmt.Fprintf(table, "%s\t%.3g %s\t≤ %.3g %s\t%s\t%s\n", f.Name, f.Value, f.Unit, f.Limit, f.Unit, verdict, f.Baseline)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if file == "" {
		return nil
	}
	data, err := json.MarshalIndent(figures, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// serve starts one server process with one worker over TPC-H data of a scale.
func serve(ctx context.Context, o options, scale float64) (*harness.Cluster, string, error) {
	data, err := harness.TPCH(ctx, scale, fileParts)
	if err != nil {
		return nil, "", err
	}
	cluster, err := harness.Launch(ctx, harness.Options{Data: []string{data}, Embedded: true, Workers: 1, Threads: o.threads, Memory: "8GB"})
	return cluster, data, err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
