package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

// selectOne compares SELECT 1 through ADBC with a bare Flight SQL server, in turns.
func selectOne(ctx context.Context, o options) (figures []figure, err error) {
	cluster, _, err := serve(ctx, o, o.scale)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	bare, stop, err := startBare(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	python, err := harness.Python()
	if err != nil {
		return nil, err
	}
	script, err := harness.Path("bench", "select1.py")
	if err != nil {
		return nil, err
	}
	var times struct{ Ours, Base []float64 }
	if err := outputOf(ctx, &times, python, script, cluster.URI(), "grpc://"+bare, strconv.Itoa(o.selects)); err != nil {
		return nil, fmt.Errorf("SELECT 1: %w", err)
	}
	if o.verbose {
		fmt.Printf("SELECT 1: p50 %.2f ms, bare server %.2f ms\n", median(times.Ours), median(times.Base))
	}
	return []figure{{Name: "SELECT 1 through ADBC, p50 above the baseline", Value: median(times.Ours) - median(times.Base), Limit: 2, Unit: "ms",
		Baseline: fmt.Sprintf("a bare arrow-go Flight SQL server, p50 %.2f ms", median(times.Base))}}, nil
}

// startBare builds and starts the bare server; it says where it listens.
func startBare(ctx context.Context) (address string, stop func(), err error) {
	binary, err := buildTool(ctx, "bareserver")
	if err != nil {
		return "", nil, err
	}
	command := exec.CommandContext(ctx, binary)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := command.Start(); err != nil {
		return "", nil, fmt.Errorf("start the bare server: %w", err)
	}
	stop = func() { _, _ = command.Process.Signal(syscall.SIGTERM), command.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the bare server ended: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}
