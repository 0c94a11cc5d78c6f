package harness

import "testing"

func TestBeyond(t *testing.T) {
	first := Footprint{Goroutines: 40, Sockets: 6, Files: []string{"/d/log"}}
	for name, c := range map[string]struct {
		now  Footprint
		more int
	}{
		"the same":                    {first, 0},
		"less":                        {Footprint{Goroutines: 30, Sockets: 2}, 0},
		"connections with theirs":     {Footprint{Goroutines: 40 + 4*connectionGoroutines, Sockets: 10, Files: first.Files}, 0},
		"a file":                      {Footprint{Goroutines: 40, Sockets: 6, Files: []string{"/d/log", "/d/spill/1"}}, 1},
		"another file":                {Footprint{Goroutines: 40, Sockets: 6, Files: []string{"/d/spill/1"}}, 1},
		"one goroutine a query":       {Footprint{Goroutines: 140, Sockets: 6, Files: first.Files}, 1},
		"goroutines of fewer sockets": {Footprint{Goroutines: 60, Sockets: 1, Files: first.Files}, 1},
		"both":                        {Footprint{Goroutines: 200, Sockets: 8, Files: []string{"/d/spill/1"}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if more := c.now.beyond(first); len(more) != c.more {
				t.Errorf("%q, want %d of them", more, c.more)
			}
		})
	}
}
