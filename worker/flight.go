package worker

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// tokenTTL is how long a token lasts that this worker gives for a name and a password.
const tokenTTL = 12 * time.Hour

// flightService is the worker's Flight door: it serves tickets, and politely answers what drivers repeat on every
// connection they open.
type flightService struct {
	flight.BaseFlightServer
	worker *Worker
}

// DoGet implements flight.FlightServer.
func (s *flightService) DoGet(ticket *flight.Ticket, stream flight.FlightService_DoGetServer) error {
	err := s.worker.serve(ticket.GetTicket(), stream)
	if qerr.Is(err, qerr.Internal) {
		s.worker.logFault(err, "serving a ticket failed")
	}
	return grpcerr.ToStatus(err)
}

func (w *Worker) serve(ticket []byte, stream flight.FlightService_DoGetServer) error {
	ctx := stream.Context()
	t, err := w.verifyTicket(ticket)
	if err != nil {
		return err
	}
	if err := w.mayRead(ctx, t); err != nil {
		return err
	}
	if t.GetAudience() == pb.Audience_AUDIENCE_EXCHANGE {
		reader, err := w.partitions(t)
		if err != nil {
			return err
		}
		defer func() { _ = reader.Close() }()
		return flightx.Send(ctx, stream, reader, flightx.LinkMessageBytesMax)
	}
	if kept, err := w.openKept(t); kept != nil || err != nil {
		if err != nil {
			return err
		}
		defer func() { _ = kept.Close() }()
		return flightx.Send(ctx, stream, kept, flightx.MessageBytesMax)
	}
	reader, err := w.openResult(ctx, t, header(ctx, auth.CredentialHeader) != "")
	if err != nil {
		return toClient(ctx, err)
	}
	defer func() { _ = reader.Close() }()
	return toClient(ctx, w.send(ctx, stream, reader))
}

// toClient makes a failed fetch what a client can act on: its driver asks the coordinator, which runs the task elsewhere.
// Coordinators want to know which producer it was.
func toClient(ctx context.Context, err error) error {
	if !qerr.Is(err, qerr.FetchFailed) || header(ctx, auth.CredentialHeader) != "" {
		return err
	}
	return &qerr.Error{Kind: qerr.Unavailable, Msg: "an intermediate result was lost; read through the coordinator, or send the statement again", Err: err}
}

// sendGrace is how long a client that reads has to notice by itself that its task ended early.
const sendGrace = time.Second

// send streams a result, and returns soon after its task ended early, also while the client does not read: returning ends the
// gRPC stream, which frees the sender.
func (w *Worker) send(ctx context.Context, stream flight.FlightService_DoGetServer, reader *resultReader) error {
	sent := make(chan error, 1)
	if !w.own(func() {
		defer func() {
			if p := recover(); p != nil {
				sent <- w.panicked(reader.run, p)
			}
		}()
		sent <- flightx.Send(ctx, stream, reader, flightx.MessageBytesMax)
	}) {
		return qerr.New(qerr.Unavailable, "worker %s is shutting down", w.cfg.ID)
	}
	select {
	case err := <-sent:
		return err
	case <-reader.run.done:
	}
	if flightx.AtEnd(reader.ended) {
		return <-sent // the last messages are under way
	}
	grace := time.NewTimer(sendGrace)
	defer grace.Stop()
	select {
	case err := <-sent:
		return err
	case <-grace.C:
		return reader.ended
	}
}

// Handshake implements flight.FlightServer. JDBC repeats it on every connection: a good token is given back, and so is one
// for a good name and password.
func (s *flightService) Handshake(stream flight.FlightService_HandshakeServer) error {
	w := s.worker
	user, known, err := w.subject(stream.Context())
	if err != nil && w.cfg.RequireToken {
		return grpcerr.ToStatus(err)
	}
	if w.cfg.RequireToken && !known {
		return grpcerr.ToStatus(qerr.New(qerr.Unauthenticated, "this worker wants the bearer token that the coordinator gave"))
	}
	// Never a token for somebody unknown: it would be good at a coordinator that does authenticate.
	token := ""
	if scheme, _, _, given, err := auth.ParseAuthorization(header(stream.Context(), "authorization")); err == nil && scheme == auth.SchemeBearer {
		token = given
	} else if known {
		token = w.cfg.Keys.IssueToken(auth.Claims{Subject: user, Expires: w.cfg.Now().Add(tokenTTL)})
	}
	if token != "" {
		if err := grpc.SetHeader(stream.Context(), metadata.Pairs("authorization", "Bearer "+token)); err != nil {
			return grpcerr.ToStatus(qerr.Wrap(qerr.Internal, "handshake", err))
		}
	}
	return stream.Send(&flight.HandshakeResponse{})
}

// The session actions that drivers repeat on every connection.
const (
	actionSetSession   = "SetSessionOptions"
	actionGetSession   = "GetSessionOptions"
	actionCloseSession = "CloseSession"
)

// DoAction implements flight.FlightServer: sessions live at the coordinator, so their actions change nothing here.
func (s *flightService) DoAction(action *flight.Action, stream flight.FlightService_DoActionServer) error {
	var reply proto.Message
	switch action.GetType() {
	case actionSetSession:
		reply = &flight.SetSessionOptionsResult{}
	case actionGetSession:
		reply = &flight.GetSessionOptionsResult{}
	case actionCloseSession:
		reply = &flight.CloseSessionResult{Status: flight.CloseSessionResultClosed}
	default:
		return grpcerr.ToStatus(qerr.New(qerr.Unsupported, "a worker has no action %q; send it to the coordinator", action.GetType()))
	}
	body, err := proto.Marshal(reply)
	if err != nil {
		return grpcerr.ToStatus(qerr.Wrap(qerr.Internal, action.GetType(), err))
	}
	return stream.Send(&flight.Result{Body: body})
}

// ListActions implements flight.FlightServer.
func (s *flightService) ListActions(_ *flight.Empty, stream flight.FlightService_ListActionsServer) error {
	for _, name := range []string{actionSetSession, actionGetSession, actionCloseSession} {
		if err := stream.Send(&flight.ActionType{Type: name, Description: "accepted; sessions live at the coordinator"}); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere is the answer to what only coordinators do.
func elsewhere(call string) error {
	return grpcerr.ToStatus(qerr.New(qerr.Unsupported, "a worker only serves tickets (DoGet); send %s to the coordinator", call))
}

// GetFlightInfo implements flight.FlightServer.
func (s *flightService) GetFlightInfo(context.Context, *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return nil, elsewhere("GetFlightInfo")
}

// PollFlightInfo implements flight.FlightServer.
func (s *flightService) PollFlightInfo(context.Context, *flight.FlightDescriptor) (*flight.PollInfo, error) {
	return nil, elsewhere("PollFlightInfo")
}

// GetSchema implements flight.FlightServer.
func (s *flightService) GetSchema(context.Context, *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	return nil, elsewhere("GetSchema")
}

// ListFlights implements flight.FlightServer.
func (s *flightService) ListFlights(*flight.Criteria, flight.FlightService_ListFlightsServer) error {
	return elsewhere("ListFlights")
}

// DoPut implements flight.FlightServer.
func (s *flightService) DoPut(flight.FlightService_DoPutServer) error { return elsewhere("DoPut") }

// DoExchange implements flight.FlightServer.
func (s *flightService) DoExchange(flight.FlightService_DoExchangeServer) error {
	return elsewhere("DoExchange")
}
