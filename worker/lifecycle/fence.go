package lifecycle

import (
	"time"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// LateError is what a task ends with that passed the deadline of its query.
var LateError error = qerr.New(qerr.Deadline, "the query ran for longer than its limit (arbalest.query_timeout)")

type fence struct {
	key ids.TaskKey
	at  time.Time
}

// Cancel ends one attempt of a task, in whatever state it is, with a cause that its readers are told; what it kept is
// dropped. The attempt is fenced: it can neither be created nor be read any more, and if it comes to its end before the
// interruption does, its output is not kept.
func (r *Registry) Cancel(now time.Time, key ids.TaskKey, cause error) {
	if _, known := r.fenced[key]; !known {
		kept := key
		kept.Query = r.names.keep(key.Query)
		r.fenced[kept] = cause
		r.fences = append(r.fences, fence{kept, now})
		if len(r.fences) > r.limits.ReleasedMax {
			r.dropFence()
		}
	}
	for _, e := range r.sorted() { // a direct task may run several times
		if e.id.Key == key {
			r.end(now, e, cause)
		}
	}
}

// over is why a task can no longer be had here: its attempt was cancelled, or its query ended without its rows. Nil when
// neither is known.
func (r *Registry) over(key ids.TaskKey) error {
	if why := r.fenced[key]; why != nil {
		return why
	}
	return r.released[key.Query]
}

func (r *Registry) sweepFences(now time.Time) {
	for len(r.fences) > 0 && now.Sub(r.fences[0].at) > r.limits.ReleasedTTL {
		r.dropFence()
	}
}

func (r *Registry) dropFence() {
	delete(r.fenced, r.fences[0].key)
	r.fences = r.fences[1:]
}
