package flightserver

import (
	"sync"

	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Server answers Flight SQL. Safe for concurrent use; made by New.
type Server struct {
	wire.UnimplementedFlightServiceServer
	cfg      Config
	sessions *sessions
	polls    *polls
	info     *sqlInfo
	mem      memory.Allocator
	logins   *auth.Logins
	relays   sync.WaitGroup // what passes clients' streams on to other coordinators
	closing  sync.Once
}

// New returns a server. Close it after the gRPC server it was registered with has stopped.
func New(cfg Config) (*Server, error) {
	cfg.EnsureDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, qerr.Wrap(qerr.Internal, "start flight server", err)
	}
	s := &Server{cfg: cfg, mem: memory.NewGoAllocator()}
	s.logins = auth.NewLogins(auth.LoginsConfig{Passwords: cfg.Users, Tokens: cfg.Tokens, Certificates: cfg.Certificates, Log: cfg.Log, Now: cfg.Now})
	s.sessions = newSessions(&s.cfg)
	s.polls = newPolls(&s.cfg)
	s.info = newSQLInfo(&s.cfg)
	return s, nil
}

// ServerOptions are what the gRPC server must be made with: those of flightx (codec, limits that real clients need), and the
// interceptors.
func (s *Server) ServerOptions() []grpc.ServerOption {
	return append(flightx.ServerOptions(s.cfg.Log),
		grpc.ChainUnaryInterceptor(s.UnaryInterceptor),
		grpc.ChainStreamInterceptor(s.StreamInterceptor))
}

// Register adds the Flight service. Health and reflection are for whoever makes the gRPC server, who knows when it drains.
func (s *Server) Register(r grpc.ServiceRegistrar) { wire.RegisterFlightServiceServer(r, s) }

// Close drops all sessions and ends the queries that are still polled. Idempotent.
func (s *Server) Close() {
	s.closing.Do(func() {
		s.relays.Wait()
		s.polls.close()
		s.sessions.close()
	})
}

// Usage is what the server holds at one moment; an idle server without sessions holds nothing.
type Usage struct {
	Sessions, Statements, Transactions, Polls int
	// StateBytes are statement texts and bound parameters.
	StateBytes int64
}

// Usage counts what is held, and drops what is past its idle time first.
func (s *Server) Usage() Usage {
	u := s.sessions.usage()
	u.Polls = s.polls.len()
	return u
}
