package flightx

import (
	"math/bits"
	"sync"
)

const (
	// Frames are pooled by powers of two from 1 KiB, below which gRPC does not pool, to 1 MiB; HTTP/2's have 16 KiB.
	frameBitsMin = 10
	frameBitsMax = 20
)

// frames recycles the buffers in which gRPC receives. gRPC's own pools clear each before use, which costs as much as the copy
// into it.
var frames framePool

// A framePool is a mem.BufferPool without clearing: whoever gets a buffer overwrites all of it.
type framePool struct {
	classes [frameBitsMax + 1]sync.Pool
}

// Get implements mem.BufferPool.
func (p *framePool) Get(length int) *[]byte {
	class := max(bits.Len(uint(max(length, 1)-1)), frameBitsMin)
	if class > frameBitsMax {
		b := make([]byte, length)
		return &b
	}
	if b, ok := p.classes[class].Get().(*[]byte); ok {
		*b = (*b)[:length]
		return b
	}
	b := make([]byte, length, 1<<class)
	return &b
}

// Put implements mem.BufferPool.
func (p *framePool) Put(b *[]byte) {
	class := bits.Len(uint(max(cap(*b), 1) - 1))
	if class >= frameBitsMin && class <= frameBitsMax && cap(*b) == 1<<class {
		p.classes[class].Put(b)
	}
}
