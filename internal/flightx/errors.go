package flightx

import (
	"context"
	"errors"
	"io"
	"runtime/debug"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// A PanicError is a panic that was caught in a goroutine of ours. Value and stack are for the log; clients get the text of Error,
// since a panic's value may hold anything.
type PanicError struct {
	Value any
	Stack []byte
}

// Error says no more than that there was one.
func (p *PanicError) Error() string { return "a panic, which is in the log" }

// Recovered makes the error of a panic; call it with what recover returned, in the deferred function itself.
func Recovered(value any) error {
	return &qerr.Error{Kind: qerr.Internal, Msg: "internal fault", Err: &PanicError{value, debug.Stack()}}
}

// contextError is the error of a context that has ended: its cause when that is classified, else Cancelled or Deadline.
func contextError(ctx context.Context) error {
	cause := context.Cause(ctx)
	var classified *qerr.Error
	if errors.As(cause, &classified) {
		return classified
	}
	return &qerr.Error{Kind: qerr.KindOf(ctx.Err()), Err: cause}
}

// streamError classifies an error of a gRPC stream. When ctx has ended, that is the reason; io.EOF from sending means that
// the peer is gone.
func streamError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return contextError(ctx)
	case errors.Is(err, io.EOF):
		return qerr.New(qerr.Cancelled, "the reader closed the stream")
	}
	return grpcerr.FromStatus(err)
}
