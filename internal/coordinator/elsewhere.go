package coordinator

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// successionWait is how long a client that comes for a query waits until somebody goes on with it: a lease runs out within 7 s, and
// the queries are taken over within another few.
const successionWait = 20 * time.Second

// A Place is where another coordinator is that owns a query.
type Place struct {
	Life    string // of that coordinator
	Address string
	TLS     bool
}

// ID names this life of the coordinator.
func (c *Coordinator) ID() string { return c.cfg.ID }

// Reach is the pooled connection to another coordinator; it stays the pool's.
func (c *Coordinator) Reach(at Place) (grpc.ClientConnInterface, error) {
	return c.cfg.Clients.Conn(at.Address, at.TLS)
}

// Owner finds a query that a life of a coordinator, this one or another, began: it is here, or the place says where. It waits while
// its coordinator is being succeeded. NotFound: it is over and forgotten; Unavailable: it was lost with its coordinator, or, without a
// ledger, it is another one's, dead or alive.
func (c *Coordinator) Owner(ctx context.Context, id ids.QueryID, life string) (*Query, Place, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, successionWait, errLost)
	defer cancel()
	for {
		if q, ok := c.registry.find(id); ok {
			return q, Place{}, nil
		}
		if c.fallen.Load() {
			return nil, Place{}, errFallen
		}
		if life == "" || life == c.cfg.ID {
			return nil, Place{}, qerr.New(qerr.NotFound, "query %s is over and forgotten", id)
		}
		if c.cfg.Ledger == nil {
			return nil, Place{}, errApart
		}
		version, lives := c.cfg.Ledger.Lives()
		owner, settled := ownerOf(lives, life)
		switch at, live := lives.Live[owner]; {
		case owner == c.cfg.ID && settled:
			if q, ok := c.registry.find(id); ok { // it came in between
				return q, Place{}, nil
			}
			return nil, Place{}, errLost
		case live && owner != c.cfg.ID:
			return nil, Place{Life: at.ID, Address: at.Address, TLS: at.TLS}, nil
		}
		if err := c.cfg.Ledger.WaitLives(ctx, version); err != nil {
			return nil, Place{}, qerr.Wrap(qerr.Unavailable, "find query "+string(id), err)
		}
	}
}

var errLost = qerr.New(qerr.Unavailable, "the query was lost with its coordinator; send the statement again")

// errApart is what a coordinator answers that knows nothing of the others, be it that they live or not.
var errApart = qerr.New(qerr.Unavailable, "the query began at another coordinator, or before this one was started anew; ask that one, or send the statement again if it is gone")

// ownerOf is the life that goes on with the queries of a life; settled says that it has all of them that can go on.
func ownerOf(lives driver.Lives, life string) (owner string, settled bool) {
	settled = true
	for range len(lives.Fallen) + 1 { // a circle would be a bug
		f, fallen := lives.Fallen[life]
		if !fallen {
			return life, settled
		}
		life, settled = f.Successor, settled && f.Done
	}
	return life, settled
}

// inherited finds the query of a ticket, or the other coordinator that has its result, or goes on with it since the one that began it has fallen.
// While that is being settled, it waits. Neither: the ticket may need nobody.
func (c *Coordinator) inherited(ctx context.Context, t *pb.Ticket) (*Query, Place, error) {
	id, life := ids.QueryID(t.GetKey().GetQueryId()), t.GetCoordinatorId()
	q, ok := c.registry.find(id)
	if ok || c.cfg.Ledger == nil || life == "" || life == c.cfg.ID || t.GetTask() != nil {
		return q, Place{}, nil
	}
	if _, lives := c.cfg.Ledger.Lives(); lives.Live[life].ID != "" {
		if at := lives.Live[life]; t.GetAudience() == pb.Audience_AUDIENCE_COORDINATOR {
			return nil, Place{Life: at.ID, Address: at.Address, TLS: at.TLS}, nil // the rows are there
		}
		return nil, Place{}, nil
	}
	q, at, err := c.Owner(ctx, id, life)
	if qerr.Is(err, qerr.Unavailable) && ctx.Err() == nil { // the worker may have the result all the same
		return nil, Place{}, nil
	}
	return q, at, err
}

// ownerAsked says which other coordinator knows better, since a worker does not give a result for a reason that is final: the owner may
// have had it read, or have placed it elsewhere. One that died with what it read cannot be reached until it is succeeded, and the reader
// is told to come again.
func (c *Coordinator) ownerAsked(t *pb.Ticket, err error) (at Place, ok bool) {
	if c.cfg.Ledger == nil || t.GetTask() != nil || t.GetCoordinatorId() == c.cfg.ID ||
		!qerr.Is(err, qerr.AlreadyExists) && !qerr.Is(err, qerr.Cancelled) && !qerr.Is(err, qerr.NotFound) {
		return Place{}, false
	}
	_, lives := c.cfg.Ledger.Lives()
	owner, ok := lives.Live[t.GetCoordinatorId()]
	return Place{Address: owner.Address, TLS: owner.TLS}, ok
}

// openElsewhere reads a result through another coordinator, as the user whom this one has checked.
func (c *Coordinator) openElsewhere(ctx context.Context, at Place, ticket []byte, subject string) (flightx.Reader, error) {
	token := c.cfg.Keys.IssueToken(auth.Claims{Subject: subject, Session: newID("s"), Expires: c.cfg.Now().Add(PassTTL)})
	return c.cfg.Clients.Open(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), at.Address, at.TLS, ticket)
}

// PassTTL is how long a token is good that one coordinator makes to call another one for a user: nodes' clocks may be five minutes apart.
const PassTTL = 10 * time.Minute
