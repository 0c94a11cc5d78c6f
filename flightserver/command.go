package flightserver

import (
	"strings"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// commandPrefix begins the type URL of every Flight SQL message. Tickets of the coordinator are told from commands by it:
// both are protobuf, and a ticket may well read as an Any with a meaningless type.
const commandPrefix = "type.googleapis.com/arrow.flight.protocol.sql."

// parseCommand reads a Flight SQL message packed into an Any. isCommand is false for bytes that are something else.
func parseCommand(b []byte) (command proto.Message, isCommand bool, err error) {
	var packed anypb.Any
	if proto.Unmarshal(b, &packed) != nil || !strings.HasPrefix(packed.GetTypeUrl(), commandPrefix) {
		return nil, false, nil
	}
	name := strings.TrimPrefix(packed.GetTypeUrl(), commandPrefix)
	command, err = packed.UnmarshalNew()
	if err != nil {
		return nil, true, qerr.New(qerr.User, "the Flight SQL command %.60q is unknown or malformed", name)
	}
	return command, true, nil
}

// descriptorCommand reads the command of a descriptor.
func descriptorCommand(d *wire.FlightDescriptor) (proto.Message, error) {
	switch {
	case d == nil:
		return nil, qerr.New(qerr.User, "the call has no flight descriptor; want one that holds a Flight SQL command")
	case d.GetType() == wire.FlightDescriptor_PATH:
		return pathCommand(d.GetPath())
	case len(d.GetCmd()) == 0:
		return nil, qerr.New(qerr.User, "the flight descriptor is empty; want a Flight SQL command")
	}
	command, isCommand, err := parseCommand(d.GetCmd())
	if err == nil && !isCommand {
		err = qerr.New(qerr.User, "the flight descriptor holds no Flight SQL command; want a google.protobuf.Any of one")
	}
	return command, err
}

// pathPartsMax is catalog, db schema and table.
const pathPartsMax = 3

// pathCommand reads a path as the name of a table, for clients that speak plain Flight: its flight is all of its rows.
func pathCommand(path []string) (proto.Message, error) {
	if len(path) == 0 || len(path) > pathPartsMax {
		return nil, qerr.New(qerr.User, "the path has %d parts; want a table's name, as [table], [schema, table] or [catalog, schema, table], or a Flight SQL command", len(path))
	}
	quoted := make([]string, len(path))
	for i, part := range path {
		quoted[i] = quoteName(part)
	}
	return &wire.CommandStatementQuery{Query: "SELECT * FROM " + strings.Join(quoted, ".")}, nil
}

// quoteName writes a name as SQL.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// unpackAction reads the body of a Flight SQL action into its request.
func unpackAction(action *wire.Action, request proto.Message) error {
	var packed anypb.Any
	if err := proto.Unmarshal(action.GetBody(), &packed); err != nil {
		return qerr.New(qerr.User, "the body of action %s is not a google.protobuf.Any", action.GetType())
	}
	if err := packed.UnmarshalTo(request); err != nil {
		return qerr.New(qerr.User, "the body of action %s is not a %s", action.GetType(), request.ProtoReflect().Descriptor().Name())
	}
	return nil
}

// packCommand is the inverse of parseCommand.
func packCommand(m proto.Message) ([]byte, error) {
	packed, err := anypb.New(m)
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "encode command", err)
	}
	b, err := proto.Marshal(packed)
	return b, qerr.Wrap(qerr.Internal, "encode command", err)
}

// unsupportedSubstrait answers every Substrait command.
func unsupportedSubstrait() error {
	return qerr.New(qerr.Unsupported, "Substrait plans are not supported; send SQL")
}
