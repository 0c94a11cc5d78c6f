package flightserver

import (
	"context"
	"errors"
	"io"
	"time"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

const (
	// passedHeader marks a call that another coordinator passes on: it is not passed on again.
	passedHeader = "arbalest-passed"
	// passWait is how long a call is tried for a query whose coordinator does not answer: another one goes on with it within 10 s.
	passWait = 20 * time.Second
	// passTry is how long one call may take, which is answered within half a second: a coordinator that hangs is listed for some more.
	passTry = 3 * time.Second
	// passPause is between two tries.
	passPause = 200 * time.Millisecond
)

// at does something with a query, here or, by a call, at the coordinator that owns it. While that one does not answer, or the query
// is changing its owner, it is tried again.
func (s *Server) at(ctx context.Context, c caller, id ids.QueryID, life string, here func(Query) error,
	there func(context.Context, wire.FlightServiceClient) error,
) error {
	for until := (time.Time{}); ; {
		q, at, err := s.cfg.Queries.Owner(ctx, id, life)
		if err != nil {
			return err
		}
		if q != nil {
			return here(q)
		}
		if len(metadata.ValueFromIncomingContext(ctx, passedHeader)) > 0 {
			return &qerr.Error{Kind: qerr.Unavailable, Msg: "query " + string(id) + " is changing its coordinator; try again", RetryAfter: passPause}
		}
		err = s.pass(ctx, c, at, there)
		if until.IsZero() {
			until = s.cfg.Now().Add(passWait)
		}
		if !later(err) || ctx.Err() != nil {
			return grpcerr.FromStatus(err)
		}
		if !s.cfg.Now().Before(until) {
			return qerr.New(qerr.Unavailable, "the coordinator of query %s does not answer; try again", id)
		}
		select {
		case <-time.After(passPause):
		case <-ctx.Done():
			return grpcerr.FromStatus(err)
		}
	}
}

// later reports whether a call to another coordinator may succeed when it is tried again: no coordinator has answered it, or one
// that did not know yet.
func later(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	st, ok := status.FromError(err)
	if !ok || st.Code() != codes.Unavailable && st.Code() != codes.DeadlineExceeded {
		return false
	}
	var e *qerr.Error
	return len(st.Details()) == 0 || errors.As(grpcerr.FromStatus(err), &e) && e.RetryAfter == passPause
}

// pass calls another coordinator for a caller who has been identified here: by a token of our own, as the caller's credentials may
// be good for this connection only.
func (s *Server) pass(ctx context.Context, c caller, at coordinator.Place, call func(context.Context, wire.FlightServiceClient) error) error {
	out, there, err := s.toward(ctx, c, at)
	if err != nil {
		return err
	}
	return call(out, there)
}

// pollAt polls a query at another coordinator, once.
func pollAt(ctx context.Context, client wire.FlightServiceClient, d *wire.FlightDescriptor) (*wire.PollInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, passTry)
	defer cancel()
	return client.PollFlightInfo(ctx, d)
}

// actionAt has another coordinator run one of Flight's own actions.
func actionAt[T any, P message[T]](ctx context.Context, client wire.FlightServiceClient, name string, request proto.Message) (P, error) {
	body, err := proto.Marshal(request)
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "encode request", err)
	}
	ctx, done := context.WithTimeout(ctx, passTry)
	defer done()
	stream, err := client.DoAction(ctx, &wire.Action{Type: name, Body: body})
	if err != nil {
		return nil, err
	}
	reply, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return nil, qerr.New(qerr.Internal, "another coordinator gave no answer")
	}
	if err != nil {
		return nil, err
	}
	result := P(new(T))
	if err := proto.Unmarshal(reply.GetBody(), result); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "read the answer of another coordinator", err)
	}
	return result, nil
}
