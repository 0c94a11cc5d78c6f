package gen

import "math/rand"

// random is a source of choices.
type random struct{ *rand.Rand }

func newRandom(seed int64) *random { return &random{rand.New(rand.NewSource(seed))} }

// percent is true in p of a hundred cases.
func (r *random) percent(p int) bool { return r.Intn(100) < p }

func pick[T any](r *random, from ...T) T { return from[r.Intn(len(from))] }

// A choice is something to do with a weight among others.
type choice struct {
	weight int
	make   func() *Node
}

// weighted does one of the choices that have a weight.
func (r *random) weighted(choices ...choice) *Node {
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	at := r.Intn(total)
	for _, c := range choices {
		if at -= c.weight; at < 0 {
			return c.make()
		}
	}
	panic("gen: no choice has a weight")
}
