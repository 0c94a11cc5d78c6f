package schedule

import (
	"container/heap"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// uneven is by how much a worker's share may exceed its due before files are cut to even it out. A whole file is one reader
// for DuckDB and one entry in the ticket; a little more work for one worker costs less than cutting every file.
const uneven = 0.15

// A piece is a run of splits that stays together: all splits of one file, or one of them.
type piece struct {
	scan   int
	splits []table.Split
	bytes  int64
}

// bySplits divides the scans of a stage: whole files where that is even enough, else runs of row groups in the order of
// the files.
func bySplits(p *distplan.Plan, s *distplan.Stage, workers []Worker) []Task {
	var cut []piece
	for i, scan := range s.Scans {
		if scan.Replicated || scan.By != nil {
			continue
		}
		for _, split := range scan.Splits {
			cut = append(cut, piece{scan: i, splits: []table.Split{split}, bytes: max(split.Bytes, 1)})
		}
	}
	shares := wholeFiles(files(cut), workers)
	if shares == nil {
		shares = inOrder(cut, workers)
	}
	runs, ranged := runsOf(s, workers)
	var tasks []Task
	for w, share := range shares {
		t := newTask(p, s, workers[w].ID)
		some := len(share) > 0
		for i := range ranged {
			if ranged[i] != nil {
				t.Ranges[i], t.Splits[i] = runs[i][w], ranged[i][w]
				some = some || len(t.Splits[i]) > 0
			}
		}
		if !some {
			continue
		}
		t.Index = ids.TaskIndex(len(tasks))
		for _, piece := range share {
			t.Splits[piece.scan] = append(t.Splits[piece.scan], piece.splits...)
		}
		for i := range t.Splits {
			t.Splits[i] = join(t.Splits[i])
		}
		tasks = append(tasks, t)
	}
	if len(tasks) == 0 { // nothing to read still has a result: count(*) of no rows is one row
		tasks = append(tasks, newTask(p, s, workers[int(s.ID)%len(workers)].ID))
	}
	return tasks
}

// runsOf deals the ranges of each scan that is divided by ranges, by the workers' threads, and gives each worker the splits
// that may hold rows of its run; nil for other scans. Scans that share their ranges are dealt alike, in every stage.
func runsOf(s *distplan.Stage, workers []Worker) (runs [][]distplan.Run, splits [][][]table.Split) {
	threads := make([]float64, len(workers))
	for w := range workers {
		threads[w] = weight(workers[w])
	}
	runs, splits = make([][]distplan.Run, len(s.Scans)), make([][][]table.Split, len(s.Scans))
	for i, scan := range s.Scans {
		if scan.By != nil {
			runs[i] = distplan.DealRanges(scan.By.Weights, threads)
			splits[i] = dealSpans(&scan, runs[i])
		}
	}
	return runs, splits
}

// dealSpans gives each split of a scan to those workers whose runs may hold rows of it. It looks at those alone: most
// splits are of one worker, however many there are.
func dealSpans(scan *distplan.ScanInput, runs []distplan.Run) [][]table.Split {
	owner := make([]int, len(scan.By.Weights))
	for w, run := range runs {
		for r := run.First; r < run.Until; r++ {
			owner[r] = w
		}
	}
	splits := make([][]table.Split, len(runs))
	for k, span := range scan.Spans {
		if first := owner[0]; span.Nulls && first < owner[span.First] {
			splits[first] = append(splits[first], scan.Splits[k])
		}
		for w := owner[span.First]; w <= owner[span.Last]; w++ {
			if !runs[w].Empty() {
				splits[w] = append(splits[w], scan.Splits[k])
			}
		}
	}
	return splits
}

// files joins the pieces of each file.
func files(cut []piece) []piece {
	var whole []piece
	for _, c := range cut {
		last := len(whole) - 1
		if last >= 0 && whole[last].scan == c.scan && whole[last].splits[0].File == c.splits[0].File {
			whole[last].splits = append(slices.Clip(whole[last].splits), c.splits...)
			whole[last].bytes += c.bytes
			continue
		}
		whole = append(whole, c)
	}
	return whole
}

// due is what each worker should get of the bytes, by threads.
func due(pieces []piece, workers []Worker) []float64 {
	var bytes, threads float64
	for _, p := range pieces {
		bytes += float64(p.bytes)
	}
	for _, w := range workers {
		threads += weight(w)
	}
	shares := make([]float64, len(workers))
	for i, w := range workers {
		shares[i] = bytes * weight(w) / threads
	}
	return shares
}

func weight(w Worker) float64 { return float64(max(w.Threads, 1)) }

// wholeFiles deals files, the largest first, each to the worker that is furthest below its due. Nil when someone would get
// too much more than it.
func wholeFiles(files []piece, workers []Worker) [][]piece {
	order := make([]int, len(files))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case files[a].bytes > files[b].bytes:
			return -1
		case files[a].bytes < files[b].bytes:
			return 1
		}
		return 0
	})
	want := due(files, workers)
	got := make([]float64, len(workers))
	owner := make([]int, len(files))
	furthest := newBelow(want, got)
	for _, f := range order {
		owner[f] = furthest.worker()
		got[owner[f]] += float64(files[f].bytes)
		heap.Fix(furthest, 0)
	}
	shares := make([][]piece, len(workers))
	for f, w := range owner {
		shares[w] = append(shares[w], files[f])
	}
	for w, share := range shares {
		// A share that is one file that cannot be cut may be too large.
		if got[w] > want[w]*(1+uneven) && (len(share) != 1 || len(share[0].splits) != 1) {
			return nil
		}
	}
	return shares
}

// inOrder cuts the row of all pieces where each worker has its due, so that at most one file is cut between two workers.
// A piece goes to the worker in whose share its middle lies.
func inOrder(cut []piece, workers []Worker) [][]piece {
	want := due(cut, workers)
	shares := make([][]piece, len(workers))
	var before float64
	w, end := 0, want[0]
	for _, c := range cut {
		middle := before + float64(c.bytes)/2
		for w < len(workers)-1 && middle > end {
			w++
			end += want[w]
		}
		shares[w] = append(shares[w], c)
		before += float64(c.bytes)
	}
	return shares
}

// join puts splits of one file that touch into one, and makes a split that is the whole file say so.
func join(splits []table.Split) []table.Split {
	var joined []table.Split
	for _, s := range splits {
		last := len(joined) - 1
		if last >= 0 && !s.Whole() && !joined[last].Whole() && joined[last].File == s.File &&
			joined[last].FirstRow+joined[last].Rows == s.FirstRow {
			joined[last].Rows += s.Rows
			joined[last].Bytes += s.Bytes
			continue
		}
		joined = append(joined, s)
	}
	for i, s := range joined {
		if !s.Whole() && s.FirstRow == 0 && s.Rows == s.File.Rows {
			joined[i].Rows = -1
		}
	}
	return joined
}
