package sniff

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/minidb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// callsMax bounds how many files are sniffed at once: each takes a core and a buffer of 32 MB.
	callsMax = 2
	// memory is enough for callsMax sniffers; wide JSON records are the worst.
	memory = "512MB"
	// answerBytesMax bounds an answer: the columns of one table.
	answerBytesMax = 16 << 20
	// interruptEvery: one interrupt may come before the call looks for it.
	interruptEvery = 20 * time.Millisecond
)

// A Sniffer is one locked-down instance.
type Sniffer struct {
	db    *minidb.DB
	slots chan struct{}

	mu     sync.RWMutex // held for reading during a call, for writing by Close
	closed bool         // GUARDED_BY mu
}

// New opens a sniffer that may read below the given directories.
func New(locations []string) (*Sniffer, error) {
	s := &Sniffer{slots: make(chan struct{}, callsMax)}
	var err error
	s.db, err = minidb.Open(minidb.Option{Name: "threads", Value: "1"}, minidb.Option{Name: "memory_limit", Value: memory},
		minidb.Option{Name: "temp_directory", Value: ""}, minidb.Option{Name: "autoinstall_known_extensions", Value: "false"},
		minidb.Option{Name: "autoload_known_extensions", Value: "false"}, minidb.Option{Name: "allow_community_extensions", Value: "false"})
	if err != nil {
		return nil, err
	}
	if err := s.lockDown(locations); err != nil {
		s.db.Close()
		return nil, qerr.Wrap(qerr.Internal, "open the sniffer", err)
	}
	return s, nil
}

func (s *Sniffer) lockDown(locations []string) error {
	c, err := s.db.Connect()
	if err != nil {
		return err
	}
	defer c.Close()
	allowed := make([]string, len(locations))
	for i, l := range locations {
		abs, err := filepath.Abs(l)
		if err != nil {
			return err
		}
		allowed[i] = table.Literal(abs)
	}
	for _, sql := range []string{"SET allowed_directories=[" + strings.Join(allowed, ", ") + "]::VARCHAR[]", "SET enable_external_access=false", "SET allowed_configs=['errors_as_json']",
		"SET lock_configuration=true"} {
		if err := c.Exec(sql); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the sniffer after the calls under way; idempotent.
func (s *Sniffer) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.db.Close()
	}
	return nil
}

// Sniff returns the columns of the files, in order, and the reader's options that make every later read of them alike.
// Paths are absolute. Directory names count for nothing (no Hive keys).
//
// Outcomes: columns and options; IO naming the file; Cancelled or Deadline when ctx ended; Unavailable after Close.
func (s *Sniffer) Sniff(ctx context.Context, format table.Format, paths []string) ([]table.Column, []table.Option, error) {
	if len(paths) == 0 {
		return nil, nil, qerr.New(qerr.Internal, "sniff: no files")
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, nil, qerr.Wrap(qerr.Cancelled, "sniff files", context.Cause(ctx))
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, nil, qerr.New(qerr.Unavailable, "the sniffer is closed")
	}
	c, err := s.db.Connect()
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	defer interruptAtEnd(ctx, c)()
	columns, options, err := sniff(c, format, paths)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, qerr.Wrap(qerr.Cancelled, "sniff files", context.Cause(ctx))
		}
		return nil, nil, fileError(err, paths)
	}
	return columns, options, nil
}

// interruptAtEnd interrupts c when ctx ends; the function that it returns stops watching.
func interruptAtEnd(ctx context.Context, c *minidb.Conn) func() {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-stop:
			return
		case <-ctx.Done():
		}
		tick := time.NewTicker(interruptEvery)
		defer tick.Stop()
		for {
			c.Interrupt()
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(stop); <-done }
}

// fileError names the file that an error is about: DuckDB's message does, mostly.
func fileError(err error, paths []string) error {
	var fault *minidb.Fault
	if !errors.As(err, &fault) {
		return qerr.Wrap(qerr.IO, "read file "+paths[0], err)
	}
	for _, p := range paths {
		if strings.Contains(fault.Message, p) {
			return qerr.New(qerr.IO, "read file %s: %s", p, fault.Error())
		}
	}
	return qerr.New(qerr.IO, "read file %s: %s", paths[0], fault.Error())
}
