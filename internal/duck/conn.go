package duck

/*
#include <stdlib.h>
#include "pull.h"
*/
import "C"

import (
	"context"
	"time"
	"unsafe"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// interruptEvery is how often a call that should end is interrupted again: DuckDB forgets an interrupt when it begins a
// query, so a single one could come too early.
const interruptEvery = 2 * time.Millisecond

// conn is one connection. It runs one call at a time.
type conn struct {
	engine *Engine
	handle C.duckdb_connection
}

// connect opens a connection with its time zone.
func (e *Engine) connect(timeZone string) (*conn, error) {
	c := &conn{engine: e}
	if err := e.openConnection(c); err != nil {
		return nil, err
	}
	if timeZone == "" {
		timeZone = e.cfg.TimeZone
	}
	// Progress is only counted for connections that would print it.
	if err := c.exec("SET enable_progress_bar_print = false; SET enable_progress_bar = true; SET TimeZone = " + table.Literal(timeZone)); err != nil {
		c.close()
		return nil, &qerr.Error{Kind: qerr.User, Op: "set the time zone", Err: err}
	}
	return c, nil
}

func (e *Engine) openConnection(c *conn) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return qerr.New(qerr.Unavailable, "the engine is closed")
	}
	if C.duckdb_connect(e.db, &c.handle) != C.DuckDBSuccess {
		return qerr.New(qerr.Internal, "DuckDB gives no connection")
	}
	e.connections.Add(1)
	return nil
}

// close disconnects. Results of the connection must be gone.
func (c *conn) close() {
	C.duckdb_disconnect(&c.handle)
	c.engine.connections.Add(-1)
	c.engine.sweep()
}

// interruptible runs a call into the engine, and interrupts it when ctx ends. It returns after the call did.
func (c *conn) interruptible(ctx context.Context, call func()) {
	finished, interrupted := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		c.interruptUntil(finished)
	})
	call()
	close(finished)
	if !stop() {
		<-interrupted
	}
}

// interruptUntil interrupts the connection again and again until finished is closed.
func (c *conn) interruptUntil(finished <-chan struct{}) {
	ticker := time.NewTicker(interruptEvery)
	defer ticker.Stop()
	for {
		C.duckdb_interrupt(c.handle)
		select {
		case <-finished:
			return
		case <-ticker.C:
		}
	}
}

// exec runs a statement and drops its result.
func (c *conn) exec(sql string) error { return c.query(sql, func(*C.duckdb_result) {}) }

// query runs a statement to its end and shows its result.
func (c *conn) query(sql string, read func(*C.duckdb_result)) error {
	if fault := c.run(sql, read); fault != nil {
		return c.engine.engineError(fault)
	}
	return nil
}

// run is query with the bare fault.
func (c *conn) run(sql string, read func(*C.duckdb_result)) *engineFault {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	var result C.duckdb_result
	defer C.duckdb_destroy_result(&result)
	if C.ab_query(c.handle, text, &result) != C.DuckDBSuccess {
		return &engineFault{C.duckdb_result_error_type(&result), C.GoString(C.duckdb_result_error(&result))}
	}
	read(&result)
	return nil
}

// queryContext is query, interrupted when ctx ends.
func (c *conn) queryContext(ctx context.Context, sql string, read func(*C.duckdb_result)) (err error) {
	c.interruptible(ctx, func() { err = c.query(sql, read) })
	if err != nil {
		return ended(ctx, err)
	}
	return nil
}

// typedError runs a statement that could not be prepared once more, as EXPLAIN: the C API tells the type of an error only
// for results.
func (c *conn) typedError(sql, text string) error {
	if err := c.exec("EXPLAIN " + sql); err != nil {
		return err
	}
	return &qerr.Error{Kind: qerr.Internal, Op: "prepare fragment", Msg: text}
}
