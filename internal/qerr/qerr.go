package qerr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A Kind says what sort of fault an error is, and by that who should do what about it.
type Kind uint8

const (
	// Internal is a fault of ours; retried once elsewhere. The zero value, so that an unclassified error counts as a bug.
	Internal Kind = iota
	// User is a fault in the statement or its parameters; never retried.
	User
	// NotFound names something that does not exist (a table, a handle, a query).
	NotFound
	// AlreadyExists names something that exists and should not.
	AlreadyExists
	// PermissionDenied is a statement that this user, or any user, may not run.
	PermissionDenied
	// Unauthenticated is a missing, wrong, expired or forged credential or ticket.
	Unauthenticated
	// Unsupported is correct SQL or protocol that Arbalest does not do (yet); the message names the alternative.
	Unsupported
	// Resource is a limit of memory, disk or admission; retried alone or later.
	Resource
	// IO is a fault in reading data: a vanished, corrupt or unreachable file; the message names it.
	IO
	// FetchFailed is a partition that could not be read from its producer; Producer says which. Only that producer re-runs.
	FetchFailed
	// Unavailable is a worker or coordinator that is gone or draining: the same call may succeed when sent again.
	Unavailable
	// Cancelled is a query ended on purpose: by the client, KILL, or disconnect.
	Cancelled
	// Deadline is a time limit that passed.
	Deadline
	// Fenced is a call under an epoch or incarnation that is over.
	Fenced
	kindCount
)

var kindNames = [kindCount]string{"INTERNAL", "USER", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED",
	"UNSUPPORTED", "RESOURCE", "IO", "FETCH_FAILED", "UNAVAILABLE", "CANCELLED", "DEADLINE", "FENCED"}

// String gives the kind's stable name, as it stands in logs, metrics and on the wire.
func (k Kind) String() string {
	if k < kindCount {
		return kindNames[k]
	}
	return fmt.Sprintf("KIND(%d)", uint8(k))
}

// Kinds lists every kind, for tests that must cover them all.
func Kinds() []Kind {
	all := make([]Kind, kindCount)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// An Error is a classified fault.
type Error struct {
	Kind Kind
	// Op is what was being done, as a short phrase ("plan statement"); may be empty.
	Op string
	// Msg is for people. Empty when Err says all.
	Msg string
	// Position is the byte offset in the statement where the fault is, from 1; 0 = not known.
	Position int
	// Producer is the task whose partition could not be fetched; only with FetchFailed.
	Producer ids.TaskKey
	// Worker is where it happened, when known.
	Worker ids.WorkerID
	// Final says that the same work fails in the same way wherever it runs again: a file that has changed, say.
	Final bool
	// RetryAfter is when sending the same call again is worth while; 0 = not known. Clients get it as google.rpc.RetryInfo.
	RetryAfter time.Duration
	// Err is the cause; nil for a fault found here. It does not survive a hop, its text does.
	Err error
}

// New returns an error of a kind; format and args make the message.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Wrap adds an operation to err and keeps its kind: an *Error inside keeps its classification, context errors become
// Cancelled or Deadline, anything else becomes kind. Wrap of nil is nil.
func Wrap(kind Kind, op string, err error) error {
	if err == nil {
		return nil
	}
	var inner *Error
	if errors.As(err, &inner) {
		return &Error{Kind: inner.Kind, Op: op, Position: inner.Position, Producer: inner.Producer, Worker: inner.Worker, Final: inner.Final,
			RetryAfter: inner.RetryAfter, Err: err}
	}
	return &Error{Kind: contextKind(err, kind), Op: op, Err: err}
}

func contextKind(err error, otherwise Kind) Kind {
	switch {
	case errors.Is(err, context.Canceled):
		return Cancelled
	case errors.Is(err, context.DeadlineExceeded):
		return Deadline
	}
	return otherwise
}

// Error prints the operation, the message and the cause.
func (e *Error) Error() string {
	text := e.Msg
	if e.Err != nil {
		if text != "" {
			text += ": "
		}
		text += e.Err.Error()
	}
	if e.Op == "" {
		return text
	}
	return e.Op + ": " + text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf classifies any error: the outermost *Error's kind, Cancelled or Deadline for bare context errors, else Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return contextKind(err, Internal)
}

// Is reports whether err is of the kind. It answers the same before and after a hop.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// IsFinal reports whether running the same work again, anywhere, would fail in the same way.
func IsFinal(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Final
}
