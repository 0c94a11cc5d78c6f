package compat

import (
	"context"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/scenario"
)

// runFlightSQL performs the plan with arrow-go v18's Flight SQL client.
func runFlightSQL(ctx context.Context, p *scenario.Plan) error {
	session, err := client.Dial(ctx, p.Address(), client.Options{User: p.User, Password: p.Password})
	if err != nil {
		return p.Refused("arrow-go v18", err, grpcStatus)
	}
	defer session.Close()
	return p.Run(ctx, "arrow-go v18", func(ctx context.Context, s scenario.Step, out *scenario.Result) error {
		info, done, err := flightSQLInfo(ctx, session, s)
		if err != nil {
			return err
		}
		return errors.Join(saveFlightSQL(ctx, session, p, s, info, out), done())
	}, grpcStatus)
}

// flightSQLInfo gets the result's description; done closes the prepared statement, where there is one.
func flightSQLInfo(ctx context.Context, session *client.Session, s scenario.Step) (info *flight.FlightInfo, done func() error, err error) {
	if s.Kind != "params" {
		info, err = session.SQL.Execute(ctx, s.SQL)
		return info, func() error { return nil }, err
	}
	prepared, err := session.SQL.Prepare(ctx, s.SQL)
	if err != nil {
		return nil, nil, err
	}
	done = func() error { return prepared.Close(ctx) }
	batch, err := scenario.Bindings(s.Params)
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	defer batch.Release()
	prepared.SetParameters(batch)
	if info, err = prepared.Execute(ctx); err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return info, done, nil
}

func saveFlightSQL(ctx context.Context, session *client.Session, p *scenario.Plan, s scenario.Step, info *flight.FlightInfo,
	out *scenario.Result,
) (err error) {
	schema, err := flight.DeserializeSchema(info.GetSchema(), nil)
	if err != nil {
		return err
	}
	write, done, err := p.Keep(s, schema)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	out.Endpoints = len(info.GetEndpoint())
	for _, endpoint := range info.GetEndpoint() {
		var part client.Part
		if err := session.ReadEndpoint(ctx, endpoint, &part, nil, write); err != nil {
			return err
		}
		out.Rows += part.Rows
		if !slices.Contains(out.Locations, part.Location) {
			out.Locations = append(out.Locations, part.Location)
		}
	}
	return nil
}

// grpcStatus gives the name of the gRPC status inside an error.
func grpcStatus(err error) string {
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		return statusNames[s.Code()]
	}
	if errors.Is(err, context.Canceled) {
		return "CANCELLED"
	}
	return "UNKNOWN"
}

var statusNames = map[codes.Code]string{codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN",
	codes.InvalidArgument: "INVALID_ARGUMENT", codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.NotFound: "NOT_FOUND",
	codes.AlreadyExists: "ALREADY_EXISTS", codes.PermissionDenied: "PERMISSION_DENIED",
	codes.ResourceExhausted: "RESOURCE_EXHAUSTED", codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL",
	codes.Unavailable: "UNAVAILABLE", codes.Unauthenticated: "UNAUTHENTICATED"}
