package flightx

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/keepalive"

	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

const (
	// receiveBytesMax bounds a message that a server or client accepts: bound parameters and ingested batches are large.
	receiveBytesMax = 64 << 20
	// headerListBytesMax bounds a call's headers: JDBC turns each property of its URL into one.
	headerListBytesMax = 256 << 10
	// serverStreamWindowBytes lets a client stream parameters and ingested batches without waiting for each.
	serverStreamWindowBytes = 4 << 20
	serverConnWindowBytes   = 16 << 20

	// keepaliveMin is how often a client may ping; our own links ping every linkKeepalive.
	keepaliveMin = 5 * time.Second
	// keepaliveEvery is after how much silence a server asks whether a client is still there, and keepaliveWait how long it
	// waits for the answer: a client that lost its power must not hold a query for hours.
	keepaliveEvery = 30 * time.Second
	keepaliveWait  = 15 * time.Second
)

// ServerOptions are the gRPC options of every Arbalest server: the codec, limits, keepalive, and as the outermost
// interceptors those that turn a panic into an Internal error, logged with its stack. Further interceptors are chained after.
func ServerOptions(log zerolog.Logger) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		experimental.BufferPool(&frames),
		grpc.WaitForHandlers(true), // so that Stop returns when nothing of the server runs any more
		grpc.MaxRecvMsgSize(receiveBytesMax),
		grpc.MaxHeaderListSize(headerListBytesMax),
		grpc.InitialWindowSize(serverStreamWindowBytes),
		grpc.InitialConnWindowSize(serverConnWindowBytes),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveMin, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveEvery, Timeout: keepaliveWait}),
		grpc.ChainUnaryInterceptor(recoverUnary(log)),
		grpc.ChainStreamInterceptor(recoverStream(log), markStream, guardDescriptor),
	}
}

func recoverUnary(log zerolog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (reply any, err error) {
		defer func() {
			if p := recover(); p != nil {
				reply, err = nil, panicked(log, info.FullMethod, p)
			}
		}()
		return handler(ctx, req)
	}
}

func recoverStream(log zerolog.Logger) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = panicked(log, info.FullMethod, p)
			}
		}()
		return handler(srv, stream)
	}
}

// panicked logs a handler's panic and returns what the client is told. The panic's text stays here: it may hold anything.
func panicked(log zerolog.Logger, method string, p any) error {
	log.Error().Str("method", method).Interface("panic", p).Bytes("stack", debug.Stack()).Msg("a handler panicked")
	return grpcerr.ToStatus(qerr.New(qerr.Internal, "internal fault in %s; it is in the server's log", method))
}

// guardDescriptor refuses a DoPut or DoExchange whose first message has no descriptor, which arrow-go's Flight SQL server
// dereferences.
func guardDescriptor(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if info.IsClientStream {
		stream = &descriptorGuard{ServerStream: stream}
	}
	return handler(srv, stream)
}

type descriptorGuard struct {
	grpc.ServerStream
	seen bool
}

func (g *descriptorGuard) RecvMsg(m any) error {
	if err := g.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	data, isData := m.(*flight.FlightData)
	if isData && !g.seen && data.GetFlightDescriptor() == nil {
		return grpcerr.ToStatus(qerr.New(qerr.User, "the first message of the stream must have a flight descriptor"))
	}
	g.seen = true
	return nil
}
