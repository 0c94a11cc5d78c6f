package relay

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// A Kind is what an Event tells of.
type Kind int

// The kinds.
const (
	// Create is a task given to the worker. After comes when the worker has taken it and its caller was told.
	Create Kind = iota
	// Report is what the worker says of a task.
	Report
	// Fetch is a ticket redeemed by another worker or a client. After comes when the worker has the ticket.
	Fetch
	// Schema is the first message that answers a Fetch.
	Schema
	// Refusal is an error that ends a Fetch; it is told before it is passed on.
	Refusal
)

// An Event is something that passes a relay.
type Event struct {
	Kind   Kind
	Worker int  // the relay's number
	After  bool // it has been passed on
	Key    *pb.TaskKey
	Task   *pb.TaskSpec  // of Create
	Report *pb.TaskEvent // of Report
	Ticket *pb.Ticket    // of Fetch and Schema
	Signed []byte        // the ticket as sent
}

// A Script is told of every event of every relay. It may wait; an error ends the call with it (a status, or Unavailable).
// ctx is the caller's, and ends when the call is over for it: with Create's After event, when its caller has the reply's
// status, too. It is called concurrently.
type Script func(ctx context.Context, e Event) error

const (
	methodCreate = "/arbalest.v1.Tasks/Create"
	methodWatch  = "/arbalest.v1.Tasks/Watch"
	methodDoGet  = "/arrow.flight.protocol.FlightService/DoGet"
)

// request reads the event that a caller's message is; ok is false for messages that tell nothing.
func request(method string, m message) (e Event, ok bool) {
	switch method {
	case methodCreate:
		var create pb.CreateRequest
		if proto.Unmarshal(m.data.Materialize(), &create) != nil {
			return e, false
		}
		return Event{Kind: Create, Key: create.GetTask().GetKey(), Task: create.GetTask()}, true
	case methodDoGet:
		var ticket flight.Ticket
		var signed pb.Signed
		var content pb.Ticket
		if proto.Unmarshal(m.data.Materialize(), &ticket) != nil || proto.Unmarshal(ticket.GetTicket(), &signed) != nil ||
			proto.Unmarshal(signed.GetPayload(), &content) != nil {
			return e, false
		}
		return Event{Kind: Fetch, Key: content.GetKey(), Ticket: &content, Signed: ticket.GetTicket()}, true
	}
	return e, false
}

// reply reads the event that the worker's message is, given the caller's; first is the call's first reply.
func reply(method string, asked Event, m message, first bool) (e Event, ok bool) {
	switch {
	case method == methodCreate:
		asked.After = true
		return asked, true
	case method == methodWatch:
		var watch pb.WatchEvent
		if proto.Unmarshal(m.data.Materialize(), &watch) != nil || watch.GetTask() == nil {
			return e, false
		}
		return Event{Kind: Report, Key: watch.GetTask().GetKey(), Report: watch.GetTask()}, true
	case method == methodDoGet && first && asked.Ticket != nil:
		asked.Kind = Schema
		return asked, true
	}
	return e, false
}
