package flightserver

import (
	"context"
	"strings"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// A session is at one coordinator at a time, its home: the one that began it, or that one's successor. Any other one passes the calls
// of the session on to it, as they came.

// The messages that name something of a session.
type (
	ofStatement   interface{ GetPreparedStatementHandle() []byte }
	ofTransaction interface{ GetTransactionId() []byte }
	ofSavepoint   interface{ GetSavepointId() []byte }
)

// sessionOf is the caller in the session that a command belongs to: that of the statement, transaction or savepoint that it names, for
// clients that keep no token, else the caller's own. A handle that is wrong is for whoever runs the command to refuse.
func (s *Server) sessionOf(c caller, command proto.Message) caller {
	named := map[string][]byte{}
	if m, ok := command.(ofStatement); ok {
		named[preparedHandle] = m.GetPreparedStatementHandle()
	}
	if m, ok := command.(ofTransaction); ok {
		named[transactionHandle] = m.GetTransactionId()
	}
	if m, ok := command.(ofSavepoint); ok {
		named[savepointHandle] = m.GetSavepointId()
	}
	for kind, handle := range named {
		if len(handle) == 0 {
			continue
		}
		if owner, _, err := s.verify(kind, c, handle); err == nil {
			return owner
		}
	}
	return c
}

// atHome makes a call at the home of a caller's session. passed is false when that is here, and the call is still to be answered: what
// is known of the session has been read then, unless it is about to be closed.
func (s *Server) atHome(ctx context.Context, c caller, closing bool, call func(context.Context, wire.FlightServiceClient) error) (passed bool, err error) {
	life := lifeOf(c.session)
	here, at, err := s.cfg.Queries.Home(ctx, life)
	switch {
	case err != nil:
		return false, err
	case here && closing:
		return false, nil
	case here:
		return false, s.sessions.load(ctx, c, life != s.cfg.Queries.ID())
	case len(metadata.ValueFromIncomingContext(ctx, passedHeader)) > 0:
		return false, &qerr.Error{Kind: qerr.Unavailable, Msg: "the session is changing its coordinator; try again", RetryAfter: passPause}
	}
	out, there, err := s.toward(ctx, c, at)
	if err != nil {
		return false, err
	}
	out, stop := s.cfg.Queries.While(out, at)
	defer stop()
	err = call(out, there)
	if gone := context.Cause(out); err != nil && gone != nil && ctx.Err() == nil {
		return true, gone
	}
	return true, grpcerr.FromStatus(err)
}

// toward is a call to another coordinator in the caller's session, with the options that came with the call.
func (s *Server) toward(ctx context.Context, c caller, at coordinator.Place) (context.Context, wire.FlightServiceClient, error) {
	conn, err := s.cfg.Queries.Reach(at)
	if err != nil {
		return nil, nil, err
	}
	token := s.cfg.Keys.IssueToken(auth.Claims{Subject: c.subject, Session: c.session, Expires: s.cfg.Now().Add(coordinator.PassTTL)})
	md := metadata.Pairs(authorizationHeader, "Bearer "+token, passedHeader, "1")
	given, _ := metadata.FromIncomingContext(ctx)
	for name, values := range given {
		if strings.HasPrefix(name, optionHeaderPrefix) {
			md[name] = values
		}
	}
	return metadata.NewOutgoingContext(ctx, md), wire.NewFlightServiceClient(conn), nil
}

// askHome is atHome for a call with one answer, about the session that a command belongs to.
func askHome[T any](ctx context.Context, s *Server, command proto.Message, call func(context.Context, wire.FlightServiceClient) (T, error)) (result T, passed bool, err error) {
	passed, err = s.atHome(ctx, s.sessionOf(callerOf(ctx), command), false, func(ctx context.Context, there wire.FlightServiceClient) (err error) {
		result, err = call(ctx, there)
		return err
	})
	return result, passed, err
}
