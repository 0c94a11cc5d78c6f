//go:build !invariants

package invariants

// Enabled says whether assertions are compiled in. It is a constant, so that guarded code vanishes without the tag.
const Enabled = false

// Check panics with the message unless ok, under the tag only.
func Check(bool, string, ...any) {}

// A CloseChecker finds resources that are closed twice or used after they were closed, under the tag only.
type CloseChecker struct{}

// Close panics when called twice, under the tag only.
func (c *CloseChecker) Close() {}

// AssertOpen panics after Close, under the tag only.
func (c *CloseChecker) AssertOpen() {}
