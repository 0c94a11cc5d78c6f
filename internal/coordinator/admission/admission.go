package admission

import (
	"cmp"
	"maps"
	"slices"
)

// Limits bound a Queue.
type Limits struct {
	// RunningMax is how many queries run at once, QueuedMax how many wait, over all groups.
	RunningMax, QueuedMax int
	// Groups are the groups that have limits of their own; Default is what all others have.
	Groups  map[string]Group
	Default Group
}

// A Group is what a resource group may have. Zeroes are defaults.
type Group struct {
	// Weight is its share of the places relative to the other groups that want some. Default 1.
	Weight int
	// RunningMax and QueuedMax bound its own queries. Default: what all groups together may have.
	RunningMax, QueuedMax int
}

// A Queue admits queries, which are known by a key. It is not safe for concurrent use.
type Queue[K comparable] struct {
	limits  Limits
	groups  map[string]*group[K]
	member  map[K]string // of each query that runs or waits
	running int
	queued  int
	turns   uint64
}

type group[K comparable] struct {
	Group
	name    string
	running map[K]struct{}
	queue   []waiting[K]
	// pass is how far the group is ahead: the sum of 1/weight over its starts. The group with the smallest is next.
	pass float64
}

type waiting[K comparable] struct {
	key  K
	turn uint64 // by their coming
}

// New returns an empty queue.
func New[K comparable](limits Limits) *Queue[K] {
	return &Queue[K]{limits: limits, groups: map[string]*group[K]{}, member: map[K]string{}}
}

// A Decision is what becomes of a query that enters.
type Decision uint8

// The decisions.
const (
	// Run it now.
	Run Decision = iota
	// Wait until Leave names it.
	Wait
	// Refuse it: the queue of all, or of its group, is full.
	Refuse
)

// Enter takes in a query that is not in yet.
func (q *Queue[K]) Enter(key K, name string) Decision {
	g := q.group(name)
	if q.running < q.limits.RunningMax && len(g.running) < g.RunningMax && len(g.queue) == 0 {
		q.member[key] = name
		q.start(g, key)
		return Run
	}
	if q.queued >= q.limits.QueuedMax || len(g.queue) >= g.QueuedMax {
		q.forget(g)
		return Refuse
	}
	if len(g.queue) == 0 && len(g.running) == 0 {
		g.pass = max(g.pass, q.leastPass())
	}
	q.member[key] = name
	q.turns++
	g.queue = append(g.queue, waiting[K]{key, q.turns})
	q.queued++
	return Wait
}

// Leave takes out a query that runs or waits, and returns those that have a place now. One that is not in is no fault.
func (q *Queue[K]) Leave(key K) (next []K) {
	name, in := q.member[key]
	if !in {
		return nil
	}
	g := q.groups[name]
	delete(q.member, key)
	if _, ran := g.running[key]; ran {
		delete(g.running, key)
		q.running--
	} else {
		at := slices.IndexFunc(g.queue, func(w waiting[K]) bool { return w.key == key })
		g.queue = slices.Delete(g.queue, at, at+1)
		q.queued--
	}
	for q.running < q.limits.RunningMax {
		g := q.next()
		if g == nil {
			break
		}
		first := g.queue[0].key
		g.queue = slices.Delete(g.queue, 0, 1)
		q.queued--
		q.start(g, first)
		next = append(next, first)
	}
	q.forget(g)
	return next
}

// next is the group whose first waiting query gets the next place; nil when there is none that may.
func (q *Queue[K]) next() (best *group[K]) {
	for _, g := range q.groups {
		if len(g.queue) > 0 && len(g.running) < g.RunningMax && (best == nil || g.before(best)) {
			best = g
		}
	}
	return best
}

func (g *group[K]) before(other *group[K]) bool {
	share := func(g *group[K]) float64 { return float64(len(g.running)) / float64(g.Weight) }
	return cmp.Or(cmp.Compare(share(g), share(other)), cmp.Compare(g.pass, other.pass), cmp.Compare(g.queue[0].turn, other.queue[0].turn)) < 0
}

func (q *Queue[K]) start(g *group[K], key K) {
	g.running[key] = struct{}{}
	g.pass += 1 / float64(g.Weight)
	q.running++
}

// leastPass is where a group begins that has waited for nothing so far.
func (q *Queue[K]) leastPass() float64 {
	least, found := 0.0, false
	for _, g := range q.groups {
		if len(g.queue) > 0 && (!found || g.pass < least) {
			least, found = g.pass, true
		}
	}
	return least
}

func (q *Queue[K]) group(name string) *group[K] {
	if g := q.groups[name]; g != nil {
		return g
	}
	limits, own := q.limits.Groups[name]
	if !own {
		limits = q.limits.Default
	}
	orElse := func(value, otherwise int) int {
		if value == 0 {
			return otherwise
		}
		return value
	}
	limits.Weight = orElse(limits.Weight, 1)
	limits.RunningMax = orElse(limits.RunningMax, q.limits.RunningMax)
	limits.QueuedMax = orElse(limits.QueuedMax, q.limits.QueuedMax)
	g := &group[K]{Group: limits, name: name, running: map[K]struct{}{}, pass: q.leastPass()}
	q.groups[name] = g
	return g
}

func (q *Queue[K]) forget(g *group[K]) {
	if len(g.running) == 0 && len(g.queue) == 0 {
		delete(q.groups, g.name)
	}
}

// A State is how many queries of a group run and wait.
type State struct {
	Group           string
	Running, Queued int
}

// States lists the groups that have queries, sorted by name.
func (q *Queue[K]) States() []State {
	states := make([]State, 0, len(q.groups))
	for _, name := range slices.Sorted(maps.Keys(q.groups)) {
		g := q.groups[name]
		states = append(states, State{Group: name, Running: len(g.running), Queued: len(g.queue)})
	}
	return states
}

// Sizes counts the queries that run and wait.
func (q *Queue[K]) Sizes() (running, queued int) { return q.running, q.queued }
