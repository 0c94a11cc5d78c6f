package etcd

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	"github.com/rs/zerolog"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// leaseTTL is how long a process that fell silent stays listed. A coordinator notices a lost worker sooner by its control
	// stream; the lease only ends the listing.
	leaseTTL = 10 * time.Second
	// coordinatorTTL is that of coordinators: another one goes on with a lost one's queries when it has run out, which
	// clients wait for. A process that stands still for so long is taken for dead, and ends when it notices.
	coordinatorTTL = 7 * time.Second
	// fallenTTL is how long it is remembered who goes on with a fallen coordinator's queries: longer than any ticket is valid.
	fallenTTL = 24 * time.Hour
	// callTimeout bounds one call to etcd: an election takes a second or two.
	callTimeout = 5 * time.Second
	// leaveTimeout bounds the revocation at the end; without it the lease runs out by itself.
	leaveTimeout = 2 * time.Second
	// keepAliveTime and keepAliveTimeout find a connection whose other side hangs; gRPC allows no shorter interval.
	keepAliveTime, keepAliveTimeout = 10 * time.Second, 3 * time.Second
	// backoffMin and backoffMax bound the pause between two tries.
	backoffMin, backoffMax = 100 * time.Millisecond, 5 * time.Second
	// kindWorker and kindCoordinator are the kinds of signed records.
	kindWorker, kindCoordinator = "worker", "coordinator"
	// kindFallen, kindQuery and kindSession are further ones.
	kindFallen, kindQuery, kindSession = "fallen", "query", "session"
)

// A Config says where etcd is and how to prove oneself to it.
type Config struct {
	// Endpoints are host:port of etcd's members.
	Endpoints []string
	// Prefix begins every key; without a slash at its end.
	Prefix string
	// TLS, when not nil, is used towards etcd.
	TLS *tls.Config
	// User and Password log in; empty for an etcd without authentication.
	User, Password string
	// Keys signs and verifies records.
	Keys *auth.Keyring
	// LeaseTTL is how long a silent process stays listed, in whole seconds; etcd allows no less than two. Default 10 s.
	LeaseTTL time.Duration
	// CoordinatorTTL is the same for coordinators. Default 7 s.
	CoordinatorTTL time.Duration
	Log            zerolog.Logger

	dial []grpc.DialOption // tests cut connections by it
}

// connect returns a client; nothing is dialled before its first use.
func (c Config) connect() (*clientv3.Client, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: c.Endpoints, TLS: c.TLS, Username: c.User, Password: c.Password,
		DialTimeout: callTimeout, DialKeepAliveTime: keepAliveTime, DialKeepAliveTimeout: keepAliveTimeout,
		Logger:      zap.NewNop(), // what matters comes back as an error, and is logged by us
		DialOptions: c.dial,
	})
	if err != nil {
		return nil, qerr.Wrap(qerr.Unavailable, "reach etcd at "+strings.Join(c.Endpoints, ", "), err)
	}
	return client, nil
}

func (c Config) withDefaults() Config {
	if c.LeaseTTL == 0 {
		c.LeaseTTL = leaseTTL
	}
	if c.CoordinatorTTL == 0 {
		c.CoordinatorTTL = coordinatorTTL
	}
	return c
}

func (c Config) workersPrefix() string      { return c.Prefix + "/workers/" }
func (c Config) coordinatorsPrefix() string { return c.Prefix + "/coordinators/" }
func (c Config) fallenPrefix() string       { return c.Prefix + "/fallen/" }
func (c Config) queriesPrefix() string      { return c.Prefix + "/queries/" }
func (c Config) sessionsPrefix() string     { return c.Prefix + "/sessions/" }

// unavailable says what could not be done at etcd.
func (c Config) unavailable(what string, err error) error {
	return qerr.Wrap(qerr.Unavailable, what+" at etcd "+strings.Join(c.Endpoints, ", "), err)
}

// pause sleeps, or returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
