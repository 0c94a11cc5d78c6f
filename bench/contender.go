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
	"strconv"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
)

// A cost is what one statement took: milliseconds of time, and of processor time in the processes that run queries.
type cost struct{ ms, cpu float64 }

// A contender runs statements, and is compared with others that run the same in turn.
type contender interface {
	run(ctx context.Context, sql string) (cost, error)
	close() error
}

// costs are those of one statement in the rounds that count.
type costs []cost

func (c costs) ms() float64 { return median(c.each(func(x cost) float64 { return x.ms })) }

func (c costs) cpu() float64 { return median(c.each(func(x cost) float64 { return x.cpu })) }

func (c costs) each(of func(cost) float64) []float64 {
	values := make([]float64, len(c))
	for i, x := range c {
		values[i] = of(x)
	}
	return values
}

// duel runs a statement in all contenders by turns. The first round warms the page cache and the plans, and is dropped;
// with no rounds it is the only one, and counts.
func duel(ctx context.Context, name, sql string, rounds int, all ...contender) ([]costs, error) {
	results := make([]costs, len(all))
	for round := range rounds + 1 {
		for i, c := range all {
			x, err := c.run(ctx, sql)
			if err != nil {
				return nil, fmt.Errorf("%s in contender %d: %w", name, i, err)
			}
			if round > 0 || rounds == 0 {
				results[i] = append(results[i], x)
			}
		}
	}
	return results, nil
}

// A door is a cluster of ours with one session.
type door struct {
	cluster *harness.Cluster
	session *client.Session
	// busy are the processes whose processor time counts.
	busy []*harness.Process
}

// openDoor launches a cluster and connects to it.
func openDoor(ctx context.Context, o harness.Options) (*door, error) {
	cluster, err := harness.Launch(ctx, o)
	if err != nil {
		return nil, err
	}
	d := &door{cluster: cluster, busy: cluster.Workers}
	if o.Embedded {
		d.busy = cluster.Processes()
	}
	if d.session, err = client.Dial(ctx, cluster.Door.Address, client.Options{}); err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	return d, nil
}

func (d *door) cpu() (sum time.Duration, err error) {
	for _, p := range d.busy {
		used, err := p.CPU()
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

func (d *door) run(ctx context.Context, sql string) (cost, error) {
	before, err := d.cpu()
	if err != nil {
		return cost{}, err
	}
	start := time.Now()
	if err := d.session.Exec(ctx, sql); err != nil {
		return cost{}, err
	}
	took := time.Since(start)
	after, err := d.cpu()
	return cost{milliseconds(took), milliseconds(after - before)}, err
}

func (d *door) close() error { return errors.Join(d.session.Close(), d.cluster.Stop()) }

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

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

func (d *duckProcess) run(_ context.Context, sql string) (cost, error) {
	if err := d.send(sql); err != nil {
		return cost{}, err
	}
	line, err := d.out.ReadString('\n')
	if err != nil {
		return cost{}, fmt.Errorf("the baseline ended: %w", err)
	}
	ms, cpu, _ := strings.Cut(strings.TrimSpace(line), " ")
	var c cost
	if c.ms, err = strconv.ParseFloat(ms, 64); err != nil {
		return cost{}, err
	}
	c.cpu, err = strconv.ParseFloat(cpu, 64)
	return c, err
}

func (d *duckProcess) close() error { return errors.Join(d.in.Close(), d.command.Wait()) }
