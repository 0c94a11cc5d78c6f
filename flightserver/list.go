package flightserver

import (
	"context"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// ListFlights lists the tables, for clients that speak plain Flight: each by its path, which GetFlightInfo, PollFlightInfo and
// GetSchema take, and without endpoints, as nothing runs before it is asked for. The criteria are a LIKE pattern of table names;
// empty lists all. A table that cannot be read now is left out.
func (s *Server) ListFlights(criteria *wire.Criteria, stream wire.FlightService_ListFlightsServer) error {
	ctx := stream.Context()
	if passed, err := s.atHome(ctx, callerOf(ctx), false, func(ctx context.Context, there wire.FlightServiceClient) error {
		return relayed(ctx, criteria, there.ListFlights, stream.Send)
	}); passed || err != nil {
		return err
	}
	snapshot, err := s.cfg.Catalog.Snapshot(ctx)
	if err != nil {
		return err
	}
	var pattern *string
	if e := string(criteria.GetExpression()); e != "" {
		pattern = &e
	}
	timeZone := s.sessions.settings(callerOf(ctx)).TimeZone()
	for _, t := range s.listTables(callerOf(ctx), snapshot, &wire.CommandGetTables{TableNameFilterPattern: pattern}) {
		info, err := s.tableFlight(ctx, snapshot, t, timeZone)
		if ctx.Err() != nil {
			return qerr.Wrap(qerr.Cancelled, "list flights", ctx.Err())
		}
		if err != nil {
			s.cfg.Log.Warn().Err(err).Stringer("table", t.name).Msg("a table is left out of the list of flights")
			continue
		}
		if err := stream.Send(info); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) tableFlight(ctx context.Context, snapshot *catalog.Snapshot, t listed, timeZone string) (*wire.FlightInfo, error) {
	loaded, err := s.loadTable(ctx, snapshot, t)
	if err != nil {
		return nil, err
	}
	return &wire.FlightInfo{
		Schema: s.serialize(arrowtype.ClientSchema(loaded.Columns, timeZone)),
		FlightDescriptor: &wire.FlightDescriptor{Type: wire.FlightDescriptor_PATH,
			Path: []string{t.name.Catalog, t.name.Schema, t.name.Table}},
		TotalRecords: -1, TotalBytes: -1,
	}, nil
}
