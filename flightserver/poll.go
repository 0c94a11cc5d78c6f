package flightserver

import (
	"context"
	"strings"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// PollFlightInfo starts a statement and answers at once, or tells how a started one is getting on. Metadata commands are
// complete with the first reply.
func (s *Server) PollFlightInfo(ctx context.Context, d *wire.FlightDescriptor) (*wire.PollInfo, error) {
	command, err := descriptorCommand(d)
	if err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	if m, ok := command.(*wire.TicketStatementQuery); ok {
		return s.pollAgain(ctx, c, d, m.GetStatementHandle())
	}
	info, passed, err := askHome(ctx, s, command, func(ctx context.Context, there wire.FlightServiceClient) (*wire.PollInfo, error) {
		return there.PollFlightInfo(ctx, d)
	})
	if passed || err != nil {
		return info, err
	}
	var e execution
	switch m := command.(type) {
	case *wire.CommandStatementQuery:
		if e, err = s.statement(c, m.GetQuery(), m.GetTransactionId()); err != nil {
			return nil, err
		}
	case *wire.CommandPreparedStatementQuery:
		p, err := s.openPrepared(c, m.GetPreparedStatementHandle())
		if err != nil {
			return nil, err
		}
		defer p.close()
		if p.rows() != 1 && p.binding != nil {
			info, err := s.manyInfo(ctx, d, p)
			return complete(info), err
		}
		e = p.execution(0)
		defer e.release()
	default:
		info, err := s.GetFlightInfo(ctx, d)
		return complete(info), err
	}
	q, r, err := s.submit(ctx, e)
	if err != nil {
		return nil, err
	}
	poll, err := s.polls.add(q, e.caller, r.Settings)
	if err != nil {
		q.Cancel(err)
		return nil, err
	}
	return s.pollInfo(ctx, c, d, q, poll)
}

// pollAgain is PollFlightInfo of a retry descriptor, wherever its query is.
func (s *Server) pollAgain(ctx context.Context, c caller, d *wire.FlightDescriptor, handle []byte) (info *wire.PollInfo, err error) {
	id, life, err := s.named(c, handle)
	if err != nil {
		return nil, err
	}
	err = s.at(ctx, c, id, life, func(q Query) (err error) {
		info, err = s.pollInfo(ctx, c, d, q, s.polls.get(id))
		return err
	}, func(ctx context.Context, there wire.FlightServiceClient) (err error) {
		info, err = pollAt(ctx, there, d)
		return err
	})
	return info, err
}

func complete(info *wire.FlightInfo) *wire.PollInfo {
	if info == nil {
		return nil
	}
	return &wire.PollInfo{Info: info, Progress: proto.Float64(1)}
}

// pollInfo waits a little for the query to be placed and tells where it is. A poll whose client goes away leaves the query
// running until it expires: the client may come back on another connection.
func (s *Server) pollInfo(ctx context.Context, c caller, d *wire.FlightDescriptor, q Query, poll *poll) (*wire.PollInfo, error) {
	wait, stop := context.WithTimeout(ctx, s.cfg.PollWaitMax)
	defer stop()
	readyErr := q.Ready(wait)
	if ctx.Err() != nil {
		return nil, qerr.Wrap(qerr.Cancelled, "poll", ctx.Err())
	}
	state := q.State()
	if state.Err != nil {
		s.polls.remove(q.ID())
		return nil, state.Err
	}
	if readyErr != nil && wait.Err() == nil {
		s.polls.remove(q.ID())
		return nil, readyErr
	}
	if err := q.Promise(ctx); err != nil {
		s.polls.touch(q.ID()) // it may come again
		return nil, err
	}
	info := s.queryInfo(d, q, state)
	if state.Complete {
		if err := whole(q, state); err != nil {
			return nil, err
		}
		if err := s.placed(ctx, q, poll, state.Settings); err != nil {
			return nil, err
		}
		return complete(info), nil
	}
	retry, err := s.retryDescriptor(c, q.ID())
	if err != nil {
		return nil, err
	}
	// Cancelling by the info alone, which has no endpoint yet, goes by its descriptor.
	info.FlightDescriptor = retry
	expires := s.polls.touch(q.ID())
	return &wire.PollInfo{Info: info, FlightDescriptor: retry, Progress: proto.Float64(state.Progress), ExpirationTime: timestamppb.New(expires)}, nil
}

// placed ends the polling of a query; what SET changed goes into the session.
func (s *Server) placed(ctx context.Context, q Query, poll *poll, after settings.Values) error {
	s.polls.remove(q.ID())
	if poll == nil {
		return nil
	}
	err := s.adopt(ctx, poll.owner, poll.before, after)
	if err == nil {
		err = s.sessions.keep(ctx, poll.owner)
	}
	if err != nil {
		q.Cancel(err)
	}
	return err
}

// waitPolled is GetFlightInfo of a retry descriptor: it waits until the query is placed. A caller that goes away may poll on.
func (s *Server) waitPolled(ctx context.Context, c caller, d *wire.FlightDescriptor, handle []byte) (info *wire.FlightInfo, err error) {
	id, life, err := s.named(c, handle)
	if err != nil {
		return nil, err
	}
	err = s.at(ctx, c, id, life, func(q Query) error {
		if err := q.Ready(ctx); err != nil {
			return err
		}
		state := q.State()
		if err := whole(q, state); err != nil {
			return err
		}
		if err := q.Promise(ctx); err != nil {
			return err
		}
		info = s.queryInfo(d, q, state)
		return s.placed(ctx, q, s.polls.get(id), state.Settings)
	}, func(ctx context.Context, there wire.FlightServiceClient) (err error) {
		for next := d; next != nil && err == nil; {
			var poll *wire.PollInfo
			poll, err = pollAt(ctx, there, next)
			info, next = poll.GetInfo(), poll.GetFlightDescriptor()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return info, nil
}

// retryDescriptor names a query for its next poll, at this coordinator or any other.
func (s *Server) retryDescriptor(c caller, id ids.QueryID) (*wire.FlightDescriptor, error) {
	handle, err := s.sign(queryHandle, c, []byte(string(id)+ownerMark+s.cfg.Queries.ID()))
	if err != nil {
		return nil, err
	}
	command, err := packCommand(&wire.TicketStatementQuery{StatementHandle: handle})
	if err != nil {
		return nil, err
	}
	return &wire.FlightDescriptor{Type: wire.FlightDescriptor_CMD, Cmd: command}, nil
}

// ownerMark stands in a query's handle between its id and the coordinator that gave the handle.
const ownerMark = "@"

// polledSchema is GetSchema of a retry descriptor.
func (s *Server) polledSchema(ctx context.Context, c caller, d *wire.FlightDescriptor, handle []byte) (schema *wire.SchemaResult, err error) {
	id, life, err := s.named(c, handle)
	if err != nil {
		return nil, err
	}
	err = s.at(ctx, c, id, life, func(q Query) error {
		schema = &wire.SchemaResult{Schema: s.serialize(q.Schema())}
		return nil
	}, func(ctx context.Context, there wire.FlightServiceClient) (err error) {
		ctx, cancel := context.WithTimeout(ctx, passTry)
		defer cancel()
		schema, err = there.GetSchema(ctx, d)
		return err
	})
	return schema, err
}

// named reads the handle of a retry descriptor: a query, and the coordinator that gave it.
func (s *Server) named(c caller, handle []byte) (id ids.QueryID, life string, err error) {
	_, body, err := s.verify(queryHandle, c, handle)
	name, life, _ := strings.Cut(string(body), ownerMark)
	return ids.QueryID(name), life, err
}
