package cache

import (
	"container/list"
	"context"
	"sync"
)

// A Cache keeps values by key, the least recently used ones going first. All methods may be called concurrently.
type Cache[K comparable, V any] struct {
	bytesMax int64
	size     func(V) int64
	loads    *Group[K, V]

	mu    sync.Mutex
	order *list.List // of entry[K, V]; the most recently used is at the front
	byKey map[K]*list.Element
	bytes int64
}

type entry[K comparable, V any] struct {
	key   K
	value V
	bytes int64
}

// New returns an empty cache of at most bytesMax bytes as size counts them. Its owner closes it.
func New[K comparable, V any](bytesMax int64, size func(V) int64) *Cache[K, V] {
	return &Cache[K, V]{bytesMax: bytesMax, size: size, loads: NewGroup[K, V](), order: list.New(), byKey: map[K]*list.Element{}}
}

// Get returns the value of the key, loading it when it is not there; see Group.Do for load's context. Values are shared:
// nobody may change them.
func (c *Cache[K, V]) Get(ctx context.Context, key K, load func(context.Context) (V, error)) (V, error) {
	if value, ok := c.lookup(key); ok {
		return value, nil
	}
	return c.loads.Do(ctx, key, func(ctx context.Context) (V, error) {
		// Another load may have ended between the look-up and this one.
		if value, ok := c.lookup(key); ok {
			return value, nil
		}
		value, err := load(ctx)
		if err == nil {
			c.add(key, value)
		}
		return value, err
	})
}

func (c *Cache[K, V]) lookup(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		var none V
		return none, false
	}
	c.order.MoveToFront(e)
	return e.Value.(entry[K, V]).value, true
}

func (c *Cache[K, V]) add(key K, value V) {
	bytes := c.size(value)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		c.drop(e)
	}
	c.byKey[key] = c.order.PushFront(entry[K, V]{key, value, bytes})
	c.bytes += bytes
	for c.bytes > c.bytesMax && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *Cache[K, V]) drop(e *list.Element) {
	old := c.order.Remove(e).(entry[K, V])
	delete(c.byKey, old.key)
	c.bytes -= old.bytes
}

// Usage tells how many values are kept and their size.
func (c *Cache[K, V]) Usage() (values int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len(), c.bytes
}

// Close ends loads under way, waits for them, and drops everything.
func (c *Cache[K, V]) Close() {
	c.loads.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order.Init()
	clear(c.byKey)
	c.bytes = 0
}
