//go:build invariants

package invariants

import (
	"fmt"
	"sync/atomic"
)

// Enabled says whether assertions are compiled in. It is a constant, so that guarded code vanishes without the tag.
const Enabled = true

// Check panics with the message unless ok.
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic("invariant broken: " + fmt.Sprintf(format, args...))
	}
}

// A CloseChecker finds resources that are closed twice or used after they were closed. The zero value is open.
type CloseChecker struct{ closed atomic.Bool }

// Close panics when called twice.
func (c *CloseChecker) Close() { Check(!c.closed.Swap(true), "closed twice") }

// AssertOpen panics after Close.
func (c *CloseChecker) AssertOpen() { Check(!c.closed.Load(), "used after close") }
