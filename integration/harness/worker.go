package harness

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/arbalest-sql/arbalest/integration/ports"
)

// A Site is the surroundings of one worker process. Its zero value is this machine's loopback.
type Site struct {
	Listen    string // host:port of its Flight door; empty = a free port on loopback
	HTTP      string // host:port of its pages; empty = a free port on loopback
	Advertise string // host:port that others are told; empty = Listen
	Spill     string // its spill folder; empty = the cluster's
	// Enter is called on the thread that starts the process, which inherits what Enter changes of the thread.
	Enter func() error
	// Started is called when the process runs.
	Started func(pid int) error
}

// launchWorkers starts every worker, and keeps how, for Restart.
func (c *Cluster) launchWorkers() error {
	o := c.options
	addresses, err := ports.Free(loopback, 2*o.Workers)
	if err != nil {
		return err
	}
	meet := o.Meet
	if len(meet) == 0 {
		meet = []string{"--coordinator", c.Door.Address}
	}
	for i := range o.Workers {
		var site Site
		if o.Site != nil {
			site = o.Site(i)
		}
		listen, pages := cmp.Or(site.Listen, addresses[2*i]), cmp.Or(site.HTTP, addresses[2*i+1])
		args := slices.Concat([]string{"worker", "--listen", listen, "--http", pages}, meet, c.engineFlags(site.Spill), o.WorkFlags)
		if site.Advertise != "" {
			args = append(args, "--advertise", site.Advertise)
		}
		c.begin = append(c.begin, func() (*Process, error) {
			w, err := start(c.binary, c.dir, fmt.Sprintf("worker-%d", i+1), o.Env, args, site.Enter)
			if err != nil {
				return nil, err
			}
			w.Address, w.HTTP = cmp.Or(site.Advertise, listen), pages
			if site.Started != nil {
				if err := site.Started(w.PID()); err != nil {
					w.Kill()
					return nil, err
				}
			}
			return w, nil
		})
		w, err := c.begin[i]()
		if err != nil {
			return err
		}
		c.Workers = append(c.Workers, w)
	}
	return nil
}

// engineFlags are those of the engine, for worker processes and for serve.
func (c *Cluster) engineFlags(spill string) []string {
	return []string{"--threads", strconv.Itoa(max(c.options.Threads, 1)), "--memory-limit", cmp.Or(c.options.Memory, "2GB"),
		"--spill-dir", cmp.Or(spill, c.SpillDir())}
}

// SpillDir is the folder in which workers spill that have none of their own.
func (c *Cluster) SpillDir() string { return filepath.Join(c.dir, "spill") }

// WaitUsable waits until every worker is usable, to every coordinator.
func (c *Cluster) WaitUsable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	for _, door := range c.doors() {
		if err := door.waitMembers(ctx, c.options.Workers); err != nil {
			return err
		}
	}
	return nil
}

// Restart starts a worker process again that has ended, at the same addresses, and waits until all workers are usable.
func (c *Cluster) Restart(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	w, err := c.begin[i]()
	if err != nil {
		return err
	}
	c.Workers[i] = w
	if err := w.waitReady(ctx); err != nil {
		return err
	}
	if err := w.remember(ctx); err != nil {
		return err
	}
	return c.WaitUsable(ctx)
}

// Reopen starts coordinator i (0 is the door) again after it has ended, at the same address, and waits until it is ready and
// counts all workers.
func (c *Cluster) Reopen(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	p, err := c.open[i]()
	if err != nil {
		return err
	}
	if i == 0 {
		c.Door = p
	} else {
		c.Standby[i-1] = p
	}
	if err := p.waitReady(ctx); err != nil {
		return err
	}
	if err := p.remember(ctx); err != nil {
		return err
	}
	return p.waitMembers(ctx, c.options.Workers)
}
