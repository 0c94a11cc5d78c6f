package coordinator

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/coordinator/admission"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A ResourceGroup is a group of queries with limits of its own. A session is in the group that it names
// (arbalest.resource_group), else in the one that is named like its user, whose limits are then the user's.
type ResourceGroup struct {
	admission.Group
	// Users may choose it; empty = everybody.
	Users []string
}

const (
	// retryAfterMin and retryAfterMax bound the time that refused clients are asked to wait: many that come at once must not
	// come back at once, and one minute is what a person waits.
	retryAfterMin = time.Second
	retryAfterMax = time.Minute
	// meanWeight is the share of the last query in the mean of how long they run.
	meanWeight = 0.1
)

// A gate bounds the running distributed queries, and those that wait for a place, by resource group.
type gate struct {
	mu sync.Mutex
	// The rest is guarded by mu.
	queue      *admission.Queue[*Query]
	runningMax int
	mean       time.Duration // of the time in a place
}

func newGate(cfg *Config) *gate {
	limits := admission.Limits{RunningMax: cfg.Limits.RunningMax, QueuedMax: cfg.Limits.QueuedMax, Groups: map[string]admission.Group{},
		Default: admission.Group{RunningMax: cfg.Limits.GroupRunningMax, QueuedMax: cfg.Limits.GroupQueuedMax}}
	for name, g := range cfg.Groups {
		limits.Groups[name] = g.Group
	}
	return &gate{queue: admission.New[*Query](limits), runningMax: cfg.Limits.RunningMax}
}

// enter gives the query a place now (true), or lets it wait for its turn (false), or refuses it with a hint when to come back.
func (g *gate) enter(q *Query) (now bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	decision := g.queue.Enter(q, q.group)
	if decision != admission.Refuse {
		return decision == admission.Run, nil
	}
	running, queued := g.queue.Sizes()
	fault := qerr.New(qerr.Unavailable, "%d queries run and %d wait, and no more of this group (%s) may; try again later", running, queued, groupName(q.group))
	// About when half of those that wait have had their turns.
	fault.RetryAfter = min(max(g.mean*time.Duration(queued)/time.Duration(2*max(g.runningMax, 1)), retryAfterMin), retryAfterMax)
	return false, fault
}

// leave gives the query's place or its turn back, and returns the queries whose turn has come. held is how long it had a place.
func (g *gate) leave(q *Query, held time.Duration) (next []*Query) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if held > 0 {
		g.mean += time.Duration(meanWeight * float64(held-g.mean))
	}
	return g.queue.Leave(q)
}

func (g *gate) sizes() (running, queued int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queue.Sizes()
}

func (g *gate) states() []admission.State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queue.States()
}

// groupOf is the resource group that a request is in.
func (c *Coordinator) groupOf(r Request) (string, error) {
	name := r.Settings.ResourceGroup()
	if name == "" || name == r.User {
		return r.User, nil
	}
	if g, ok := c.cfg.Groups[name]; ok && g.open(r.User) {
		return name, nil
	}
	var mine []string
	for _, n := range slices.Sorted(maps.Keys(c.cfg.Groups)) {
		if c.cfg.Groups[n].open(r.User) {
			mine = append(mine, n)
		}
	}
	return "", qerr.New(qerr.User, "arbalest.resource_group: there is no group %q for this user; there are: %s", name, strings.Join(append(mine, "'' (the user's own)"), ", "))
}

func (g ResourceGroup) open(user string) bool {
	return len(g.Users) == 0 || slices.Contains(g.Users, user)
}

// groupName is how messages call a group.
func groupName(group string) string {
	if group == "" {
		return "sessions without a user"
	}
	return group
}
