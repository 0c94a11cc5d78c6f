package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

const (
	// scatterLimit is what scattering may cost, as a multiple of the scan; scatterSpeedupMin how much two threads must be faster
	// than one.
	scatterLimit      = 2
	scatterSpeedupMin = 1.5
)

// An engineCost is one run in enginebench.
type engineCost struct {
	MS  float64 `json:"ms"`
	CPU float64 `json:"cpu"`
}

func costsOf(runs []engineCost) costs {
	all := make(costs, len(runs))
	for i, r := range runs {
		all[i] = cost{r.MS, r.CPU}
	}
	return all
}

// kernel measures the data path by itself: the scatter of an exchange, and the exchange between two processes.
func kernel(ctx context.Context, o options) ([]figure, error) {
	data, err := harness.TPCH(ctx, o.scale, fileParts)
	if err != nil {
		return nil, err
	}
	binary, err := buildTool(ctx, "enginebench")
	if err != nil {
		return nil, err
	}
	figures, err := scatter(ctx, o, binary, data)
	if err != nil {
		return nil, err
	}
	more, err := exchange(ctx, o, binary, data)
	return append(figures, more...), err
}

func scatter(ctx context.Context, o options, binary, data string) ([]figure, error) {
	var runs map[string][]engineCost
	if err := outputOf(ctx, &runs, binary, "scatter", data, strconv.Itoa(o.rounds)); err != nil {
		return nil, err
	}
	var figures []figure
	for _, threads := range []string{"1", "2"} {
		scan, scattered := costsOf(runs["scan"+threads]), costsOf(runs["scatter"+threads])
		baseline := "max of every column on the same " + threads + " thread(s)"
		figures = append(figures,
			figure{Name: "scatter of lineitem into 16 partitions, " + threads + " thread(s)", Value: paired(scattered, scan, ofMS), Limit: scatterLimit,
				Unit: "×", Baseline: baseline},
			figure{Name: "  its processor time", Value: paired(scattered, scan, ofCPU), Limit: scatterLimit, Unit: "×", Baseline: baseline})
	}
	one, two := costsOf(runs["scatter1"]), costsOf(runs["scatter2"])
	return append(figures,
		figure{Name: "speed of two threads in that", Value: paired(one, two, ofMS), Limit: scatterSpeedupMin, AtLeast: true, Unit: "×", Baseline: "one thread"},
		figure{Name: "  processor time of two threads", Value: paired(two, one, ofCPU), Limit: clusterSize / scatterSpeedupMin, Unit: "×",
			Baseline: "one thread; counts where other work hides the speed"}), nil
}

// exchange measures the exchange of lineitem between two processes against stock arrow-go.
func exchange(ctx context.Context, o options, binary, data string) (figures []figure, err error) {
	var sent struct {
		Exchange, Stock                 string
		ExchangeBytes, StockBytes, Rows int64
	}
	command := exec.CommandContext(ctx, binary, "send", data)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close(), command.Wait()) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the sender ended: %w", err)
	}
	if err := json.Unmarshal([]byte(line), &sent); err != nil {
		return nil, err
	}
	var runs map[string][]engineCost
	if err := outputOf(ctx, &runs, binary, "receive", data, strconv.Itoa(o.rounds), sent.Exchange, sent.Stock); err != nil {
		return nil, err
	}
	ours, stock := costsOf(runs["exchange"]), costsOf(runs["stock"])
	rate := func(bytes int64, c costs) float64 { return float64(bytes) / 1e3 / c.ms() }
	baseline := fmt.Sprintf("stock arrow-go DoGet of prebuilt batches of 64 k rows, %.0f MB/s", rate(sent.StockBytes, stock))
	even := float64(sent.ExchangeBytes) / float64(sent.StockBytes)
	return []figure{
		{Name: fmt.Sprintf("exchange between two processes, %.0f MB/s", rate(sent.ExchangeBytes, ours)), Value: even * paired(stock, ours, ofMS), Limit: 1,
			AtLeast: true, Unit: "×", Baseline: baseline},
		{Name: "  processor time of the receiver", Value: paired(ours, stock, ofCPU) / even, Unit: "×", Baseline: baseline},
	}, nil
}

// whole reads lineitem through ADBC, and from DuckDB in the client's own process.
func whole(ctx context.Context, o options) (figures []figure, err error) {
	cluster, data, err := serve(ctx, o, o.scale)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	python, err := harness.Python()
	if err != nil {
		return nil, err
	}
	script, err := harness.Path("bench", "whole.py")
	if err != nil {
		return nil, err
	}
	var times struct {
		Rows       float64
		Ours, Base []float64
	}
	if err := outputOf(ctx, &times, python, script, cluster.URI(), filepath.Join(data, "lineitem", "*.parquet"), strconv.Itoa(o.threads), strconv.Itoa(o.rounds)); err != nil {
		return nil, err
	}
	ratios := make([]float64, len(times.Ours))
	for i := range ratios {
		ratios[i] = times.Base[i] / times.Ours[i]
	}
	return []figure{{Name: fmt.Sprintf("%s through ADBC, %.2f Mrows/s", wholeTable, times.Rows/median(times.Ours)/1e3), Value: median(ratios), Limit: 1, AtLeast: true,
		Unit: "×", Baseline: fmt.Sprintf("DuckDB in-process to Arrow, %d threads, %.2f Mrows/s", o.threads, times.Rows/median(times.Base)/1e3)}}, nil
}

func ofMS(c cost) float64 { return c.ms }

func ofCPU(c cost) float64 { return c.cpu }

// paired is the median of a round's cost ÷ the other's in the same round: what else the machine does comes and goes, and is much
// the same for neighbours.
func paired(a, b costs, of func(cost) float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = of(a[i]) / of(b[i])
	}
	return median(ratios)
}

// buildTool builds one of the programs beside bench.
func buildTool(ctx context.Context, name string) (string, error) {
	binary, err := harness.Path(".tmp", "bin", name)
	if err != nil {
		return "", err
	}
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-tags", "duckdb_arrow", "-o", binary, "./bench/"+name)
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, output)
	}
	return binary, nil
}

// outputOf runs a program and reads its output as JSON.
func outputOf(ctx context.Context, into any, program string, args ...string) error {
	command := exec.CommandContext(ctx, program, args...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	data, err := io.ReadAll(out)
	if err := errors.Join(err, command.Wait()); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return json.Unmarshal(data, into)
}
