package coordinator

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
)

// A Frontend turns statements into operator trees, and evaluates those that need no worker. *frontend.Frontend is one.
// All methods may be called concurrently.
type Frontend interface {
	Classify(sql string) (frontend.Command, error)
	Plan(ctx context.Context, r frontend.Request) (*frontend.Planned, error)
	Describe(ctx context.Context, r frontend.Request) (*frontend.Description, error)
	// Definition reads the columns of a CREATE TABLE.
	Definition(ctx context.Context, w *frontend.Write) ([]table.Column, error)
	// Evaluate runs a statement that the frontend printed itself (Planned.LocalSQL); the caller closes the reader.
	Evaluate(ctx context.Context, sql string, cols []table.Column, timeZone string) (flightx.Reader, error)
}

// A Catalog gives the immutable view of all tables that one query is planned with. *catalog.Catalog is one.
type Catalog interface {
	Snapshot(ctx context.Context) (*catalog.Snapshot, error)
}

// A Cluster is the membership. *cluster.Cluster is one.
type Cluster interface {
	// Members is the newest snapshot; cheap.
	Members() member.Snapshot
	// Watch calls back with the newest snapshot at once and after each change, never concurrently with itself, skipping
	// snapshots that were overtaken, until ctx ends; it returns ctx's error.
	Watch(ctx context.Context, changed func(member.Snapshot)) error
}

// Clients reaches other processes: results by Flight, and the control service by a pooled connection.
// *flightx.Clients is one.
type Clients interface {
	Open(ctx context.Context, address string, tls bool, ticket []byte) (flightx.Reader, error)
	// Conn is the pooled connection to an address; it stays the pool's.
	Conn(address string, tls bool) (grpc.ClientConnInterface, error)
	// Drop closes the connections to a worker that is gone.
	Drop(address string)
}

// A Ledger is what several coordinators share beside the workers; see driver.Ledger.
type Ledger = driver.Ledger

// A LocalWorker is a worker in this process: its results are read without a network.
type LocalWorker interface {
	Open(ctx context.Context, ticket []byte, subject string) (flightx.Reader, error)
}

// Limits bound what a coordinator holds and how long it waits.
type Limits struct {
	// RunningMax is how many distributed queries run at once; more wait. Each holds its place until it was read to the
	// end, ended otherwise or expired. Default 64.
	RunningMax int
	// QueuedMax is how many queries wait for a place; more are refused as Unavailable. Default 1024.
	QueuedMax int
	// GroupRunningMax and GroupQueuedMax bound the queries of one resource group that has no limits of its own (Config.Groups).
	// Default: RunningMax, as a group takes what no other wants; and 256, so that one user cannot fill the queue.
	GroupRunningMax, GroupQueuedMax int
	// QueueWaitMax is how long a query waits for a place before it fails. Default 5 min. It does not count as execution.
	QueueWaitMax time.Duration
	// LiveMax bounds all queries that are not ended, statements that need no worker included. Default 8192: one holds a
	// few KiB.
	LiveMax int
	// LocalBytesMax bounds the statements that the coordinator holds to answer itself, which carry the rows of system
	// tables. Default 256 MiB.
	LocalBytesMax int64
	// TemporaryPartsMax is of how many statements' rows a temporary table is made before it is written anew as one. Default 32.
	TemporaryPartsMax int
	// EndedMax is how many ended queries sys.queries still shows. Default 1000.
	EndedMax int
	// StatementBytesMax is where sys.queries cuts a statement's text. Default 4 KiB.
	StatementBytesMax int
	// WorkerWaitMax is how long a query waits for a worker while there is none. Default 30 s: a rolling restart of a small fleet.
	WorkerWaitMax time.Duration
	// ResultTTL is how long endpoints wait for a reader while none of their query is being read. Default 60 s: clients
	// that read endpoints one after the other start the next at once, and a client that went away must not hold a
	// worker's memory for long.
	ResultTTL time.Duration
	// FallbackMax is how long they wait for a reader that was told at its worker that the task had failed, and may go on at the
	// coordinator. Default 15 s: drivers turn to an endpoint's next location at once, and a plain client does not come.
	FallbackMax time.Duration
	// SpoolTTL is how long a spooled result (arbalest.results = spool) can be read again after it is complete, or was renewed.
	// Default 5 min: it takes disk space of the workers, and who wants it for longer renews its endpoints.
	SpoolTTL time.Duration
	// TicketTTL is how long a ticket is valid. Default 1 h: the last of many endpoints may be opened only after the
	// others were read, and the registry ends unread queries long before.
	TicketTTL time.Duration
	// PingSilenceMax is how long a worker's control stream may be silent before the worker is taken as lost. Default
	// 4 s: four pings.
	PingSilenceMax time.Duration
	// CallTimeout bounds one control call to a worker. Default 10 s.
	CallTimeout time.Duration
	// ReleaseTimeout is how long the end of a query is told to a worker that does not answer. Default 2 min; after that
	// it is told when it comes back.
	ReleaseTimeout time.Duration
	// StallMax is how long the tasks of a query may run without anything being heard of any of them before the query fails.
	// Default 5 min: pings are not counted, and an engine that works tells its progress every second.
	StallMax time.Duration
	// SpeculateAfter is how long a task runs at least before a second attempt of it is begun elsewhere because its siblings
	// were much faster (lifecycle: speculate.go). Default 3 s: less is lost by waiting. Negative: never.
	SpeculateAfter time.Duration
	// TickInterval is how often deadlines and unread results are looked at. Default 500 ms.
	TickInterval time.Duration
	// TicketTaskBytesMax is the largest task shipped inside a ticket; larger ones are dispatched. Default 48 KiB, which
	// leaves a quarter of a ticket's 64 KiB for all else.
	TicketTaskBytesMax int
	// RecordWait is how long a FlightInfo waits for the record of its query to be written. Default 5 s: a store that elects a
	// leader takes some. Without a record the query ends with its coordinator.
	RecordWait time.Duration
	// SucceedWait is how long the successor of another coordinator waits for a worker's answer, after which it takes it for
	// lost. Default 3 s.
	SucceedWait time.Duration
	// LocationsMax bounds the distinct locations of one result. Default 20: ADBC closes connections past that.
	LocationsMax int
}

// A Config is what a coordinator is made of. It owns none of its parts: who made them closes them, after Close.
type Config struct {
	// ID names this life of the coordinator to workers and to other coordinators. Default: the ledger's, else made at random.
	ID       string
	Frontend Frontend
	Catalog  Catalog
	Cluster  Cluster
	// Ledger has the other coordinators, and the records by which one goes on with another's queries. Nil: queries end with
	// their coordinator.
	Ledger Ledger
	// Fallen is told once, from a goroutine of the coordinator's, that another one has taken over the queries of this one: it
	// refuses everything from then on, and its process should end. Default: nobody is told.
	Fallen func(error)
	// Keys signs tickets, which workers verify with the same keys.
	Keys    *auth.Keyring
	Clients Clients
	// Local holds the workers of this process. Their results are read through the coordinator: its endpoints name no
	// location.
	Local map[ids.WorkerID]LocalWorker
	// ProxyResults hides the workers: every result is read through the coordinator.
	ProxyResults bool
	// Groups are resource groups with limits of their own. Every user without one is a group with the default weight of 1.
	Groups map[string]ResourceGroup
	// SmallBytes is the compressed size of all scans, for each of the first two workers, below which a query gets a single
	// stage. Default 16 MiB.
	SmallBytes int64
	Limits     Limits
	Log        zerolog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// smallBytesDefault is about what one thread scans in the time that planning and dispatching stages costs (some 10 ms).
const smallBytesDefault = 16 << 20

// EnsureDefaults fills in what is zero.
func (c *Config) EnsureDefaults() {
	if c.ID == "" && c.Ledger != nil {
		c.ID = c.Ledger.Self().ID
	}
	if c.Fallen == nil {
		c.Fallen = func(error) {}
	}
	if c.ID == "" {
		c.ID = newID("c")
	}
	if c.SmallBytes == 0 {
		c.SmallBytes = smallBytesDefault
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Limits.ensureDefaults()
}

func (l *Limits) ensureDefaults() {
	setDefault(&l.RunningMax, 64)
	setDefault(&l.QueuedMax, 1024)
	setDefault(&l.GroupRunningMax, l.RunningMax)
	setDefault(&l.GroupQueuedMax, min(l.QueuedMax, 256))
	setDefault(&l.QueueWaitMax, 5*time.Minute)
	setDefault(&l.LiveMax, 8192)
	setDefault(&l.LocalBytesMax, 256<<20)
	setDefault(&l.TemporaryPartsMax, 32)
	setDefault(&l.EndedMax, 1000)
	setDefault(&l.StatementBytesMax, 4<<10)
	setDefault(&l.WorkerWaitMax, 30*time.Second)
	setDefault(&l.ResultTTL, time.Minute)
	setDefault(&l.FallbackMax, 15*time.Second)
	setDefault(&l.SpoolTTL, 5*time.Minute)
	setDefault(&l.TicketTTL, time.Hour)
	setDefault(&l.PingSilenceMax, 4*time.Second)
	setDefault(&l.CallTimeout, 10*time.Second)
	setDefault(&l.ReleaseTimeout, 2*time.Minute)
	setDefault(&l.StallMax, 5*time.Minute)
	setDefault(&l.SpeculateAfter, 3*time.Second)
	setDefault(&l.TickInterval, 500*time.Millisecond)
	setDefault(&l.TicketTaskBytesMax, 48<<10)
	setDefault(&l.LocationsMax, 20)
	setDefault(&l.RecordWait, 5*time.Second)
	setDefault(&l.SucceedWait, 3*time.Second)
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
			faults = append(faults, errors.New("coordinator: "+what+" is missing"))
		}
	}
	missing(c.Frontend == nil, "Frontend")
	missing(c.Catalog == nil, "Catalog")
	missing(c.Cluster == nil, "Cluster")
	missing(c.Keys == nil, "Keys")
	missing(c.Clients == nil, "Clients")
	l := c.Limits
	for name, value := range map[string]int64{
		"RunningMax": int64(l.RunningMax), "QueuedMax": int64(l.QueuedMax), "QueueWaitMax": int64(l.QueueWaitMax),
		"GroupRunningMax": int64(l.GroupRunningMax), "GroupQueuedMax": int64(l.GroupQueuedMax),
		"LiveMax": int64(l.LiveMax), "LocalBytesMax": l.LocalBytesMax, "EndedMax": int64(l.EndedMax),
		"TemporaryPartsMax": int64(l.TemporaryPartsMax), "StatementBytesMax": int64(l.StatementBytesMax),
		"WorkerWaitMax": int64(l.WorkerWaitMax), "ResultTTL": int64(l.ResultTTL), "FallbackMax": int64(l.FallbackMax), "SpoolTTL": int64(l.SpoolTTL), "TicketTTL": int64(l.TicketTTL),
		"PingSilenceMax": int64(l.PingSilenceMax), "CallTimeout": int64(l.CallTimeout),
		"ReleaseTimeout": int64(l.ReleaseTimeout), "StallMax": int64(l.StallMax), "TickInterval": int64(l.TickInterval),
		"TicketTaskBytesMax": int64(l.TicketTaskBytesMax), "LocationsMax": int64(l.LocationsMax),
	} {
		if value < 0 {
			faults = append(faults, errors.New("coordinator: Limits."+name+" is negative"))
		}
	}
	for name, g := range c.Groups {
		missing(name == "", "the name of a group")
		if g.Weight < 0 || g.RunningMax < 0 || g.QueuedMax < 0 {
			faults = append(faults, errors.New("coordinator: Groups["+name+"] has a negative limit"))
		}
	}
	return errors.Join(faults...)
}
