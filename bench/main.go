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
	"strings"
	"text/tabwriter"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

// A figure is one measured number with its limit.
type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Limit    float64 `json:"limit"`   // 0 = none, told for what it explains
	AtLeast  bool    `json:"atLeast"` // the limit is a lower one
	Unit     string  `json:"unit"`
	Baseline string  `json:"baseline"`
}

// verdict compares the value with its limit, and prints that.
func (f figure) verdict() (limit, verdict string) {
	sign, holds := "≤", f.Value <= f.Limit
	if f.AtLeast {
		sign, holds = "≥", f.Value >= f.Limit
	}
	switch {
	case f.Limit == 0:
		return "", ""
	case holds:
		verdict = "holds"
	default:
		verdict = "MISSED"
	}
	return fmt.Sprintf("%s %.3g %s", sign, f.Limit, f.Unit), verdict
}

// options say what to measure.
type options struct {
	scale        float64 // of one node's queries and of the stream
	large        float64 // of a second stream; 0 = none
	clusterScale float64 // of a cluster's queries
	queries      string  // which of the 22; empty = all
	rounds       int     // per query, and of the kernel's figures
	selects      int
	threads      int
	members      int    // simulated workers
	memory       string // of each worker
	verbose      bool
}

// A part is something that can be measured by itself.
type part struct {
	name    string
	measure func(context.Context, options) ([]figure, error)
}

// parts are all there are, in the order in which they are measured.
var parts = []part{{"stream", streams}, {"queries", queries}, {"select1", selectOne}, {"kernel", kernel}, {"whole", whole}, {"cluster", cluster}, {"speedup", speedup}, {"clustered", clustered}, {"roster", roster}}

// fileParts is how many files a table has.
const fileParts = 8

func main() {
	var o options
	flag.Float64Var(&o.scale, "scale", 1, "TPC-H scale `factor` of the queries and the stream")
	flag.Float64Var(&o.large, "large", 0, "scale `factor` of a second, larger stream (10); 0 = none")
	flag.Float64Var(&o.clusterScale, "cluster-scale", 10, "TPC-H scale `factor` of the parts cluster and speedup")
	flag.StringVar(&o.queries, "queries", "", "only these of the 22 queries, as 1,3,18")
	flag.StringVar(&o.memory, "memory", "8GB", "memory of each worker")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds per query; medians are compared")
	flag.IntVar(&o.selects, "selects", 500, "rounds of SELECT 1")
	flag.IntVar(&o.threads, "threads", runtime.NumCPU(), "engine threads of both sides")
	flag.IntVar(&o.members, "members", 1000, "simulated workers of the part roster")
	flag.BoolVar(&o.verbose, "v", false, "print each query")
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	only := flag.String("only", "", "measure only these `parts`: "+strings.Join(names, ","))
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
	chosen := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, name := range chosen {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("-only %s: there is no such part", name)
		}
	}
	var figures []figure
	for _, p := range parts {
		if len(chosen) > 0 && !slices.Contains(chosen, p.name) {
			continue
		}
		more, err := p.measure(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		figures = append(figures, more...)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tvalue\tlimit\t\tbaseline")
	for _, f := range figures {
		limit, verdict := f.verdict()
		fmt.Fprintf(table, "%s\t%.3g %s\t%s\t%s\t%s\n", f.Name, f.Value, f.Unit, limit, verdict, f.Baseline)
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
	cluster, err := harness.Launch(ctx, harness.Options{Data: []string{data}, Embedded: true, Workers: 1, Threads: o.threads, Memory: o.memory})
	return cluster, data, err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
