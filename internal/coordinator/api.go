package coordinator

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
	"github.com/arbalest-sql/arbalest/internal/settings"
	"github.com/arbalest-sql/arbalest/internal/temptable"
)

// A Request is a statement that a client gives to the coordinator.
type Request struct {
	SQL string
	// Params is one row of parameter values; nil for none. Submit and Describe borrow it for the call.
	Params   arrow.RecordBatch
	Settings settings.Values
	// User owns the query: only the same user reads its tickets. Empty on a server without authentication.
	User string
	// Session is for listings only.
	Session string
	// Once says that the caller reads the result itself, once: arbalest.results does not apply.
	Once bool
	// Temporary are the session's tables; nil: it cannot have any.
	Temporary *temptable.View

	held *held // the versions of temporary tables that the statement reads
}

// Status is where a query is in its life; see package lifecycle for the state machine.
type Status = lifecycle.Status

// The statuses.
const (
	Queued    = lifecycle.Queued
	Running   = lifecycle.Running
	Finished  = lifecycle.Finished
	Failed    = lifecycle.Failed
	Cancelled = lifecycle.Cancelled
	Expired   = lifecycle.Expired
)

// A QueryState is a query at one moment.
type QueryState struct {
	Status Status
	// Progress is 0 … 1 and never falls.
	Progress float64
	// Endpoints are those placed so far; later states only append.
	Endpoints []Endpoint
	// Complete says that no endpoint will be added: the plan is placed or the query has ended.
	Complete bool
	// Err is why the query ended without its rows; nil while it runs and after it finished.
	Err error
	// Settings are the session's settings after this statement: changed by SET and RESET, else as they came.
	Settings settings.Values
	// Changed is how many rows a write has changed; -1 for other statements.
	Changed int64
}

// An Endpoint is one stream of a result.
type Endpoint struct {
	// Ticket is signed, and valid at any of Locations and at the coordinator; nil once the query has ended.
	Ticket []byte
	// Locations are Flight URIs in order of preference; empty means: read it where it was asked for.
	Locations []string
	// Rows and Bytes are exact; -1 when not known.
	Rows, Bytes int64
	// Expires is until when the stream can be read again and again; zero: it can be read once.
	Expires time.Time
}
