package worker

import (
	"slices"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// pendingMax bounds the events that wait for one slow watcher. They are one a task, the newest; a watcher further behind is
// cut off, and learns the present state when it comes back.
const pendingMax = 1 << 16

// A hub spreads events to watchers without ever waiting for one.
type hub struct {
	mu sync.Mutex
	// all is guarded by mu; nil after close.
	all map[*watcher]struct{}
}

// A watcher collects the newest event of each task until its stream can send them.
type watcher struct {
	hub *hub
	// coordinator is whose it is.
	coordinator string
	// wake has room for one: more events came. It is closed when the watcher was cut off.
	wake chan struct{}
	// pending and order are guarded by hub.mu; order has the keys by their first waiting event.
	pending map[ids.TaskKey]lifecycle.Event
	order   []ids.TaskKey
	cut     bool
}

func newHub() *hub { return &hub{all: map[*watcher]struct{}{}} }

// watch adds a watcher that begins with the given events; nil when the hub is closed. The caller leaves it.
func (h *hub) watch(coordinator string, begin []lifecycle.Event) *watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		return nil
	}
	w := &watcher{hub: h, coordinator: coordinator, wake: make(chan struct{}, 1), pending: map[ids.TaskKey]lifecycle.Event{}}
	h.all[w] = struct{}{}
	w.add(begin)
	return w
}

func (h *hub) publish(events []lifecycle.Event) {
	if len(events) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.all {
		w.add(events)
	}
}

func (h *hub) watchers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// watches reports whether a coordinator watches; one that has no name stands for any.
func (h *hub) watches(coordinator string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.all {
		if coordinator == "" || w.coordinator == coordinator {
			return true
		}
	}
	return false
}

// dismiss cuts a coordinator's watchers off.
func (h *hub) dismiss(coordinator string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.all {
		if w.coordinator == coordinator {
			w.cutOff()
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.all {
		w.cutOff()
	}
	h.all = nil
}

// add notes events; the caller holds hub.mu.
func (w *watcher) add(events []lifecycle.Event) {
	if w.cut {
		return
	}
	for _, e := range events {
		if _, waiting := w.pending[e.Key]; !waiting {
			w.order = append(w.order, e.Key)
		}
		w.pending[e.Key] = e
	}
	if len(w.order) > pendingMax {
		w.cutOff()
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// cutOff ends a watcher; the caller holds hub.mu.
func (w *watcher) cutOff() {
	if !w.cut {
		w.cut, w.pending, w.order = true, nil, nil
		close(w.wake)
	}
}

// take returns the waiting events; ok is false when the watcher was cut off.
func (w *watcher) take() (events []lifecycle.Event, ok bool) {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	for _, key := range w.order {
		events = append(events, w.pending[key])
	}
	w.order = slices.Delete(w.order, 0, len(w.order))
	clear(w.pending)
	return events, !w.cut
}

func (w *watcher) leave() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	delete(w.hub.all, w)
}
