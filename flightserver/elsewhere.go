package flightserver

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

const (
	// passedHeader marks a call that another coordinator passes on: it is not passed on again.
	passedHeader = "arbalest-passed"
	// passTTL is how long the token is good that such a call is made with.
	passTTL = time.Minute
)

// owner finds a query, here or at another coordinator. A nil query without an error is at the place.
func (s *Server) owner(ctx context.Context, id ids.QueryID, life string) (Query, coordinator.Place, error) {
	q, at, err := s.cfg.Queries.Owner(ctx, id, life)
	if err == nil && q == nil && len(metadata.ValueFromIncomingContext(ctx, passedHeader)) > 0 {
		err = qerr.New(qerr.Unavailable, "query %s is changing its coordinator; try again", id)
	}
	return q, at, err
}

// elsewhere prepares a call to another coordinator for a caller who has been identified here: by a token of our own, as the
// caller's credentials may be good for this connection only.
func (s *Server) elsewhere(ctx context.Context, c caller, at coordinator.Place) (context.Context, wire.FlightServiceClient, error) {
	conn, err := s.cfg.Queries.Reach(at)
	if err != nil {
		return nil, nil, err
	}
	token := s.cfg.Keys.IssueToken(auth.Claims{Subject: c.subject, Session: c.session, Expires: s.cfg.Now().Add(passTTL)})
	return metadata.NewOutgoingContext(ctx, metadata.Pairs(authorizationHeader, "Bearer "+token, passedHeader, "1")), wire.NewFlightServiceClient(conn), nil
}

func pollElsewhere(s *Server, ctx context.Context, c caller, at coordinator.Place, d *wire.FlightDescriptor) (*wire.PollInfo, error) {
	ctx, client, err := s.elsewhere(ctx, c, at)
	if err != nil {
		return nil, err
	}
	info, err := client.PollFlightInfo(ctx, d)
	return info, grpcerr.FromStatus(err)
}

func infoElsewhere(s *Server, ctx context.Context, c caller, at coordinator.Place, d *wire.FlightDescriptor) (*wire.FlightInfo, error) {
	ctx, client, err := s.elsewhere(ctx, c, at)
	if err != nil {
		return nil, err
	}
	info, err := client.GetFlightInfo(ctx, d)
	return info, grpcerr.FromStatus(err)
}

func schemaElsewhere(s *Server, ctx context.Context, c caller, at coordinator.Place, d *wire.FlightDescriptor) (*wire.SchemaResult, error) {
	ctx, client, err := s.elsewhere(ctx, c, at)
	if err != nil {
		return nil, err
	}
	schema, err := client.GetSchema(ctx, d)
	return schema, grpcerr.FromStatus(err)
}

func (s *Server) cancelElsewhere(ctx context.Context, c caller, at coordinator.Place, info *wire.FlightInfo) (wire.CancelStatus, error) {
	body, err := proto.Marshal(&wire.CancelFlightInfoRequest{Info: info})
	if err != nil {
		return 0, qerr.Wrap(qerr.Internal, "encode request", err)
	}
	ctx, client, err := s.elsewhere(ctx, c, at)
	if err != nil {
		return 0, err
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	stream, err := client.DoAction(ctx, &wire.Action{Type: flight.CancelFlightInfoActionType, Body: body})
	if err != nil {
		return 0, grpcerr.FromStatus(err)
	}
	reply, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return 0, qerr.New(qerr.Internal, "another coordinator gave no answer")
	}
	if err != nil {
		return 0, grpcerr.FromStatus(err)
	}
	var result wire.CancelFlightInfoResult
	if err := proto.Unmarshal(reply.GetBody(), &result); err != nil {
		return 0, qerr.Wrap(qerr.Internal, "read the answer of another coordinator", err)
	}
	return result.GetStatus(), nil
}
