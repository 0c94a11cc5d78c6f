package flightserver

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// cancel ends the query of a FlightInfo. The caller proves that it is its own by a ticket of the info, or by the retry
// descriptor that an info without endpoints has; the plain query id in the app metadata proves nothing.
func (s *Server) cancel(ctx context.Context, c caller, info *wire.FlightInfo) (wire.CancelStatus, error) {
	id, life, err := s.queryOf(c, info)
	if err != nil {
		return 0, err
	}
	if id == "" {
		return wire.CancelStatus_CANCEL_STATUS_NOT_CANCELLABLE, nil
	}
	var result wire.CancelStatus
	err = s.at(ctx, c, id, life, func(q Query) error {
		q.Cancel(qerr.New(qerr.Cancelled, "the client cancelled the query"))
		s.polls.remove(id)
		result = wire.CancelStatus_CANCEL_STATUS_CANCELLED
		return nil
	}, func(ctx context.Context, there wire.FlightServiceClient) error {
		done, err := actionAt[wire.CancelFlightInfoResult](ctx, there, flight.CancelFlightInfoActionType, &wire.CancelFlightInfoRequest{Info: info})
		result = done.GetStatus()
		return err
	})
	return result, err
}

// queryOf finds the query that an info is about, and the coordinator that gave it; "" for infos of metadata, which there is
// nothing to cancel of.
func (s *Server) queryOf(c caller, info *wire.FlightInfo) (id ids.QueryID, life string, err error) {
	if info == nil {
		return "", "", qerr.New(qerr.User, "the request has no FlightInfo")
	}
	if endpoints := info.GetEndpoint(); len(endpoints) > 0 { // all are of one query
		ticket := endpoints[0].GetTicket().GetTicket()
		if _, isCommand, err := parseCommand(ticket); isCommand {
			return "", "", err
		}
		t, err := s.cfg.Keys.VerifyTicket(ticket, s.cfg.Now())
		if err != nil {
			return "", "", err
		}
		if t.GetSubject() != c.subject {
			return "", "", qerr.New(qerr.PermissionDenied, "this query belongs to another user")
		}
		return ids.QueryID(t.GetKey().GetQueryId()), t.GetCoordinatorId(), nil
	}
	if info.GetFlightDescriptor() == nil {
		return "", "", qerr.New(qerr.NotFound, "the FlightInfo has neither an endpoint nor a descriptor to know its query by")
	}
	command, err := descriptorCommand(info.GetFlightDescriptor())
	if err != nil {
		return "", "", err
	}
	if m, ok := command.(*wire.TicketStatementQuery); ok {
		return s.named(c, m.GetStatementHandle())
	}
	return "", "", nil
}

// cancelQuery is the older form of the action.
//
//nolint:staticcheck // Deprecated by the protocol, still sent by older clients.
func cancelQuery(s *Server, ctx context.Context, m *wire.ActionCancelQueryRequest) (proto.Message, error) {
	var info wire.FlightInfo
	if err := proto.Unmarshal(m.GetInfo(), &info); err != nil {
		return nil, qerr.New(qerr.User, "the request's info is not a FlightInfo")
	}
	status, err := s.cancel(ctx, callerOf(ctx), &info)
	result := wire.ActionCancelQueryResult_CANCEL_RESULT_UNSPECIFIED
	switch status {
	case wire.CancelStatus_CANCEL_STATUS_CANCELLED:
		result = wire.ActionCancelQueryResult_CANCEL_RESULT_CANCELLED
	case wire.CancelStatus_CANCEL_STATUS_NOT_CANCELLABLE:
		result = wire.ActionCancelQueryResult_CANCEL_RESULT_NOT_CANCELLABLE
	}
	return &wire.ActionCancelQueryResult{Result: result}, err
}
