package main

import (
	"testing"
	"time"
)

// TestRester: a process gives back when it has worked and is quiet, and once more when it stays so; parts that were in use are asked until
// they are not.
func TestRester(t *testing.T) {
	const busy, little, quiet = restEvery, 2 * restLittle, restEvery / 1000
	var used time.Duration
	var asked, gave int
	whole := true
	r := newRester(func() time.Duration { return used }, func() bool { asked++; return whole }, func() { gave++ })
	for i, step := range []struct {
		name        string
		used        time.Duration // since the step before
		whole       bool
		asked, gave int // in this step
	}{
		{"nothing was done", quiet, true, 0, 0},
		{"at work", busy, true, 0, 0},
		{"quiet after work", quiet, true, 1, 1},
		{"still quiet", quiet, true, 0, 0},
		{"quiet for a third time", quiet, true, 0, 0},
		{"quiet for long", quiet, true, 1, 1},
		{"quiet for longer", quiet, true, 0, 0},
		{"at work again", busy, true, 0, 0},
		{"quiet, and a stream is open", quiet, false, 1, 1},
		{"the stream is still open", quiet, false, 1, 0},
		{"at work beside the stream", busy, false, 0, 0},
		{"quiet again beside it", quiet, false, 1, 1},
		{"the stream was closed", quiet, true, 1, 1},
		{"quiet with nothing to give", quiet, true, 0, 0},
		{"at work once more", busy, true, 0, 0},
		{"quiet after it", quiet, true, 1, 1},
		{"again", quiet, true, 0, 0},
		{"and again", quiet, true, 0, 0},
		{"for long", quiet, true, 1, 1},
		{"a little work", little, true, 1, 1},
		{"quiet with nothing to give", quiet, true, 0, 0},
	} {
		asked, gave, whole = 0, 0, step.whole
		used += step.used
		r.look()
		if asked != step.asked || gave != step.gave {
			t.Fatalf("step %d, %s: asked %d, gave back %d times; want %d and %d", i, step.name, asked, gave, step.asked, step.gave)
		}
	}
}

// TestPartsAreAllAsked: one part in use keeps no other from freeing.
func TestPartsAreAllAsked(t *testing.T) {
	var n node
	asked := 0
	for _, idle := range []bool{true, false, true} {
		n.onRest(func() bool { asked++; return idle })
	}
	if n.free() || asked != 3 {
		t.Errorf("asked %d of 3 parts, one of them in use", asked)
	}
}
