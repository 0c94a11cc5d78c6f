package distplan

import (
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// wishes finds out by which columns the readers of a subtree would like it laid out, before anything of them is placed: the
// columns that joins, groups and windows above a reader bring together. It only advises: whatever it says, the plan is
// right.
type wishes struct {
	width int
	// wants are the column sets wished for, nearest to the readers first, each as often as it is wished.
	wants [][]int
	// ctes and delims give for the output columns of CTERef and DelimGet nodes the column of the subtree, < 0 for none.
	ctes, delims map[int][]int
}

// A trail says which column of the subtree each output column of an operator is, < 0 for none. Several readers below one
// join have trails of their own.
type trail []int

func newWishes(width int) *wishes {
	return &wishes{width: width, ctes: map[int][]int{}, delims: map[int][]int{}}
}

// of walks n and returns the trails that reach its output.
func (w *wishes) of(n operator.Node) []trail {
	switch n := n.(type) {
	case *operator.CTERef:
		return known(w.ctes[n.ID])
	case *operator.DelimGet:
		return known(w.delims[n.ID])
	case *operator.Filter:
		return picked(w.of(n.Child), n.Project)
	case *operator.Order:
		return picked(w.of(n.Child), n.Project)
	case *operator.Project:
		return computed(w.of(n.Child), n.Exprs)
	case *operator.Aggregate:
		groups := computed(w.of(n.Child), n.Groups)
		for i, t := range groups {
			w.want(t)
			groups[i] = append(t, missing(len(n.Types())-len(t))...)
		}
		return groups
	case *operator.Window:
		below := w.of(n.Child)
		shared := sharedPartitions(n.Windows)
		for i, t := range below {
			w.want(pickTrail(t, shared))
			below[i] = append(append(trail(nil), t...), missing(len(n.Windows))...)
		}
		return below
	case *operator.Distinct:
		below := w.of(n.Child)
		for _, t := range below {
			if n.On == nil {
				w.want(t)
			}
		}
		return below
	case *operator.Join:
		return w.join(n, w.of(n.Left), w.of(n.Right))
	case *operator.DelimJoin:
		once, other := n.Left, n.Right
		if n.Flipped {
			once, other = other, once
		}
		kept := w.of(once)
		for _, t := range kept { // one trail is enough for advice
			w.delims[n.ID] = computed([]trail{t}, n.Columns)[0]
		}
		rest := w.of(other)
		if n.Flipped {
			return w.join(&n.Join, rest, kept)
		}
		return w.join(&n.Join, kept, rest)
	case *operator.Cross:
		return w.join(&operator.Join{Kind: operator.Inner, Left: n.Left, Right: n.Right}, w.of(n.Left), w.of(n.Right))
	case *operator.CTE:
		for _, t := range w.of(n.Definition) {
			w.ctes[n.ID] = t
		}
		return w.of(n.Body)
	case *operator.SetOp:
		var all []trail
		for _, in := range n.Inputs {
			all = append(all, w.of(in)...)
		}
		return all
	}
	var all []trail
	for _, c := range n.Children() {
		all = append(all, w.of(c)...)
	}
	return all
}

// join wishes for the keys of a join and gives the trails of its output.
func (w *wishes) join(n *operator.Join, left, right []trail) []trail {
	var all []trail
	follow := func(trails []trail, isLeft bool) {
		keys := joinKeys(n)
		if oneRow(side(n, !isLeft)) { // which will be broadcast
			keys = nil
		}
		for _, t := range trails {
			var columns []int
			for _, k := range keys {
				e := n.Conditions[k].Left
				if !isLeft {
					e = n.Conditions[k].Right
				}
				if c := bareColumn(e); c >= 0 {
					columns = append(columns, t[c])
				}
			}
			w.want(columns)
			out := missing(len(n.Types()))
			for c, from := range t {
				if to := outputOf(n, isLeft, c); to >= 0 && from >= 0 {
					out[to] = from
				}
			}
			all = append(all, out)
		}
	}
	follow(left, true)
	follow(right, false)
	return all
}

// oneRow reports whether n gives at most one row, as scalar subqueries do.
func oneRow(n operator.Node) bool {
	switch n := n.(type) {
	case *operator.Aggregate:
		return len(n.Groups) == 0 && n.Plain()
	case *operator.Project:
		return oneRow(n.Child)
	case *operator.Filter:
		return oneRow(n.Child)
	case *operator.Cross:
		return oneRow(n.Left) && oneRow(n.Right)
	}
	return false
}

// want notes a wish for the columns that are known.
func (w *wishes) want(t trail) {
	var columns []int
	for _, c := range t {
		if c >= 0 && c < w.width && !in(c, columns) {
			columns = append(columns, c)
		}
	}
	if len(columns) > 0 {
		w.wants = append(w.wants, columns)
	}
}

func known(t trail) []trail {
	if t == nil {
		return nil
	}
	return []trail{t}
}

func missing(n int) trail {
	t := make(trail, n)
	for i := range t {
		t[i] = -1
	}
	return t
}

func picked(below []trail, project []int) []trail {
	all := make([]trail, len(below))
	for i, t := range below {
		all[i] = pickTrail(t, operator.Pick(project, len(t)))
	}
	return all
}

func pickTrail(t trail, columns []int) trail {
	out := make(trail, len(columns))
	for i, c := range columns {
		out[i] = t[c]
	}
	return out
}

func computed(below []trail, exprs []expr.Expr) []trail {
	all := make([]trail, len(below))
	for i, t := range below {
		all[i] = make(trail, len(exprs))
		for k, e := range exprs {
			all[i][k] = -1
			if c := bareColumn(e); c >= 0 {
				all[i][k] = t[c]
			}
		}
	}
	return all
}
