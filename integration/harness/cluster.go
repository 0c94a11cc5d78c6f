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
	Meet      []string // flags by which coordinators and workers find each other; empty = workers join the coordinator
	Standby   int      // more coordinators beside the door, which needs Meet
	Dir       string   // for logs and spill files; empty = a temporary folder, removed by Stop
}

// A Cluster is a set of running processes behind one Flight SQL door.
type Cluster struct {
	Door    *Process   // the coordinator, or serve
	Standby []*Process // the other coordinators
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
	ports, err := freePorts(2 * (1 + o.Standby + o.Workers))
	if err != nil {
		return err
	}
	next := func() (address, http string) {
		address, http = ports[0], ports[1]
		ports = ports[2:]
		return address, http
	}
	spill := filepath.Join(c.dir, "spill")
	work := []string{"--threads", strconv.Itoa(max(o.Threads, 1)), "--memory-limit", cmp.Or(o.Memory, "2GB"), "--spill-dir", spill}
	role := "coordinator"
	var shared []string
	for _, dir := range o.Data {
		shared = append(shared, "--data", dir)
	}
	shared = append(shared, o.Meet...)
	if o.Embedded {
		role = "serve"
		shared = slices.Concat(shared, []string{"--workers", strconv.Itoa(o.Workers)}, work)
	}
	launch := func(name, role string, flags ...[]string) (*Process, error) {
		address, http := next()
		p, err := start(binary, c.dir, name, o.Env, slices.Concat([]string{role, "--listen", address, "--http", http}, slices.Concat(flags...)))
		if err != nil {
			return nil, err
		}
		p.Address, p.HTTP = address, http
		return p, nil
	}
	if c.Door, err = launch(role, role, shared, o.Flags); err != nil {
		return err
	}
	for i := range o.Standby {
		p, err := launch(fmt.Sprintf("%s-%d", role, i+2), role, shared, o.Flags)
		if err != nil {
			return err
		}
		c.Standby = append(c.Standby, p)
	}
	meet := o.Meet
	if len(meet) == 0 {
		meet = []string{"--coordinator", c.Door.Address}
	}
	for i := range o.Workers {
		if o.Embedded {
			break
		}
		p, err := launch(fmt.Sprintf("worker-%d", i+1), "worker", meet, work, o.WorkFlags)
		if err != nil {
			return err
		}
		c.Workers = append(c.Workers, p)
	}
	for _, p := range c.Processes() {
		if err := p.waitReady(ctx); err != nil {
			return err
		}
	}
	for _, door := range c.doors() {
		if err := door.waitMembers(ctx, o.Workers); err != nil {
			return err
		}
	}
	return nil
}

// doors lists the coordinators.
func (c *Cluster) doors() []*Process {
	if c.Door == nil {
		return nil
	}
	return append([]*Process{c.Door}, c.Standby...)
}

// Processes lists the coordinators, the door first, and the workers.
func (c *Cluster) Processes() []*Process { return append(c.doors(), c.Workers...) }

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
