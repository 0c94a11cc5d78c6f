package schedule

import (
	"cmp"
	"container/heap"
)

// A below is a heap of workers, on top the one that is furthest below its due, the first of several: who gets a file next is
// found without asking all.
type below struct {
	want, got []float64
	workers   []int
}

// newBelow keeps want and got; who changes got of the worker on top calls heap.Fix(b, 0).
func newBelow(want, got []float64) *below {
	b := &below{want: want, got: got, workers: make([]int, len(want))}
	for w := range b.workers {
		b.workers[w] = w
	}
	heap.Init(b)
	return b
}

func (b *below) worker() int { return b.workers[0] }

func (b *below) Len() int { return len(b.workers) }

func (b *below) Less(i, j int) bool {
	v, w := b.workers[i], b.workers[j]
	return cmp.Or(cmp.Compare(b.want[w]-b.got[w], b.want[v]-b.got[v]), cmp.Compare(v, w)) < 0
}

func (b *below) Swap(i, j int) { b.workers[i], b.workers[j] = b.workers[j], b.workers[i] }

// Push and Pop are the heap's; the workers stay the same.
func (b *below) Push(any) {}

func (b *below) Pop() any { return nil }
