package flightx

import (
	"context"
	"errors"
	"io"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

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
