package flightserver

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// renew gives an endpoint more time. An endpoint whose ticket is a command has no end: its rows are made whenever it is read.
func (s *Server) renew(ctx context.Context, c caller, endpoint *wire.FlightEndpoint) (*wire.FlightEndpoint, error) {
	ticket := endpoint.GetTicket().GetTicket()
	if len(ticket) == 0 {
		return nil, qerr.New(qerr.User, "the request has no endpoint with a ticket")
	}
	if _, isCommand, err := parseCommand(ticket); isCommand {
		return endpoint, err
	}
	t, err := s.cfg.Keys.VerifyTicket(ticket, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	var info *wire.FlightEndpoint
	here := func(Query) error {
		renewed, err := s.cfg.Queries.Renew(ticket, c.subject)
		if err == nil {
			info = endpointInfo(renewed)
			info.AppMetadata = endpoint.GetAppMetadata()
		}
		return err
	}
	if life := t.GetCoordinatorId(); life == "" || life == s.cfg.Queries.ID() {
		return info, here(nil)
	}
	err = s.at(ctx, c, ids.QueryID(t.GetKey().GetQueryId()), t.GetCoordinatorId(), here, func(ctx context.Context, there wire.FlightServiceClient) (err error) {
		info, err = actionAt[wire.FlightEndpoint](ctx, there, flight.RenewFlightEndpointActionType, &wire.RenewFlightEndpointRequest{Endpoint: endpoint})
		return err
	})
	return info, err
}
