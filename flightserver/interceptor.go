package flightserver

import (
	"context"
	"runtime/debug"
	"strings"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// selfGuarded are the services that see to authentication themselves, by prefix of the full method: health is open to load
// balancers, and our own services ask for the cluster credential.
var selfGuarded = []string{"/grpc.health.v1.Health/", "/arbalest.v1."}

// openMethods need no caller: Handshake is where a caller comes from.
var openMethods = map[string]bool{"/" + wire.FlightService_ServiceDesc.ServiceName + "/Handshake": true}

func needsCaller(method string) bool {
	if openMethods[method] {
		return false
	}
	for _, prefix := range selfGuarded {
		if strings.HasPrefix(method, prefix) {
			return false
		}
	}
	return true
}

// UnaryInterceptor finds the caller, recovers panics and turns errors into statuses.
func (s *Server) UnaryInterceptor(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (reply any, err error) {
	defer func() { err = s.finish(info.FullMethod, recover(), err) }()
	if needsCaller(info.FullMethod) {
		if ctx, err = s.login(ctx, func(h headers) error { return grpc.SetHeader(ctx, h.md()) }); err != nil {
			return nil, err
		}
	}
	return handler(ctx, request)
}

// StreamInterceptor does for streams what UnaryInterceptor does for calls.
func (s *Server) StreamInterceptor(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() { err = s.finish(info.FullMethod, recover(), err) }()
	if needsCaller(info.FullMethod) {
		ctx, err := s.login(stream.Context(), func(h headers) error { return stream.SetHeader(h.md()) })
		if err != nil {
			return err
		}
		stream = &callerStream{ServerStream: stream, ctx: ctx}
	}
	return handler(server, stream)
}

// callerStream is a stream whose context knows the caller.
type callerStream struct {
	grpc.ServerStream
	// ctx belongs to this stream and ends with it, as the one it wraps.
	ctx context.Context //nolint:containedctx // gRPC's interface for contexts of streams is this method.
}

// Context returns the stream's context.
func (s *callerStream) Context() context.Context { return s.ctx }

// finish makes the status that a call ends with.
func (s *Server) finish(method string, panicked any, err error) error {
	if panicked != nil {
		s.cfg.Log.Error().Str("method", method).Interface("panic", panicked).Bytes("stack", debug.Stack()).Msg("recovered a panic")
		err = qerr.New(qerr.Internal, "an internal fault ended this call; the server's log has the details")
	}
	return grpcerr.ToStatus(err)
}
