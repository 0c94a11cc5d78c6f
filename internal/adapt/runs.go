package adapt

import "github.com/arbalest-sql/arbalest/internal/schedule"

// dealRuns gives each worker a run of the units, in the order of both, as near to its due by threads as whole units allow:
// the order of range partitions is that of the tasks. A unit goes to the worker in whose due its middle lies.
func dealRuns(units []unit, workers []schedule.Worker) [][]unit {
	shares := make([][]unit, len(workers))
	var total, threads float64
	for _, u := range units {
		total += weight(u)
	}
	for _, w := range workers {
		threads += float64(max(w.Threads, 1))
	}
	at, before, due := 0, 0.0, 0.0
	for w := range workers {
		due += total * float64(max(workers[w].Threads, 1)) / threads
		for at < len(units) && (before+weight(units[at])/2 <= due || w == len(workers)-1) {
			before += weight(units[at])
			shares[w] = append(shares[w], units[at])
			at++
		}
	}
	return shares
}

// weight of a unit; one without bytes counts as one byte, as in deal.
func weight(u unit) float64 { return float64(max(u.bytes, 1)) }
