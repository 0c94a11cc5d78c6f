package cluster

import (
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/member"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// ProtocolVersion is the control protocol that this build's coordinator speaks. It changes only when an old worker could
// not run a new coordinator's tasks.
const ProtocolVersion = 1

const (
	// fieldBytesMax bounds ids and addresses of a record; hashBytesMax its hash vector, of a few dozen 8-byte values.
	fieldBytesMax = 256
	hashBytesMax  = 4 << 10
)

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

// Checked reads a record that a worker sent over a stream. It must name a life and be of the size that records have; otherwise
// the error has kind User.
func Checked(record *pb.WorkerRecord) (member.Record, error) {
	if record == nil || record.GetWorkerId() == "" || record.GetIncarnation() == "" {
		return member.Record{}, qerr.New(qerr.User, "a worker joins with a record that has an id and an incarnation")
	}
	for _, text := range []string{record.GetWorkerId(), record.GetIncarnation(), record.GetAddress(), record.GetAdvertised(),
		record.GetDuckdbVersion(), record.GetVersion()} {
		if len(text) > fieldBytesMax {
			return member.Record{}, qerr.New(qerr.User, "a field of the worker's record has more than %d bytes", fieldBytesMax)
		}
	}
	if n := len(record.GetHashVector()); n > hashBytesMax {
		return member.Record{}, qerr.New(qerr.User, "the hash vector of the worker's record has %d bytes, more than %d", n, hashBytesMax)
	}
	return FromProto(record), nil
}
