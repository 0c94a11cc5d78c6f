package frontend

import (
	"container/list"
	"strings"
	"sync"
)

// queryEntriesMax bounds the texts that are known to be queries; a text counts no bytes beyond itself.
const queryEntriesMax = 4096

// A cache keeps plans, the least recently used going first. Plans are values: one may serve many callers at once. It also
// remembers which texts are queries, which depends on nothing else. Safe for concurrent use.
type cache struct {
	entriesMax int
	bytesMax   int64

	mu      sync.Mutex
	order   *list.List               // GUARDED_BY mu; of *cacheEntry, most recent first
	byKey   map[string]*list.Element // GUARDED_BY mu
	bytes   int64                    // GUARDED_BY mu
	queries *list.List               // GUARDED_BY mu; of string
	known   map[string]*list.Element // GUARDED_BY mu
}

type cacheEntry struct {
	key   string
	plan  *Planned
	bytes int64
}

func newCache(entries int, bytes int64) *cache {
	return &cache{entriesMax: entries, bytesMax: bytes, order: list.New(), byKey: map[string]*list.Element{},
		queries: list.New(), known: map[string]*list.Element{}}
}

// cacheKey holds everything that a plan depends on.
func cacheKey(r *Request, params []parameter) string {
	var b strings.Builder
	for _, part := range []string{versionOf(r.Snapshot), r.Settings.Fingerprint(), r.User, r.SQL} {
		b.WriteString(itoa(len(part)))
		b.WriteByte(':')
		b.WriteString(part)
	}
	for _, p := range params {
		b.WriteByte(0)
		b.WriteString(p.name)
		b.WriteByte(0)
		b.WriteString(p.sql)
	}
	return b.String()
}

func versionOf(s Snapshot) string {
	if s == nil {
		return ""
	}
	return s.Version()
}

// get returns a copy of the plan, whose parts are shared, or nil.
func (c *cache) get(key string) *Planned {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	p := *e.Value.(*cacheEntry).plan //nolint:forcetypeassert // Nothing else is in the list.
	return &p
}

func (c *cache) put(key string, p *Planned) {
	kept := *p
	entry := &cacheEntry{key: key, plan: &kept, bytes: int64(len(key)) + planBytes(p)}
	if c.entriesMax <= 0 || entry.bytes > c.bytesMax {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.byKey[key]; ok {
		c.remove(old)
	}
	c.byKey[key] = c.order.PushFront(entry)
	c.bytes += entry.bytes
	for c.order.Len() > c.entriesMax || c.bytes > c.bytesMax {
		c.remove(c.order.Back())
	}
}

// remove needs mu held.
func (c *cache) remove(e *list.Element) {
	entry := c.order.Remove(e).(*cacheEntry) //nolint:forcetypeassert // Nothing else is in the list.
	delete(c.byKey, entry.key)
	c.bytes -= entry.bytes
}

// planBytes estimates a plan's memory: trees take a small multiple of the texts they came from.
func planBytes(p *Planned) int64 {
	const base, column = 4096, 256
	bytes := int64(base + column*len(p.Columns) + len(p.LocalSQL) + len(p.Statement.Text))
	if p.Statement.Tree != nil {
		bytes += treeBytes(p.Statement.Tree)
	}
	return bytes
}

func (c *cache) isQuery(sql string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.known[sql]
	if ok {
		c.queries.MoveToFront(e)
	}
	return ok
}

func (c *cache) putQuery(sql string) {
	const longest = 4 << 10 // Longer texts are parsed again: 4096 of them would take too much.
	if len(sql) > longest || c.entriesMax <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.known[sql]; ok {
		return
	}
	c.known[sql] = c.queries.PushFront(sql)
	if c.queries.Len() > queryEntriesMax {
		delete(c.known, c.queries.Remove(c.queries.Back()).(string)) //nolint:forcetypeassert // Nothing else is in the list.
	}
}
