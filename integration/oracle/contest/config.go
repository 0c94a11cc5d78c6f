package contest

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/internal/settings"
)

// A Config is one way to run a statement.
type Config struct {
	// Workers is the size of the cluster; the rest are settings of the session.
	Workers     int
	Partitions  int
	Join        string
	Spill       string
	Distributed string
	// Adaptive is "" for the default.
	Adaptive string
	// Ordered lets an ordered result have several endpoints.
	Ordered bool
}

// String names the configuration in messages.
func (c Config) String() string {
	return fmt.Sprintf("workers=%d partitions=%d join_strategy=%s spill=%s distributed=%s adaptive=%s ordered_endpoints=%t",
		c.Workers, c.Partitions, c.Join, c.Spill, c.Distributed, c.Adaptive, c.Ordered)
}

// set lists the statements that put a session into the configuration.
func (c Config) set() []string {
	adaptive := c.Adaptive
	if adaptive == "" {
		adaptive = settings.Auto
	}
	return []string{
		fmt.Sprintf("SET %s = '%s'", settings.Adaptive, adaptive),
		fmt.Sprintf("SET %s = %d", settings.Partitions, c.Partitions),
		fmt.Sprintf("SET %s = '%s'", settings.JoinStrategy, c.Join),
		fmt.Sprintf("SET %s = '%s'", settings.Spill, c.Spill),
		fmt.Sprintf("SET %s = '%s'", settings.Distributed, c.Distributed),
		fmt.Sprintf("SET %s = %t", settings.OrderedEndpoints, c.Ordered),
	}
}

// The values of each setting. Spill = auto is memory: nothing that the suites make is over a worker's budget.
var (
	WorkerCounts = []int{1, 2, 3, 5}
	partitions   = []int{1, 2, 7, 16}
	joins        = []string{settings.Auto, settings.Exchange, settings.Broadcast}
	spills       = []string{settings.Auto, settings.Always}
	distributed  = []string{settings.Always, settings.Auto}
	adaptive     = []string{settings.Always, settings.Auto, settings.Always, settings.Never, settings.Always}
)

// PerQuery is how many configurations a statement runs under.
const PerQuery = 4

// Draw gives the configurations of statement n: one of each cluster size, and for any four statements in a row every pair
// of a cluster size and a number of partitions. The other settings go round at other periods, so that two dozen statements
// have every pair of values of any two settings. Most adapt wherever it is legal.
func Draw(n int) []Config {
	var all []Config
	for i, w := range WorkerCounts {
		all = append(all, Config{
			Workers:     w,
			Partitions:  partitions[(i+n)%len(partitions)],
			Join:        joins[(n+i+n/len(partitions))%len(joins)],
			Spill:       spills[(n/2+i)%len(spills)],
			Distributed: distributed[min((n+i)%3, 2)/2],
			Adaptive:    adaptive[(n+i)%len(adaptive)],
			Ordered:     ((n+i)/2+n/8)%2 == 0,
		})
	}
	return all
}

// All lists every configuration whose statements run on the whole cluster.
func All() []Config {
	var all []Config
	for _, w := range WorkerCounts {
		for _, p := range partitions {
			for _, j := range joins {
				for _, s := range spills {
					all = append(all, Config{w, p, j, s, settings.Always, adaptive[len(all)%len(adaptive)], len(all)%3 > 0})
				}
			}
		}
	}
	return all
}
