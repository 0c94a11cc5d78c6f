package flightserver

import (
	"context"
	"errors"
	"io"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
)

// A receiver is the client's side of a stream of answers.
type receiver[T any] interface{ Recv() (*T, error) }

// relay sends on what another coordinator answers, to its end.
func relay[T any](from receiver[T], send func(*T) error) error {
	for {
		message, err := from.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := send(message); err != nil {
			return err
		}
	}
}

// relayed passes a call with one request and many answers on.
func relayed[Q any, S receiver[T], T any](ctx context.Context, request Q, open func(context.Context, Q, ...grpc.CallOption) (S, error), send func(*T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from, err := open(ctx, request)
	if err != nil {
		return err
	}
	return relay(from, send)
}

// relayPut passes a DoPut on: what the client sends by a goroutine that Close waits for, since it ends only when the client's stream
// does; what comes back here.
func (s *Server) relayPut(ctx context.Context, there wire.FlightServiceClient, first *wire.FlightData, raw wire.FlightService_DoPutServer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	to, err := there.DoPut(ctx)
	if err != nil {
		return err
	}
	s.relays.Go(func() {
		for message := first; ; {
			if to.Send(message) != nil {
				return // Recv tells why.
			}
			var err error
			if message, err = raw.Recv(); err != nil {
				if errors.Is(err, io.EOF) {
					_ = to.CloseSend() // its error is Recv's
				} else {
					cancel()
				}
				return
			}
		}
	})
	return relay(to, raw.Send)
}
