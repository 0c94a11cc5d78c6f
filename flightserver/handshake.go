package flightserver

import (
	"errors"
	"io"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Handshake logs a client in. Newer clients send Basic or Bearer in the authorization header and take the session token
// from the reply's headers; older ones send a BasicAuth message, and take the token from the reply's payload.
func (s *Server) Handshake(stream wire.FlightService_HandshakeServer) error {
	md, _ := metadata.FromIncomingContext(stream.Context())
	if len(md.Get(authorizationHeader)) > 0 {
		_, h, err := s.identify(stream.Context(), md)
		if err != nil {
			return err
		}
		return stream.SetHeader(h.md()) // One that is good still, too: JDBC's token= waits for it here.
	}
	request, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		request, err = &wire.HandshakeRequest{}, nil
	}
	if err != nil {
		return qerr.Wrap(qerr.User, "read handshake", err)
	}
	var login wire.BasicAuth
	if err := proto.Unmarshal(request.GetPayload(), &login); err != nil {
		return qerr.New(qerr.Unauthenticated, "the handshake's payload is not a BasicAuth message")
	}
	var h headers
	if login.GetUsername() == "" && login.GetPassword() == "" {
		_, h, err = s.identify(stream.Context(), md) // By certificate, or as nobody.
	} else {
		_, h, err = s.openByPassword(login.GetUsername(), login.GetPassword(), addressOf(stream.Context()))
	}
	if err != nil {
		return err
	}
	if err := stream.SetHeader(h.md()); err != nil {
		return err
	}
	return stream.Send(&wire.HandshakeResponse{ProtocolVersion: request.GetProtocolVersion(), Payload: []byte(h.token)})
}
