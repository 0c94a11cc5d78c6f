package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// readyWait is how long a cluster may take from start to ready: the self-test of the planner and the data's footers.
const readyWait = 60 * time.Second

// Options says which processes to run.
type Options struct {
	Data      []string // folders for --data
	Workers   int      // worker processes, or with Embedded the workers inside the one process
	Embedded  bool     // one `serve` process instead of a coordinator and workers
	Threads   int      // engine threads of each worker process, or of the serve process; 0 = 1
	Memory    string   // engine memory of each worker process, or of the serve process; empty = 2GB
	Flags     []string // more flags for the coordinator (or serve)
	WorkFlags []string // more flags for each worker process
	Env       []string // more environment, for all
	Dir       string   // for logs and spill files; empty = a temporary folder, removed by Stop
}

// A Cluster is a set of running processes behind one Flight SQL door.
type Cluster struct {
	Door    *Process   // the coordinator, or serve
	Workers []*Process // the worker processes; empty when Embedded
	dir     string
	owned   bool
}

// Start launches a cluster for a test and stops it at the test's end; a process that did not end well fails the test.
func Start(tb testing.TB, o Options) *Cluster {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	c, err := Launch(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Stop(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			for _, p := range c.Processes() {
				tb.Log(p.LogTail())
			}
		}
	})
	return c
}

// Launch starts the processes and waits until the door is ready and every worker has joined.
func Launch(ctx context.Context, o Options) (*Cluster, error) {
	binary, err := Binary()
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: o.Dir}
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "arbalest-"); err != nil {
			return nil, fmt.Errorf("launch: %w", err)
		}
		c.owned = true
	}
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	if err := c.launch(ctx, binary, o); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) launch(ctx context.Context, binary string, o Options) error {
	ports, err := freePorts(2 + 2*o.Workers)
	if err != nil {
		return err
	}
	spill := filepath.Join(c.dir, "spill")
	work := []string{"--threads", strconv.Itoa(max(o.Threads, 1)), "--memory-limit", cmp.Or(o.Memory, "2GB"), "--spill-dir", spill}
	role := "coordinator"
	args := []string{"--listen", ports[0], "--http", ports[1]}
	for _, dir := range o.Data {
		args = append(args, "--data", dir)
	}
	if o.Embedded {
		role = "serve"
		args = slices.Concat(args, []string{"--workers", strconv.Itoa(o.Workers)}, work)
	}
	c.Door, err = start(binary, c.dir, role, o.Env, slices.Concat([]string{role}, args, o.Flags))
	if err != nil {
		return err
	}
	c.Door.Address, c.Door.HTTP = ports[0], ports[1]
	if !o.Embedded {
		for i := range o.Workers {
			name := fmt.Sprintf("worker-%d", i+1)
			w, err := start(binary, c.dir, name, o.Env, slices.Concat([]string{"worker", "--coordinator", ports[0],
				"--listen", ports[2+2*i], "--http", ports[3+2*i]}, work, o.WorkFlags))
			if err != nil {
				return err
			}
			w.Address, w.HTTP = ports[2+2*i], ports[3+2*i]
			c.Workers = append(c.Workers, w)
		}
	}
	for _, p := range c.Processes() {
		if err := p.waitReady(ctx); err != nil {
			return err
		}
	}
	return c.waitMembers(ctx, o.Workers)
}

// Processes lists the door and the workers.
func (c *Cluster) Processes() []*Process {
	var all []*Process
	if c.Door != nil {
		all = append(all, c.Door)
	}
	return append(all, c.Workers...)
}

// URI gives the door as clients write it.
func (c *Cluster) URI() string { return "grpc://" + c.Door.Address }

// Stop ends every process, workers first, and reports each that did not end with exit code 0.
func (c *Cluster) Stop() error {
	var faults []error
	all := c.Processes()
	for _, p := range slices.Backward(all) {
		faults = append(faults, p.Stop())
	}
	if c.owned {
		faults = append(faults, os.RemoveAll(c.dir))
	}
	return errors.Join(faults...)
}

// freePorts gives loopback addresses that were free a moment ago, all different.
func freePorts(n int) ([]string, error) {
	var addresses []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
