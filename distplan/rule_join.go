package distplan

import (
	"strings"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// A join gets its rows together in one of five ways. Their costs, in bytes that move between workers, for W workers:
//
//	replicate   0: every task reads all of a tiny side's tables itself; only from the scans up, only where the side may repeat
//	broadcast   bytes(side) × W (once if the side is tiny): every task gets all of the side; only where the side may repeat
//	exchange    bytes of the sides that do not lie by the keys yet: both go by hash of the equality keys; thrice those of a
//	            side that lies by ranges if there are joins above
//	ranges      what row groups at the cuts are read more than once: both sides are clustered by a key (see cluster)
//	gather      both sides in one task; only for lack of another way, or when one side is in one task and the other tiny
//
// Auto takes the cheapest. Replicating comes first, for it saves a stage.
const (
	// tinyBytes is the output of a side that is broadcast whatever it costs: the exchange it saves is a stage and a pass over
	// the other side.
	tinyBytes = 1 << 20
	// replicateBytesMax bounds the compressed bytes that every task reads of a replicated side, replicateRowsMax the rows that
	// it filters, and replicateFilesMax the files: opening one costs about as much as reading a hundred KiB.
	replicateBytesMax = 1 << 20
	replicateRowsMax  = 100_000
	replicateFilesMax = 8
	// broadcastBytesMax bounds what auto broadcasts by estimate: every worker holds it in memory, and the estimate may be a
	// few times too low.
	broadcastBytesMax = 64 << 20
)

var (
	ruleReplicate = newRule("join: a tiny side is read by every task")
	ruleBroadcast = newRule("join: a side is broadcast")
)

// A way is one of the ways above.
type way uint8

const (
	byGather way = iota
	byExchange
	byRanges
	repeatLeft
	repeatRight
)

// join distributes a join of any kind.
func (d *distributor) join(n *operator.Join) placed {
	var sides [2]*placed // left and right, as far as they are placed
	at := func(left bool) placed {
		i := 0
		if !left {
			i = 1
		}
		if sides[i] == nil {
			d.above++
			p := d.place(side(n, left))
			d.above--
			sides[i] = &p
		}
		return *sides[i]
	}
	if d.opts.JoinStrategy == JoinAuto {
		for _, left := range d.smallerFirst(n) {
			if !mayRepeat(n.Kind, left) || !d.replicable(side(n, left)) {
				continue
			}
			other := at(!left)
			if other.partitioning == single {
				break
			}
			d.fired(ruleReplicate)
			whole := placed{node: &operator.Exchange{
				Estimated: estimated(side(n, left)), Kind: operator.Replicate, Child: side(n, left), Partitions: 1,
			}}
			if left {
				return joined(n, whole, other, layAs(n, other.delivered, false))
			}
			return joined(n, other, whole, layAs(n, other.delivered, true))
		}
	}
	return d.joinPlaced(n, at(true), at(false))
}

// cross distributes a cross product as the inner join without conditions that it is.
func (d *distributor) cross(n *operator.Cross) placed {
	p := d.join(&operator.Join{Estimated: n.Estimated, Kind: operator.Inner, Left: n.Left, Right: n.Right})
	children := p.node.Children()
	p.node = n.WithChildren(children)
	return p
}

func side(n *operator.Join, left bool) operator.Node {
	if left {
		return n.Left
	}
	return n.Right
}

// smallerFirst gives the sides, true for the left, in the order of their bytes.
func (d *distributor) smallerFirst(n *operator.Join) []bool {
	if d.sizes.bytes(n.Left) < d.sizes.bytes(n.Right) {
		return []bool{true, false}
	}
	return []bool{false, true}
}

// replicable reports whether every task may run the subtree itself: it reads little, gives little, and gives the same
// rows each time.
func (d *distributor) replicable(n operator.Node) bool {
	var bytes, rows int64
	files := 0
	for _, s := range operator.Scans(n) {
		bytes += scanBytes(s)
		rows += s.Table.Rows
		files += len(s.Table.Files)
	}
	return bytes <= replicateBytesMax && rows <= replicateRowsMax && files <= replicateFilesMax && d.sizes.bytes(n) <= tinyBytes && standsAlone(n) &&
		!indeterminate(n)
}

// joinPlaced distributes a join whose sides are distributed already.
func (d *distributor) joinPlaced(n *operator.Join, left, right placed) placed {
	if left.partitioning == single && right.partitioning == single {
		return joined(n, left, right, delivered{})
	}
	keys := joinKeys(n)
	k := keyedBy(n, left, right, keys)
	order := d.align(k)
	o := d.joinRanges(k)
	switch d.choose(n, left, right, k, order, o) {
	case byExchange:
		return d.joinByExchange(k, order)
	case byRanges:
		return d.joinByRanges(k, o)
	case repeatLeft:
		d.fired(ruleBroadcast)
		return joined(n, broadcast(left), right, layAs(n, right.delivered, false))
	case repeatRight:
		d.fired(ruleBroadcast)
		return joined(n, left, broadcast(right), layAs(n, left.delivered, true))
	}
	return joined(n, d.gather(left), d.gather(right), delivered{})
}

// choose picks the way. order is nil when no exchange can bring the rows together, ranges when no common cuts can.
func (d *distributor) choose(n *operator.Join, left, right placed, k keyed, order []int, ranges *option) way {
	l, r := d.sizes.bytes(left.node), d.sizes.bytes(right.node)
	// Only what many tasks read is worth broadcasting: a single side does not make more of them.
	mayLeft := mayRepeat(n.Kind, true) && right.partitioning != single
	mayRight := mayRepeat(n.Kind, false) && left.partitioning != single
	repeat, bytes := byGather, 0.0
	if mayRight {
		repeat, bytes = repeatRight, r
	}
	if mayLeft && (!mayRight || l < r) {
		repeat, bytes = repeatLeft, l
	}
	switch {
	case order == nil && repeat == byGather:
		d.because("%s join runs in one task: %s", strings.ToLower(string(n.Kind)), "no side may be repeated, and no equality brings its rows together")
		return byGather
	case order == nil:
		return repeat
	case repeat == byGather && ranges == nil || d.opts.JoinStrategy == JoinExchange:
		return byExchange
	case d.opts.JoinStrategy == JoinBroadcast:
		return repeat
	case left.partitioning == single && r <= tinyBytes, right.partitioning == single && l <= tinyBytes:
		return byGather
	}
	moved := 0.0
	if !k.left.lies(pickInts(k.lcols, order), d.opts.Partitions) {
		moved += l + d.undone(k.left)
	}
	if !k.right.lies(pickInts(k.rcols, order), d.opts.Partitions) {
		moved += r + d.undone(k.right)
	}
	way := byExchange
	if repeat != byGather && bytes <= broadcastBytesMax {
		cost := bytes
		if bytes > tinyBytes {
			cost *= float64(d.opts.Workers)
		}
		if cost < moved {
			way, moved = repeat, cost
		}
	}
	if ranges != nil && ranges.more <= moved {
		return byRanges
	}
	return way
}

// undone is what it costs to exchange a side that lies by ranges while a join above may need just that: the side would have
// to move back, and what it meets there, which is likely no smaller, too.
func (d *distributor) undone(p placed) float64 {
	if p.partitioning != ranged || d.above == 0 {
		return 0
	}
	return 2 * d.sizes.bytes(p.node)
}

func broadcast(p placed) placed {
	return placed{node: &operator.Exchange{Estimated: estimated(p.node), Kind: operator.Broadcast, Child: p.node, Partitions: 1}}
}

// joined puts the join over its sides.
func joined(n *operator.Join, left, right placed, out delivered) placed {
	join := *n
	join.Left, join.Right = left.node, right.node
	return placed{&join, out}
}

func pickInts(list []int, order []int) []int {
	picked := make([]int, len(order))
	for i, o := range order {
		picked[i] = list[o]
	}
	return picked
}
