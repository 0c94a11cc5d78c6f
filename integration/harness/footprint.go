package harness

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

const (
	metricRoutine = "go_goroutines"
	// connectionGoroutines are what gRPC keeps for one connection, at either end: a reader, a writer, a keepalive, and at the
	// client's those that balance and resolve.
	connectionGoroutines = 8
	// restGoroutines are what a process may have besides: periodic work that is under way when it is looked at.
	restGoroutines = 12
)

// A Footprint is what an idle process holds.
type Footprint struct {
	Goroutines float64
	Sockets    int
	Files      []string // open files that are neither sockets nor the kernel's own
}

// Footprint reads what the process holds now.
func (p *Process) Footprint(ctx context.Context) (Footprint, error) {
	m, err := p.Metrics(ctx)
	if err != nil {
		return Footprint{}, err
	}
	return p.footprint(m)
}

// footprint is Footprint by a reading of the process's metrics.
func (p *Process) footprint(m Metrics) (Footprint, error) {
	targets, err := p.Descriptors()
	if err != nil {
		return Footprint{}, err
	}
	f := Footprint{}
	f.Goroutines, _ = m.Sum(metricRoutine)
	for _, target := range targets {
		switch {
		case strings.HasPrefix(target, "socket:"):
			f.Sockets++
		case strings.HasPrefix(target, "anon_inode:"), strings.HasPrefix(target, "pipe:"), strings.HasPrefix(target, "/dev/"):
		default:
			f.Files = append(f.Files, target)
		}
	}
	return f, nil
}

// remember keeps what the process holds before its first query.
func (p *Process) remember(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return nil // nowhere else can another process's descriptors be listed
	}
	f, err := p.Footprint(ctx)
	if err != nil {
		return err
	}
	p.first = &f
	return nil
}

// grown says what the process holds, by a reading of its metrics, that it did not hold before its first query, connections excepted:
// they are kept for the next query.
func (p *Process) grown(m Metrics) (more []string, err error) {
	if p.first == nil {
		return nil, nil
	}
	now, err := p.footprint(m)
	if err != nil {
		return nil, err
	}
	for _, what := range now.beyond(*p.first) {
		more = append(more, p.Name+" "+what)
	}
	return more, nil
}

// beyond says what is held that was not at first, but for connections.
func (f Footprint) beyond(first Footprint) (more []string) {
	for _, file := range f.Files {
		if !slices.Contains(first.Files, file) {
			more = append(more, "open file "+file)
		}
	}
	connections := max(f.Sockets-first.Sockets, 0)
	if most := first.Goroutines + float64(connectionGoroutines*connections+restGoroutines); f.Goroutines > most {
		more = append(more, fmt.Sprintf("goroutines=%v, and at first %v with %d sockets less", f.Goroutines, first.Goroutines, connections))
	}
	return more
}

// connected says which process has more connections than one there and one back with each process, and its own pages'.
func (c *Cluster) connected(ctx context.Context) error {
	for _, p := range c.Processes() {
		if p.first == nil || p.wasKilled() {
			continue
		}
		now, err := p.Footprint(ctx)
		if err != nil {
			return err
		}
		if most := p.first.Sockets + 2*len(c.Processes()) + 1; now.Sockets > most {
			return fmt.Errorf("%s has %d sockets, and at first had %d", p.Name, now.Sockets, p.first.Sockets)
		}
	}
	return nil
}

// WaitFootprint waits until no process holds more than it held at a moment before, and says which does.
func (c *Cluster) WaitFootprint(ctx context.Context, before map[string]Footprint) error {
	ctx, cancel := context.WithTimeout(ctx, idleWait)
	defer cancel()
	return poll(ctx, func() error {
		for _, p := range c.Processes() {
			now, err := p.Footprint(ctx)
			if err != nil {
				return err
			}
			was := before[p.Name]
			if now.Goroutines > was.Goroutines || now.Sockets > was.Sockets || len(now.Files) > len(was.Files) {
				return fmt.Errorf("%s holds %+v, and before %+v", p.Name, now, was)
			}
		}
		return nil
	})
}

// Footprints reads what every process holds now.
func (c *Cluster) Footprints(ctx context.Context) (map[string]Footprint, error) {
	all := map[string]Footprint{}
	for _, p := range c.Processes() {
		f, err := p.Footprint(ctx)
		if err != nil {
			return nil, err
		}
		all[p.Name] = f
	}
	return all, nil
}
