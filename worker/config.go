package worker

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// ProtocolVersion is what this build's workers understand of the control protocol; see pb.WorkerRecord.
const ProtocolVersion = 1

// A Config says who a worker is, what it uses and its limits. The engine, keys and clients stay the caller's.
type Config struct {
	// ID stays the same over restarts; Incarnation is this life's, random by default.
	ID          ids.WorkerID
	Incarnation ids.Incarnation
	// Address is where coordinators and workers reach this one, host:port; Advertised is where clients do, empty = only
	// through a coordinator. TLS says that the server behind both speaks TLS.
	Address, Advertised string
	TLS                 bool
	// Version is the build's, for status displays.
	Version string

	Engine  *duck.Engine
	Keys    *auth.Keyring
	Clients *flightx.Clients
	Log     zerolog.Logger

	// RequireToken refuses clients without a bearer token whose subject is the ticket's. Set it when coordinators
	// authenticate their clients.
	RequireToken bool
	// Users lets this worker check names and passwords too, which JDBC sends to every server it reads from; Tokens and Certificates
	// the other ways that coordinators let clients in by. Nil accepts only coordinators' tokens (or anybody, without RequireToken).
	Users        *auth.Users
	Tokens       []auth.TokenVerifier
	Certificates auth.CertificateName

	// Threads and MemoryBytes are the engine's, for the worker's record.
	Threads     uint32
	MemoryBytes uint64

	// ExchangeBytesMax bounds kept outputs, fetched inputs and the batches that tasks are filling in memory together. Default
	// 1 GiB. More of it means less that goes to disk, less of it more room for the engine's joins. A task fills up to an eighth
	// of this, at most 128 MiB; each thread may hold 4 MiB also when there is no room.
	ExchangeBytesMax int64
	// ExchangeQueryBytesMax is what one query may have of it. Default: all.
	ExchangeQueryBytesMax int64
	// SpillDir is below which the worker makes a directory of its own for what does not fit into ExchangeBytesMax; it removes
	// there what workers left that crashed. Default: the system's directory for temporary files.
	SpillDir string
	// SpillBytesMax bounds what is on disk; the engine's own spilling is not in it. Default 16 GiB; negative = nothing goes to
	// disk, and what does not fit into memory fails.
	SpillBytesMax int64
	// SpillQueryBytesMax is what one query may have of it. Default: all.
	SpillQueryBytesMax int64
	// TasksMax bounds the tasks that a worker holds in any state. Default 4096: a task costs kilobytes.
	TasksMax int
	// TaskAgeMax is the deadline of tasks that have none. Default 24 h.
	TaskAgeMax time.Duration
	// OutputGrace is how long outputs outlive their task's deadline when no coordinator releases them. Default 1 min.
	OutputGrace time.Duration
	// OrphanAfter is how long dispatched tasks live while their coordinator does not watch the worker. Default 2 min: longer than a
	// coordinator's restart, shorter than anybody wants to wait for the memory.
	OrphanAfter time.Duration
	// PingInterval is how often watchers hear of the worker. Default 1 s: a coordinator takes four silent ones for its loss.
	PingInterval time.Duration
	// SweepInterval is how often deadlines are looked at. Default 500 ms.
	SweepInterval time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// EnsureDefaults fills in what is zero.
func (c *Config) EnsureDefaults() {
	if c.Incarnation == "" {
		var random [8]byte
		_, _ = rand.Read(random[:]) // crypto/rand never fails: it ends the process instead
		c.Incarnation = ids.Incarnation(hex.EncodeToString(random[:]))
	}
	setDefault(&c.ExchangeBytesMax, 1<<30)
	setDefault(&c.SpillBytesMax, 16<<30)
	setDefault(&c.TasksMax, 4096)
	setDefault(&c.TaskAgeMax, 24*time.Hour)
	setDefault(&c.OutputGrace, time.Minute)
	setDefault(&c.OrphanAfter, 2*time.Minute)
	setDefault(&c.PingInterval, time.Second)
	setDefault(&c.SweepInterval, 500*time.Millisecond)
	if c.Now == nil {
		c.Now = time.Now
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
	wrong := func(is bool, text string) {
		if is {
			faults = append(faults, errors.New("worker: "+text))
		}
	}
	wrong(c.ID == "", "ID is missing")
	wrong(c.Engine == nil, "Engine is missing")
	wrong(c.Keys == nil, "Keys is missing")
	wrong(c.Clients == nil, "Clients is missing")
	wrong(c.ExchangeBytesMax < 0 || c.ExchangeQueryBytesMax < 0, "ExchangeBytesMax or ExchangeQueryBytesMax is negative")
	wrong(c.SpillQueryBytesMax < 0, "SpillQueryBytesMax is negative")
	wrong(c.TasksMax < 0, "TasksMax is negative")
	wrong(c.TaskAgeMax < 0 || c.OutputGrace < 0 || c.OrphanAfter < 0 || c.PingInterval < 0 || c.SweepInterval < 0, "a duration is negative")
	return errors.Join(faults...)
}
