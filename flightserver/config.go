package flightserver

import (
	"context"
	"errors"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// Queries runs statements. FromCoordinator makes one of a coordinator. All methods may be called concurrently.
type Queries interface {
	// Submit plans and starts a statement; faults in it come back here. The query outlives ctx.
	Submit(ctx context.Context, r coordinator.Request) (Query, error)
	// Describe plans a statement without running it.
	Describe(ctx context.Context, r coordinator.Request) (*frontend.Description, error)
	// ID names the coordinator, as handles and tickets do.
	ID() string
	// Owner finds a query that a coordinator, this one or another, began: it is here, or the place says at which one it is. It
	// waits while that is being settled.
	Owner(ctx context.Context, id ids.QueryID, life string) (Query, coordinator.Place, error)
	// Home finds where the sessions are that a coordinator, this one or another, began: here, or at the place. It waits while that
	// is being settled. Unauthenticated: they are over.
	Home(ctx context.Context, life string) (here bool, at coordinator.Place, err error)
	// While is ctx for as long as another coordinator lives; its cause is the error when it does not. stop is called in the end.
	While(ctx context.Context, at coordinator.Place) (while context.Context, stop func())
	// Reach is the pooled connection to another coordinator.
	Reach(at coordinator.Place) (grpc.ClientConnInterface, error)
	// Open reads the stream that a ticket names, wherever it is; the caller closes the reader.
	Open(ctx context.Context, ticket []byte, subject string) (flightx.Reader, error)
	// Renew gives a result that can be read again more time; the endpoint comes back with a fresh ticket.
	Renew(ticket []byte, subject string) (coordinator.Endpoint, error)
	// Ingest writes rows into a temporary table of the request's session, all or none, and returns their number.
	Ingest(ctx context.Context, r coordinator.Request, in coordinator.Ingest, rows flightx.Reader) (int64, error)
	// SystemTable gives a table of db schema sys; here only its columns matter.
	SystemTable(name string) (*table.Table, error)
}

// A Query is one running statement, as *coordinator.Query.
type Query interface {
	ID() ids.QueryID
	Schema() *arrow.Schema
	// Ordered says that endpoints must be read in their order.
	Ordered() bool
	// Ready waits until all endpoints are placed or the query has failed, whose error it returns.
	Ready(ctx context.Context) error
	State() coordinator.QueryState
	// Promise comes between State and telling a client of it: another coordinator then goes on with the query should this one
	// die. The error says that this one may tell nothing any more.
	Promise(ctx context.Context) error
	// Cancel ends the query; idempotent.
	Cancel(cause error)
}

// A Catalog gives the immutable view of all tables. *catalog.Catalog is one.
type Catalog interface {
	Snapshot(ctx context.Context) (*catalog.Snapshot, error)
}

// A Config is what a server is made of. It owns none of its parts.
type Config struct {
	Queries Queries
	Catalog Catalog
	// Keys sign session tokens and handles, with the keys that sign tickets.
	Keys *auth.Keyring
	// Users checks names and passwords, Tokens bearer tokens that are not ours, in their order; Certificates says which name in a
	// client certificate is the user's. None of them: everybody is let in as the same anonymous user, which is for loopback only;
	// whoever makes the listener sees to that.
	Users        auth.PasswordVerifier
	Tokens       []auth.TokenVerifier
	Certificates auth.CertificateName
	// Sessions keeps what a session needs to go on at another coordinator. Default: in memory, for those that rest.
	Sessions SessionRecords
	// Version is what GetSqlInfo tells as the server's version. Default "0.0.0-dev".
	Version string
	// SystemTables are the names of the tables of db schema sys that GetTables lists. Default: those of the coordinator.
	SystemTables []string

	// TokenTTL is how long a session token is good; one past half its time is replaced in the reply. Default 12 h: a client that
	// rests over noon goes on, one that is left behind is not let in the next day.
	TokenTTL time.Duration
	// LoginMax is how long tokens of one login are replaced; then the client has to log in again. Default 7 days. A login by a bearer
	// token or a certificate ends with that, if it ends earlier.
	LoginMax time.Duration
	// SessionIdleMax is how long a session's state is kept after its last call. Default 1 h. A prepared statement lives as
	// long as its session; the session's options stay as long as its token.
	SessionIdleMax time.Duration
	// SessionsMax bounds the sessions that hold state; past it the one idle longest is dropped. Default 10000.
	SessionsMax int
	// StatementsMax bounds a session's prepared statements; past it the one idle longest is dropped, for the JDBC driver
	// leaks them. Default 512.
	StatementsMax int
	// StateBytesMax bounds the statement texts and bound parameters of all sessions. Default 256 MiB.
	StateBytesMax int64
	// BindingBytesMax bounds the parameters bound to a statement by one DoPut. Default 32 MiB.
	BindingBytesMax int64
	// StatementBytesMax bounds the text of a statement. Default 4 MiB, as in the frontend.
	StatementBytesMax int
	// TemporaryBytesMax bounds the temporary tables of a session, as their rows are kept by workers. Default 16 GiB; the
	// workers' disks bound those of all sessions.
	TemporaryBytesMax int64
	// PollIdleMax is how long a polled query goes on when nobody polls it. Default 2 min.
	PollIdleMax time.Duration
	// PollWaitMax is how long PollFlightInfo waits for news before it answers that there are none. Default 500 ms: short
	// enough for a progress bar.
	PollWaitMax time.Duration

	Log zerolog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// EnsureDefaults fills in what is zero.
func (c *Config) EnsureDefaults() {
	setDefault(&c.Version, "0.0.0-dev")
	setDefault(&c.TokenTTL, 12*time.Hour)
	setDefault(&c.LoginMax, 7*24*time.Hour)
	setDefault(&c.SessionIdleMax, time.Hour)
	setDefault(&c.SessionsMax, 10000)
	setDefault(&c.StatementsMax, 512)
	setDefault(&c.StateBytesMax, 256<<20)
	setDefault(&c.BindingBytesMax, 32<<20)
	setDefault(&c.StatementBytesMax, 4<<20)
	setDefault(&c.TemporaryBytesMax, 16<<30)
	setDefault(&c.PollIdleMax, 2*time.Minute)
	setDefault(&c.PollWaitMax, 500*time.Millisecond)
	if c.SystemTables == nil {
		c.SystemTables = coordinator.SystemTables()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sessions == nil {
		c.Sessions = newRestingRecords(c.Now)
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports all faults at once.
func (c *Config) Validate() error {
	var faults []error
	missing := func(is bool, what string) {
		if is {
			faults = append(faults, errors.New("flightserver: "+what+" is missing"))
		}
	}
	missing(c.Queries == nil, "Queries")
	missing(c.Catalog == nil, "Catalog")
	missing(c.Keys == nil, "Keys")
	for name, value := range map[string]int64{
		"TokenTTL": int64(c.TokenTTL), "LoginMax": int64(c.LoginMax), "SessionIdleMax": int64(c.SessionIdleMax), "SessionsMax": int64(c.SessionsMax),
		"StatementsMax": int64(c.StatementsMax), "StateBytesMax": c.StateBytesMax, "BindingBytesMax": c.BindingBytesMax,
		"StatementBytesMax": int64(c.StatementBytesMax), "TemporaryBytesMax": c.TemporaryBytesMax, "PollIdleMax": int64(c.PollIdleMax), "PollWaitMax": int64(c.PollWaitMax),
	} {
		if value < 0 {
			faults = append(faults, errors.New("flightserver: "+name+" is negative"))
		}
	}
	return errors.Join(faults...)
}
