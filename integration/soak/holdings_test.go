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
	// settle is what processes that have nothing to do take to return the memory that they kept.
	settle = time.Second
	// readings are taken at a pause, so far apart; their median counts.
	readings     = 5
	readingEvery = 200 * time.Millisecond
)

// The measures, and what one of them may grow besides its share: a few goroutines more are none of a leak's.
var measures = []struct {
	name  string
	slack float64
}{{"RSS MB", 0}, {"goroutines", 2}, {"descriptors", 2}}

// holdings are what the processes held, by process, measure and tenth.
type holdings struct {
	cluster *harness.Cluster
	names   []string
	values  map[string][][tenths][]float64
}

func newHoldings(cluster *harness.Cluster) *holdings {
	h := &holdings{cluster: cluster, values: map[string][][tenths][]float64{}}
	for _, p := range cluster.Processes() {
		h.names = append(h.names, p.Name)
		h.values[p.Name] = make([][tenths][]float64, len(measures))
	}
	return h
}

// read takes the readings of one pause.
func (h *holdings) read(t *testing.T, tenth int) {
	t.Helper()
	time.Sleep(settle)
	pause := map[string][][]float64{}
	for range readings {
		time.Sleep(readingEvery)
		for _, p := range h.cluster.Processes() {
			footprint, err := p.Footprint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rss, err := p.RSS()
			if err != nil {
				t.Fatal(err)
			}
			if pause[p.Name] == nil {
				pause[p.Name] = make([][]float64, len(measures))
			}
			for m, value := range []float64{float64(rss) / 1e6, footprint.Goroutines, float64(footprint.Sockets + len(footprint.Files))} {
				pause[p.Name][m] = append(pause[p.Name][m], value)
			}
		}
	}
	for name, taken := range pause {
		for m := range measures {
			h.values[name][m][tenth] = append(h.values[name][m][tenth], median(taken[m]))
		}
	}
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
			if growth := h.growth(name, m); growth > limit && growth*base > measure.slack {
				faults = append(faults, fmt.Sprintf("%s: %s grew by %.1f %% from %.0f", name, measure.name, 100*growth, base))
			}
		}
	}
	return faults
}
