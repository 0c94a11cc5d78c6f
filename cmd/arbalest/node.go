package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/arbalest-sql/arbalest/internal/config"
	"github.com/arbalest-sql/arbalest/internal/scratch"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
	"google.golang.org/grpc"
)

const (
	// drainTimeout is how long a node that was told to stop lets running work finish. A second signal ends it at once.
	drainTimeout = 30 * time.Second
	// memoryShare of the machine is the engine's by default; the rest is for Go, exchange buffers and the page cache.
	memoryShare = 0.6
)

// A node is what every server process has: a gRPC server, HTTP pages, a log, and things to close in reverse order.
type node struct {
	config  *config.Node
	log     zerolog.Logger
	closers []func() error
	parts   parts

	// local and metrics are those of embedded workers.
	local   localWorkers
	metrics together
}

// newNode reads the configuration of a role and prepares the log.
func newNode(role config.Role, args []string, out io.Writer) (*node, error) {
	c, flags := config.NewNode(role)
	if err := parse(flags, args, out); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, usageError{err}
	}
	level, err := zerolog.ParseLevel(c.LogLevel)
	if err != nil {
		return nil, usageError{err}
	}
	var sink io.Writer = os.Stderr
	if term.IsTerminal(int(os.Stderr.Fd())) {
		sink = zerolog.ConsoleWriter{Out: os.Stderr, TimeFormat: time.TimeOnly}
	}
	n := &node{config: c, log: zerolog.New(sink).Level(level).With().Timestamp().Str("role", string(role)).Logger()}
	n.rest()
	return n, nil
}

// onClose registers what must be closed before everything registered earlier.
func (n *node) onClose(f func() error) { n.closers = append(n.closers, f) }

func (n *node) close() error {
	var faults []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		faults = append(faults, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(faults...)
}

// listen opens the node's port.
func (n *node) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", n.config.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	return l, nil
}

// advertised is the address that others are told for a listener.
func (n *node) advertised(l net.Listener) string {
	if n.config.Advertise != "" {
		return n.config.Advertise
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		// A wildcard address names no machine; the host's name is the best guess, and --advertise says better.
		if name, nameErr := os.Hostname(); nameErr == nil {
			return net.JoinHostPort(name, port)
		}
	}
	return l.Addr().String()
}

// serve runs the gRPC server in the background until close; failed is told when it ends by itself.
func (n *node) serve(s *grpc.Server, l net.Listener, failed func(error)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(l); err != nil {
			failed(fmt.Errorf("serve %s: %w", l.Addr(), err))
		}
	}()
	n.onClose(func() error { s.Stop(); <-done; return nil })
}

// wait blocks until SIGTERM, SIGINT or a failure, then drains; a second signal cuts the drain short.
func (n *node) wait(failure <-chan error, drain func(context.Context) error) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	select {
	case err := <-failure:
		return err
	case s := <-signals:
		n.log.Info().Str("signal", s.String()).Msg("draining; a second signal stops at once")
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- drain(ctx) }()
	select {
	case err := <-drained:
		if err != nil {
			n.log.Warn().Err(err).Msg("drain ended early")
		}
	case <-signals:
		cancel()
		n.log.Warn().AnErr("error", <-drained).Msg("drain cut short")
	}
	return nil
}

// memoryBytes is the engine's budget for one of n workers of the process.
func memoryBytes(limit config.Bytes, workers int) (int64, error) {
	if limit == 0 {
		var info unix.Sysinfo_t
		if err := unix.Sysinfo(&info); err != nil {
			return 0, fmt.Errorf("find the machine's memory (give --memory-limit): %w", err)
		}
		limit = config.Bytes(memoryShare * float64(info.Totalram) * float64(info.Unit))
	}
	return int64(limit) / int64(workers), nil
}

// spillDir gives each worker of a process a directory of its own for its engine, and removes it at the end. What processes
// left that crashed is removed too.
func (n *node) spillDir() (string, error) {
	dir, err := scratch.Open(n.config.SpillDir, "arbalest-spill-")
	if err != nil {
		return "", fmt.Errorf("--spill-dir: %w", err)
	}
	n.onClose(dir.Close)
	return dir.Path(), nil
}

// newIncarnation names one life of this process.
func newIncarnation() string { return strings.ToLower(rand.Text()[:12]) }
