package cluster

import (
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// ProtocolVersion is the control protocol that this build's coordinator speaks. It changes only when an old worker could
// not run a new coordinator's tasks.
const ProtocolVersion = 1

// FromProto reads a record off the wire.
func FromProto(r *pb.WorkerRecord) member.Record {
	return member.Record{
		ID:          ids.WorkerID(r.GetWorkerId()),
		Incarnation: ids.Incarnation(r.GetIncarnation()),
		Address:     r.GetAddress(),
		Advertised:  r.GetAdvertised(),
		TLS:         r.GetTls(),
		Protocol:    r.GetProtocolVersion(),
		DuckDB:      r.GetDuckdbVersion(),
		HashVector:  string(r.GetHashVector()),
		Threads:     int(r.GetThreads()),
		MemoryBytes: r.GetMemoryBytes(),
		Draining:    r.GetDraining(),
		Version:     r.GetVersion(),
	}
}
