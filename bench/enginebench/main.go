package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/duck"
)

const (
	// partitions is how many the scatter and the exchange have: four for each of four consumers.
	partitions = 16
	// memoryBytes is the engine's; lineitem's partitions are outside of it.
	memoryBytes = 4 << 30
)

// A cost is one run: milliseconds of time and of processor time.
type cost struct {
	MS  float64 `json:"ms"`
	CPU float64 `json:"cpu"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "enginebench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 3 && args[0] == "scatter":
		rounds, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return scatter(ctx, args[1], rounds)
	case len(args) == 2 && args[0] == "send":
		return send(ctx, args[1])
	case len(args) == 5 && args[0] == "receive":
		return receive(ctx, args[1:])
	}
	return fmt.Errorf("%q is none of its ways to be called", strings.Join(args, " "))
}

// measure runs f and tells what it took of this process.
func measure(f func() error) (cost, error) {
	runtime.GC() // what the last run left is not this one's
	before, start := used(), time.Now()
	err := f()
	return cost{milliseconds(time.Since(start)), milliseconds(used() - before)}, err
}

// used is the processor time of this process.
func used() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func openEngine(data string, threads int) (*duck.Engine, error) {
	return duck.Open(duck.Config{Threads: threads, MemoryBytes: memoryBytes, OutputBytesMax: memoryBytes, DataLocations: []string{data}})
}

// lineitem gives the table's columns and where to read it.
func lineitem(data string) (columns []table.Column, from string) {
	for _, t := range tpch.Tables() {
		if t.Name == "lineitem" {
			columns = t.Columns
		}
	}
	return columns, " FROM read_parquet(" + table.Literal(filepath.Join(data, "lineitem", "*.parquet")) + ")"
}

func names(columns []table.Column) []string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c.Name
	}
	return all
}

// partitioned is the statement whose output an exchange by the order's key has.
func partitioned(columns []table.Column, from string) string {
	return fmt.Sprintf("SELECT %s, (hash(l_orderkey) >> 20) %% %d%s", strings.Join(names(columns), ", "), partitions, from)
}

func print(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }
