package driver

import (
	"context"
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// QueryRecordBytesMax bounds a query's record as it is stored, compressed and signed. Stores such as etcd refuse values of
// more than 1 or 2 MiB; a plan over some ten thousand files fits.
const QueryRecordBytesMax = 512 << 10

// A Life is one run of a coordinator's process. It is listed under a lease; once it has fallen it never rises again.
type Life struct {
	ID string
	// Address is where other coordinators and clients reach it, host:port, and TLS whether they speak TLS there.
	Address string
	TLS     bool
}

// A Fallen is a life that is over, and whose queries another one goes on with.
type Fallen struct {
	ID, Successor string
	// Done says that nothing is left to be taken over.
	Done bool
}

// Lives are the coordinators as one of them knows them.
type Lives struct {
	Live   map[string]Life
	Fallen map[string]Fallen
}

// A Ledger is what several coordinators share beside the workers: who lives, and records by which another one goes on with a
// query. A Driver that can have one implements it. It speaks for one life, its own. All methods may be called concurrently.
//
// A life falls by Succeed, once, and from that moment on each of its own writes is refused as Fenced. Errors of a store that
// cannot be reached, and of a life that is not listed, have kind Unavailable.
type Ledger interface {
	// Self is the life that it speaks for.
	Self() Life
	// Lives are those known now, and a version that grows with every change. The caller must not change the maps. It neither
	// blocks nor fails.
	Lives() (version uint64, lives Lives)
	// WaitLives returns nil as soon as the version of Lives is greater than after; else as Driver.Wait.
	WaitLives(ctx context.Context, after uint64) error
	// Put writes the record of a query of this life. A record that is too large is of kind Resource.
	Put(ctx context.Context, record *pb.QueryRecord) error
	// Delete removes the record of a query of this life, if there is one.
	Delete(ctx context.Context, query ids.QueryID) error
	// Owners are the lives that have records, whether they live or not.
	Owners(ctx context.Context) ([]string, error)
	// Succeed makes this life the successor of one that is not listed any more: for the first time, or since an earlier
	// successor is gone before it was done. It is false when that life is listed, or another one's to succeed, or done.
	Succeed(ctx context.Context, life string) (mine bool, err error)
	// Claim moves the records of a life that this one succeeds under its own name, each with the next epoch, and returns all
	// of them. Records that cannot be read are dropped. With an error it returns those that were moved before it; what may have
	// been moved without an answer comes with the next call.
	Claim(ctx context.Context, life string) ([]*pb.QueryRecord, error)
	// PutSession writes what the others need to go on with a session that is this life's. It is kept for at least the time, and
	// not for ever. DeleteSession removes it, if it is there.
	PutSession(ctx context.Context, record *pb.SessionRecord, keep time.Duration) error
	DeleteSession(ctx context.Context, session string) error
	// Session reads the record of a session, whoever wrote it; nil when there is none.
	Session(ctx context.Context, session string) (*pb.SessionRecord, error)
	// Settle notes that nothing of a life is left to be taken over.
	Settle(ctx context.Context, life string) error
}
