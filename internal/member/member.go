package member

import (
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A Record is what a worker says of itself when it joins and whenever it changes.
type Record struct {
	ID          ids.WorkerID
	Incarnation ids.Incarnation
	// Address is where coordinators and workers reach it, host:port.
	Address string
	// Advertised is where clients reach it, host:port; empty = only through a coordinator.
	Advertised string
	// TLS says that both addresses speak TLS.
	TLS bool
	// Protocol is the version of the control protocol.
	Protocol uint32
	// DuckDB is the engine's version, "v1.5.5".
	DuckDB string
	// HashVector is the engine's hash() of fixed values. Empty while the worker is still starting.
	HashVector string
	// Threads is the size of the engine's pool.
	Threads int
	// MemoryBytes is the engine's memory limit.
	MemoryBytes uint64
	// Draining says that the worker serves what it holds but takes no new task.
	Draining bool
	// Version is Arbalest's own.
	Version string
}

// Status says whether a member may be given tasks.
type Status uint8

const (
	// Usable members are one compatible set; tasks go to them.
	Usable Status = iota
	// Starting members have joined but not told everything yet.
	Starting
	// Draining members finish what they have.
	Draining
	// Incompatible members could not exchange with the others, or not run this coordinator's fragments.
	Incompatible
	// Duplicate members carry the id of another live one.
	Duplicate
)

var statusNames = [...]string{"usable", "starting", "draining", "incompatible", "duplicate"}

// String gives the status as sys.workers shows it.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "unknown"
}

// A Member is a record with the judgement of a snapshot.
type Member struct {
	Record
	Status Status
	// Reason says why Status is not Usable; empty otherwise.
	Reason string
}

// A Requirement is what a coordinator needs of a worker to plan for it.
type Requirement struct {
	// Protocol is the control protocol's version; only equal ones are used.
	Protocol uint32
	// DuckDB is the version that plans are made with; fragments are printed for it. Empty accepts any one version.
	DuckDB string
}
