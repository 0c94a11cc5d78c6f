package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

// queries compares the 22 TPC-H queries with DuckDB in-process, in turns.
func queries(ctx context.Context, o options) (figures []figure, err error) {
	cluster, data, err := serve(ctx, o, o.scale)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	session, err := client.Dial(ctx, cluster.Door.Address, client.Options{})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	duck, err := startDuck(ctx, data, o.threads)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, duck.close()) }()

	var logs float64
	for _, q := range tpch.Queries() {
		var ours, base []float64
		for round := range o.rounds + 1 {
			b, err := duck.run(q.SQL)
			if err != nil {
				return nil, fmt.Errorf("%s in DuckDB: %w", q.Name, err)
			}
			start := time.Now()
			if err := session.Exec(ctx, q.SQL); err != nil {
				return nil, fmt.Errorf("%s: %w", q.Name, err)
			}
			if round == 0 {
				continue // the first round warms the page cache and both plans
			}
			base, ours = append(base, b), append(ours, float64(time.Since(start))/1e6)
		}
		ratio := median(ours) / median(base)
		if o.verbose {
			fmt.Printf("%s  %7.1f ms  DuckDB %7.1f ms  %.2f\n", q.Name, median(ours), median(base), ratio)
		}
		logs += math.Log(ratio)
	}
	return []figure{{fmt.Sprintf("22 TPC-H queries, scale %v", o.scale), math.Exp(logs / float64(len(tpch.Queries()))), 1.15, "×",
		fmt.Sprintf("DuckDB in-process, %d threads, geometric mean", o.threads)}}, nil
}

// A duckProcess is the baseline: a Python process that runs a statement a line.
type duckProcess struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func startDuck(ctx context.Context, data string, threads int) (*duckProcess, error) {
	python, err := harness.Python()
	if err != nil {
		return nil, err
	}
	script, err := harness.Path("bench", "duck.py")
	if err != nil {
		return nil, err
	}
	tables, err := harness.Tables(data)
	if err != nil {
		return nil, err
	}
	d := &duckProcess{command: exec.CommandContext(ctx, python, script, strconv.Itoa(threads))}
	d.command.Stderr = os.Stderr
	if d.in, err = d.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := d.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d.out = bufio.NewReader(out)
	if err := d.command.Start(); err != nil {
		return nil, fmt.Errorf("start the baseline: %w", err)
	}
	return d, d.send(tables)
}

func (d *duckProcess) send(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = d.in.Write(append(line, '\n'))
	return err
}

// run gives the milliseconds that a statement took.
func (d *duckProcess) run(sql string) (float64, error) {
	if err := d.send(sql); err != nil {
		return 0, err
	}
	line, err := d.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the baseline ended: %w", err)
	}
	return strconv.ParseFloat(strings.TrimSpace(line), 64)
}

func (d *duckProcess) close() error { return errors.Join(d.in.Close(), d.command.Wait()) }
