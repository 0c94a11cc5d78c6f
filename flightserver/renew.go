package flightserver

import (
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// renew gives an endpoint more time. An endpoint whose ticket is a command has no end: its rows are made whenever it is read.
func (s *Server) renew(c caller, endpoint *wire.FlightEndpoint) (*wire.FlightEndpoint, error) {
	ticket := endpoint.GetTicket().GetTicket()
	if len(ticket) == 0 {
		return nil, qerr.New(qerr.User, "the request has no endpoint with a ticket")
	}
	if _, isCommand, err := parseCommand(ticket); isCommand {
		return endpoint, err
	}
	renewed, err := s.cfg.Queries.Renew(ticket, c.subject)
	if err != nil {
		return nil, err
	}
	info := endpointInfo(renewed)
	info.AppMetadata = endpoint.GetAppMetadata()
	return info, nil
}
