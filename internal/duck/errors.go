package duck

/*
#include "memory.h"
#include "duckdb.h"
*/
import "C"

import (
	"context"
	"errors"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// kindOf classifies DuckDB's error types. What DuckDB throws for a broken statement or for data that does not convert is
// the user's; what it throws for its own state is ours.
func kindOf(t C.duckdb_error_type) qerr.Kind {
	switch t {
	case C.DUCKDB_ERROR_OUT_OF_MEMORY:
		return qerr.Resource
	case C.DUCKDB_ERROR_IO, C.DUCKDB_ERROR_HTTP, C.DUCKDB_ERROR_NETWORK:
		return qerr.IO
	case C.DUCKDB_ERROR_INTERRUPT:
		return qerr.Cancelled
	case C.DUCKDB_ERROR_PERMISSION:
		return qerr.PermissionDenied
	case C.DUCKDB_ERROR_NOT_IMPLEMENTED, C.DUCKDB_ERROR_MISSING_EXTENSION, C.DUCKDB_ERROR_AUTOLOAD:
		return qerr.Unsupported
	case C.DUCKDB_ERROR_OUT_OF_RANGE, C.DUCKDB_ERROR_CONVERSION, C.DUCKDB_ERROR_UNKNOWN_TYPE, C.DUCKDB_ERROR_DECIMAL,
		C.DUCKDB_ERROR_MISMATCH_TYPE, C.DUCKDB_ERROR_DIVIDE_BY_ZERO, C.DUCKDB_ERROR_OBJECT_SIZE,
		C.DUCKDB_ERROR_INVALID_TYPE, C.DUCKDB_ERROR_EXPRESSION, C.DUCKDB_ERROR_CATALOG, C.DUCKDB_ERROR_PARSER,
		C.DUCKDB_ERROR_PLANNER, C.DUCKDB_ERROR_CONSTRAINT, C.DUCKDB_ERROR_SYNTAX, C.DUCKDB_ERROR_SETTINGS,
		C.DUCKDB_ERROR_BINDER, C.DUCKDB_ERROR_INVALID_INPUT, C.DUCKDB_ERROR_PARAMETER_NOT_RESOLVED,
		C.DUCKDB_ERROR_PARAMETER_NOT_ALLOWED, C.DUCKDB_ERROR_SEQUENCE:
		return qerr.User
	}
	return qerr.Internal
}

// engineFault is an error as DuckDB tells it.
type engineFault struct {
	kind C.duckdb_error_type
	text string
}

// stackMark is where DuckDB appends a stack trace to its internal errors; nobody who reads a message wants it.
const stackMark = "\nStack Trace:"

// engineError makes an error of DuckDB's. Readers report a damaged file with types that otherwise mean a fault in the
// statement or in DuckDB; naming a file of a data location tells them apart, as fragments hold file names as reader
// arguments only.
func (e *Engine) engineError(f *engineFault) error {
	kind := kindOf(f.kind)
	switch f.kind {
	case C.DUCKDB_ERROR_INVALID_INPUT, C.DUCKDB_ERROR_INVALID, C.DUCKDB_ERROR_SERIALIZATION, C.DUCKDB_ERROR_CONVERSION:
		for _, l := range e.cfg.DataLocations {
			if strings.Contains(f.text, l) {
				kind = qerr.IO
			}
		}
	}
	text, _, _ := strings.Cut(f.text, stackMark)
	return &qerr.Error{Kind: kind, Op: "run fragment", Msg: strings.TrimSpace(text)}
}

// statusError makes an error of our kernel's own faults.
func statusError(s C.ab_status, bad int64) error {
	switch s {
	case C.AB_NOMEM:
		return qerr.New(qerr.Resource, "out of memory for a batch")
	case C.AB_BUDGET:
		return qerr.New(qerr.Resource, "the output of a task exceeds its byte budget")
	case C.AB_TOO_LARGE:
		return qerr.New(qerr.Resource, "a single value or batch exceeds 2 GiB")
	case C.AB_RANGE:
		return qerr.New(qerr.User, "an INTERVAL is out of the range of Arrow's month_day_nano")
	case C.AB_PARTITION:
		return qerr.New(qerr.Internal, "partition number %d is out of range", bad)
	case C.AB_LAYOUT:
		return qerr.New(qerr.Internal, "column %d of the fragment is not of the announced type", bad)
	}
	return qerr.New(qerr.Internal, "kernel status %d", int(s))
}

// ended returns the error for a call that a context ended, or err when none did. A query that was interrupted reports that
// as an error of its own, or as an early end; why it was interrupted is what callers need.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	var e *qerr.Error
	if errors.As(cause, &e) {
		return cause
	}
	return qerr.Wrap(qerr.Cancelled, "run fragment", cause)
}
