package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/ports"
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
	Listen    string   // the door's host; empty = 127.0.0.1
	// Site, when given, says where worker i (from 0) runs; nil = everywhere on loopback.
	Site func(i int) Site
	// DoorSite, when given, says where coordinator i (from 0, the door) runs; Spill does not concern it.
	DoorSite func(i int) Site
}

// A Cluster is a set of running processes behind one Flight SQL door.
type Cluster struct {
	Door    *Process   // the coordinator, or serve
	Standby []*Process // the other coordinators
	Workers []*Process // the worker processes; empty when Embedded
	dir     string
	owned   bool
	binary  string
	options Options
	begin   []func() (*Process, error) // starts worker i
	open    []func() (*Process, error) // starts coordinator i
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
	c := &Cluster{dir: o.Dir, binary: binary, options: o}
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "arbalest-"); err != nil {
			return nil, fmt.Errorf("launch: %w", err)
		}
		c.owned = true
	}
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	if err := c.launch(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) launch(ctx context.Context) error {
	o := c.options
	addresses, err := ports.Free(cmp.Or(o.Listen, loopback), 2*(1+o.Standby))
	if err != nil {
		return err
	}
	role := "coordinator"
	var flags []string
	for _, dir := range o.Data {
		flags = append(flags, "--data", dir)
	}
	flags = append(flags, o.Meet...)
	if o.Embedded {
		role = "serve"
		flags = slices.Concat(flags, []string{"--workers", strconv.Itoa(o.Workers)}, c.engineFlags(""))
	}
	for i := range 1 + o.Standby {
		name, site := role, Site{}
		if i > 0 {
			name = fmt.Sprintf("%s-%d", role, i+1)
		}
		if o.DoorSite != nil {
			site = o.DoorSite(i)
		}
		address, pages := cmp.Or(site.Listen, addresses[2*i]), cmp.Or(site.HTTP, addresses[2*i+1])
		args := slices.Concat([]string{role, "--listen", address, "--http", pages}, flags, o.Flags)
		if site.Advertise != "" {
			args = append(args, "--advertise", site.Advertise)
		}
		c.open = append(c.open, func() (*Process, error) {
			p, err := start(c.binary, c.dir, name, o.Env, args, site.Enter)
			if err != nil {
				return nil, err
			}
			p.Address, p.HTTP = cmp.Or(site.Advertise, address), pages
			return p, nil
		})
		p, err := c.open[i]()
		if err != nil {
			return err
		}
		if i == 0 {
			c.Door = p
		} else {
			c.Standby = append(c.Standby, p)
		}
	}
	if !o.Embedded {
		if err := c.launchWorkers(); err != nil {
			return err
		}
	}
	for _, p := range c.Processes() {
		if err := p.waitReady(ctx); err != nil {
			return err
		}
	}
	if err := c.WaitUsable(ctx); err != nil {
		return err
	}
	for _, p := range c.Processes() {
		if err := p.remember(ctx); err != nil {
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

// Stop ends every process, workers first, and reports each that did not end with exit code 0 (those that Kill ended did not).
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

const loopback = "127.0.0.1"
