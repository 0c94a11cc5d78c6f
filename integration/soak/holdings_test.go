package soak

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

const (
	// calmReadings is how many readings in a row no process's resident memory falls, by more than fallMB below its least, before it
	// counts as settled, and readEvery how far they are apart: what is freed at rest goes back to the system within some hundred
	// milliseconds, and once more after a second, on a machine that is not busy. calmMax bounds the wait for it.
	calmReadings = 12
	fallMB       = 0.5
	readEvery    = 250 * time.Millisecond
	calmMax      = 30 * time.Second
	// workEvery is how often memory is read while queries run.
	workEvery = time.Second
)

// The measures, and what one of them may grow besides its share: a few goroutines more are none of a leak's. What processes hold at
// work depends on the queries that meet, and is not judged.
var measures = []struct {
	name   string
	slack  float64
	judged bool
}{{"RSS MB", 0, true}, {"goroutines", 2, true}, {"descriptors", 2, true}, {"RSS at work", 0, false}}

const (
	rss = iota
	goroutines
	descriptors
	rssAtWork
)

// holdings are what the processes held, by process, measure and tenth.
type holdings struct {
	cluster *harness.Cluster
	judged  bool // else it need not settle
	names   []string
	values  map[string][][tenths][]float64
}

func newHoldings(cluster *harness.Cluster, judged bool) *holdings {
	h := &holdings{cluster: cluster, judged: judged, values: map[string][][tenths][]float64{}}
	for _, p := range cluster.Processes() {
		h.names = append(h.names, p.Name)
		h.values[p.Name] = make([][tenths][]float64, len(measures))
	}
	return h
}

func (h *holdings) add(name string, m, tenth int, value float64) {
	h.values[name][m][tenth] = append(h.values[name][m][tenth], value)
}

// resident reads the memory of every process, in MB. It does not ask them: an answer would take memory.
func (h *holdings) resident() ([]float64, error) {
	var all []float64
	for _, p := range h.cluster.Processes() {
		bytes, err := p.RSS()
		if err != nil {
			return nil, err
		}
		all = append(all, float64(bytes)/1e6)
	}
	return all, nil
}

// read takes the readings of one pause: memory once it does not fall any more, its last readings' median, then the rest.
func (h *holdings) read(t *testing.T, tenth int) {
	t.Helper()
	least, last := map[int]float64{}, make([][]float64, len(h.names))
	enough := 1
	if h.judged {
		enough = calmReadings
	}
	for calm, deadline := 0, time.Now().Add(calmMax); calm < enough && time.Now().Before(deadline); time.Sleep(readEvery) {
		now, err := h.resident()
		if err != nil {
			t.Fatal(err)
		}
		calm++
		for i, mb := range now {
			last[i] = append(last[i], mb)
			if before, ok := least[i]; !ok || mb < before-fallMB {
				least[i], calm = mb, 0
			}
		}
	}
	for i, p := range h.cluster.Processes() {
		footprint, err := p.Footprint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.add(p.Name, rss, tenth, median(last[i][max(0, len(last[i])-calmReadings):]))
		h.add(p.Name, goroutines, tenth, footprint.Goroutines)
		h.add(p.Name, descriptors, tenth, float64(footprint.Sockets+len(footprint.Files)))
	}
}

// watch reads memory until it is told to stop; the function that it returns waits for that.
func (h *holdings) watch(t *testing.T, tenth int) (stop func()) {
	told, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(workEvery)
		defer tick.Stop()
		for {
			select {
			case <-told:
				return
			case <-tick.C:
			}
			now, err := h.resident()
			if err != nil {
				t.Error(err)
				return
			}
			for i, mb := range now {
				h.add(h.names[i], rssAtWork, tenth, mb)
			}
		}
	}()
	return func() { close(told); <-done }
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// table prints the medians.
func (h *holdings) table() string {
	var b strings.Builder
	for _, name := range h.names {
		for m, measure := range measures {
			fmt.Fprintf(&b, "%-12s %-12s", name, measure.name)
			for tenth := range tenths {
				fmt.Fprintf(&b, " %7.0f", median(h.values[name][m][tenth]))
			}
			fmt.Fprintf(&b, "  %+.1f %%\n", 100*h.growth(name, m))
		}
	}
	return b.String()
}

// line prints the medians of one tenth.
func (h *holdings) line(tenth int) string {
	var parts []string
	for _, name := range h.names {
		for m, measure := range measures {
			parts = append(parts, fmt.Sprintf("%s %.0f %s", name, median(h.values[name][m][tenth]), measure.name))
		}
	}
	return strings.Join(parts, ", ")
}

// growth is how much more the largest median after the second tenth is than the second tenth's.
func (h *holdings) growth(name string, m int) float64 {
	base, most := median(h.values[name][m][1]), 0.0
	for tenth := 2; tenth < tenths; tenth++ {
		most = max(most, median(h.values[name][m][tenth]))
	}
	if base == 0 {
		return 0
	}
	return most/base - 1
}

// grown lists what grew by more than a share.
func (h *holdings) grown(limit float64) (faults []string) {
	for _, name := range h.names {
		for m, measure := range measures {
			base := median(h.values[name][m][1])
			if growth := h.growth(name, m); measure.judged && growth > limit && growth*base > measure.slack {
				faults = append(faults, fmt.Sprintf("%s: %s grew by %.1f %% from %.0f", name, measure.name, 100*growth, base))
			}
		}
	}
	return faults
}
