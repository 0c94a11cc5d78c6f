package driver

import (
	"context"

	"github.com/arbalest-sql/arbalest/internal/member"
)

// A Driver collects what live workers say of themselves. All methods may be called concurrently.
//
// A worker is live from its join until it leaves or its lease runs out. A join under an id that is live already, in
// another incarnation, adds a second record: neither replaces the other while both are live. A join of the same
// incarnation (a worker that lost its connection) replaces the record and keeps its place in the order.
type Driver interface {
	// Records returns the live records, with the order of their joins, and a version that grows with every change. Nobody may
	// change the slice. It neither blocks nor fails: a back end that is cut off keeps telling what it last knew.
	Records() (version uint64, joined []member.Joined)
	// Wait returns nil as soon as the version is greater than after, at once when it is already; else the cause of ctx's
	// end, or an error of kind Unavailable once the driver was closed.
	Wait(ctx context.Context, after uint64) error
	// Close ends the driver and waits for what it runs. Idempotent.
	Close() error
}
