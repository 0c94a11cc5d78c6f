package flightserver

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// An action is one kind of DoAction: Flight's own carry their message bare, those of Flight SQL packed into an Any.
type action struct {
	name, doc string
	run       func(s *Server, ctx context.Context, a *wire.Action) ([]byte, error)
}

// ofQueries are the actions that are about a query, wherever it is; the others are about a session.
var ofQueries = map[string]bool{flight.CancelFlightInfoActionType: true, flight.RenewFlightEndpointActionType: true, flightsql.CancelQueryActionType: true}

// actions are all that there are, as ListActions tells them.
var actions = []action{
	{flight.CancelFlightInfoActionType, "end the query of a FlightInfo: CancelFlightInfoRequest to CancelFlightInfoResult",
		bare(func(s *Server, ctx context.Context, m *wire.CancelFlightInfoRequest) (proto.Message, error) {
			status, err := s.cancel(ctx, callerOf(ctx), m.GetInfo())
			return &wire.CancelFlightInfoResult{Status: status}, err
		})},
	{flight.RenewFlightEndpointActionType, "keep a spooled result (arbalest.results = spool) for longer: RenewFlightEndpointRequest to FlightEndpoint",
		bare(func(s *Server, ctx context.Context, m *wire.RenewFlightEndpointRequest) (proto.Message, error) {
			return s.renew(ctx, callerOf(ctx), m.GetEndpoint())
		})},
	{flight.SetSessionOptionsActionType, "set options of the session: SetSessionOptionsRequest to SetSessionOptionsResult",
		bare(func(s *Server, ctx context.Context, m *wire.SetSessionOptionsRequest) (proto.Message, error) {
			return s.setOptions(ctx, m)
		})},
	{flight.GetSessionOptionsActionType, "get all options of the session: GetSessionOptionsRequest to GetSessionOptionsResult",
		bare(func(s *Server, ctx context.Context, _ *wire.GetSessionOptionsRequest) (proto.Message, error) {
			return s.getOptions(callerOf(ctx))
		})},
	{flight.CloseSessionActionType, "forget the session with its options, statements and transactions: CloseSessionRequest to CloseSessionResult",
		bare(func(s *Server, ctx context.Context, _ *wire.CloseSessionRequest) (proto.Message, error) {
			c := callerOf(ctx)
			err := s.sessions.closeSession(ctx, c, lifeOf(c.session) != s.cfg.Queries.ID())
			return &wire.CloseSessionResult{Status: wire.CloseSessionResult_CLOSED}, err
		})},
	{flightsql.CreatePreparedStatementActionType, "prepare a statement: ActionCreatePreparedStatementRequest to ActionCreatePreparedStatementResult",
		packed(func(s *Server, ctx context.Context, m *wire.ActionCreatePreparedStatementRequest) (proto.Message, error) {
			return s.prepare(ctx, m.GetQuery(), m.GetTransactionId())
		})},
	{flightsql.ClosePreparedStatementActionType, "forget a prepared statement: ActionClosePreparedStatementRequest, no result",
		packed(func(s *Server, ctx context.Context, m *wire.ActionClosePreparedStatementRequest) (proto.Message, error) {
			return nil, s.closePrepared(callerOf(ctx), m.GetPreparedStatementHandle())
		})},
	{flightsql.CreatePreparedSubstraitPlanActionType, "refused: Substrait plans are not supported",
		packed(func(*Server, context.Context, *wire.ActionCreatePreparedSubstraitPlanRequest) (proto.Message, error) {
			return nil, unsupportedSubstrait()
		})},
	{flightsql.CancelQueryActionType, "deprecated form of CancelFlightInfo: ActionCancelQueryRequest to ActionCancelQueryResult",
		packed(cancelQuery)},
	{flightsql.BeginTransactionActionType, "begin a transaction: ActionBeginTransactionRequest to ActionBeginTransactionResult",
		packed(func(s *Server, ctx context.Context, _ *wire.ActionBeginTransactionRequest) (proto.Message, error) {
			id, err := s.begin(callerOf(ctx))
			return &wire.ActionBeginTransactionResult{TransactionId: id}, err
		})},
	{flightsql.EndTransactionActionType, "commit or roll back a transaction: ActionEndTransactionRequest, no result",
		packed(func(s *Server, ctx context.Context, m *wire.ActionEndTransactionRequest) (proto.Message, error) {
			return nil, s.endTransaction(ctx, callerOf(ctx), m)
		})},
	{flightsql.BeginSavepointActionType, "mark a point in a transaction: ActionBeginSavepointRequest to ActionBeginSavepointResult",
		packed(func(s *Server, ctx context.Context, m *wire.ActionBeginSavepointRequest) (proto.Message, error) {
			id, err := s.beginSavepoint(callerOf(ctx), m)
			return &wire.ActionBeginSavepointResult{SavepointId: id}, err
		})},
	{flightsql.EndSavepointActionType, "release a savepoint or roll back to it: ActionEndSavepointRequest, no result",
		packed(func(s *Server, ctx context.Context, m *wire.ActionEndSavepointRequest) (proto.Message, error) {
			return nil, s.endSavepoint(callerOf(ctx), m)
		})},
}

// message is a pointer to a protobuf struct T.
type message[T any] interface {
	*T
	proto.Message
}

// bare makes the runner of one of Flight's own actions.
func bare[T any, P message[T]](run func(*Server, context.Context, P) (proto.Message, error)) func(*Server, context.Context, *wire.Action) ([]byte, error) {
	return func(s *Server, ctx context.Context, a *wire.Action) ([]byte, error) {
		request := P(new(T))
		if err := proto.Unmarshal(a.GetBody(), request); err != nil {
			return nil, qerr.New(qerr.User, "the body of action %s is not a %s", a.GetType(), request.ProtoReflect().Descriptor().Name())
		}
		result, err := run(s, ctx, request)
		if err != nil {
			return nil, err
		}
		b, err := proto.Marshal(result)
		return b, qerr.Wrap(qerr.Internal, "encode result", err)
	}
}

// packed makes the runner of an action of Flight SQL. A nil result is an empty body.
func packed[T any, P message[T]](run func(*Server, context.Context, P) (proto.Message, error)) func(*Server, context.Context, *wire.Action) ([]byte, error) {
	return func(s *Server, ctx context.Context, a *wire.Action) ([]byte, error) {
		request := P(new(T))
		if err := unpackAction(a, request); err != nil {
			return nil, err
		}
		result, err := run(s, ctx, request)
		if err != nil || result == nil {
			return nil, err
		}
		return packCommand(result)
	}
}

// DoAction runs one action and sends its one result.
func (s *Server) DoAction(a *wire.Action, stream wire.FlightService_DoActionServer) error {
	for _, known := range actions {
		if known.name == a.GetType() {
			if passed, err := s.passAction(a, stream); passed || err != nil {
				return err
			}
			body, err := known.run(s, stream.Context(), a)
			if err != nil {
				return err
			}
			return stream.Send(&wire.Result{Body: body})
		}
	}
	return qerr.New(qerr.Unsupported, "there is no action %.60q; ListActions tells those that there are", a.GetType())
}

// passAction passes an action on to the home of its session; false when that is here.
func (s *Server) passAction(a *wire.Action, stream wire.FlightService_DoActionServer) (passed bool, err error) {
	if ofQueries[a.GetType()] {
		return false, nil
	}
	ctx := stream.Context()
	command, _, _ := parseCommand(a.GetBody()) // one that is malformed is for the action to refuse
	return s.atHome(ctx, s.sessionOf(callerOf(ctx), command), a.GetType() == flight.CloseSessionActionType,
		func(ctx context.Context, there wire.FlightServiceClient) error {
			return relayed(ctx, a, there.DoAction, stream.Send)
		})
}

// ListActions tells all actions.
func (s *Server) ListActions(_ *wire.Empty, stream wire.FlightService_ListActionsServer) error {
	for _, a := range actions {
		if err := stream.Send(&wire.ActionType{Type: a.name, Description: a.doc}); err != nil {
			return err
		}
	}
	return nil
}
