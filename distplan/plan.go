package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// A Plan is the distributed plan of one statement: its stages, producers before consumers; the last one is the root stage.
type Plan struct {
	Stages []*Stage
	// Columns are what the client sees: names and DuckDB types of the root stage's output.
	Columns []table.Column
	// Ordered says that the client must see the rows in the order of the root stage's partitions and rows.
	Ordered bool
	// Indeterminate says that running a stage again may give other rows (LIMIT without order, random, ties).
	Indeterminate bool
	// Fallbacks are the reasons why parts of the tree were gathered, for EXPLAIN.
	Fallbacks []string
	// Rules are the names of the rules that made it, each once.
	Rules []string
}

// InRanges reports whether the tasks of a stage read runs of range partitions, a later task later ones.
func (p *Plan) InRanges(s *Stage) bool {
	for _, in := range s.Inputs {
		if in.Read == ReadShare && p.Stages[in.From].Output.Kind == OutputRange {
			return true
		}
	}
	return false
}

// Root is the stage whose partitions the client reads.
func (p *Plan) Root() *Stage { return p.Stages[len(p.Stages)-1] }

// A Stage runs as equal tasks, each over its share of the inputs.
type Stage struct {
	ID ids.StageID
	// Body is the operator tree between the inputs and the output, for EXPLAIN; nil when the fragment is the statement's
	// own text printed back (the tree could not be read).
	Body operator.Node
	// Fragment is the body as one SELECT over the inputs' names. Its columns are c0 … cn; a hash output of more than one
	// partition has one more, the partition number.
	Fragment string
	Scans    []ScanInput
	Inputs   []ExchangeInput
	// Spread says into how many tasks the stage is cut.
	Spread Spread
	// Output says how the result is divided among the consumer's tasks; the root's is OutputResult.
	Output Output
	// Types are the output columns, without the partition number.
	Types []table.Type
	// Rows and Bytes are estimates of the output; < 0 when unknown.
	Rows, Bytes float64
	// Indeterminate: see Plan; of this stage alone.
	Indeterminate bool
	// MergedInto is the stage whose tasks do this one's work since the plan was adapted while it ran (JoinWhereItLies); nil for
	// all others. A merged stage has no body, no inputs and no tasks.
	MergedInto *ids.StageID
}

// Spread says how many tasks a stage has.
type Spread uint8

const (
	// SpreadSingle is one task.
	SpreadSingle Spread = iota
	// SpreadSplits is a task for every worker that gets at least one split of the stage's scans, at least one in all.
	SpreadSplits
	// SpreadPartitions is a task for every worker, each reading its share of the hash or range partitions of the inputs.
	SpreadPartitions
)

// A ScanInput is a table read by a stage under a name ("scan_0"). The fragment sees columns c0 … cn, which are
// Table.Columns[Columns[k]] (a negative index: NULL of BIGINT).
type ScanInput struct {
	Name    string
	Table   *table.Table
	Columns []int
	// Splits are all of the table's splits that the stage must read; schedule divides them among the tasks. When
	// Replicated, every task reads all of them.
	Splits     []table.Split
	Replicated bool
	// Skip marks the units of the table that no split covers, since no row of them matters; nil = none.
	Skip []bool
	// By divides the scan by ranges of a column; schedule gives each task a run of ranges, and every split that may hold rows
	// of them. Spans are then parallel to Splits; a split may go to several tasks, each of its rows to one. Nil = each split
	// goes to one task.
	By    *operator.RangesBy
	Spans []Span
	// Of is how many splits there would be without Skip, for EXPLAIN; 0 without it.
	Of int
}

// An ExchangeInput is the output of an earlier stage, read under a name ("exchange_1") with columns c0 … cn. The body may
// read it from several places, and several stages may read one output, each in its own way.
type ExchangeInput struct {
	Name  string
	From  ids.StageID
	Types []table.Type
	// Read says which of the partitions a task reads.
	Read Reading
}

// A Reading says what the tasks of a stage read of an input.
type Reading uint8

const (
	// ReadAll is all partitions, by the only task of the stage.
	ReadAll Reading = iota
	// ReadShare is the task's share of the hash partitions, or a run of the range partitions.
	ReadShare
	// ReadWhole is all partitions, by every task.
	ReadWhole
)

// OutputKind says how the producer's rows are divided.
type OutputKind uint8

const (
	// OutputResult goes to the client.
	OutputResult OutputKind = iota
	// OutputGather is one partition, made to be read by one task.
	OutputGather
	// OutputHash is Partitions partitions by the hash of Keys.
	OutputHash
	// OutputRange is Partitions partitions, at least 2, that come one after the other in an order. The last column of the body
	// and of the fragment is a row's partition.
	OutputRange
	// OutputBroadcast is one partition, made to be read whole by every task of the consumer.
	OutputBroadcast
)

// An Output is how a stage's rows are divided.
type Output struct {
	Kind OutputKind
	// Keys are the hashed output columns, for EXPLAIN; the fragment computes the partition number itself.
	Keys []int
	// Partitions is the number of partitions; 1 unless Kind is OutputHash or OutputRange.
	Partitions int
}

// Options are what a session and the cluster say about planning.
type Options struct {
	// Workers is the number of workers of the membership snapshot, at least 1.
	Workers int
	// Partitions is the number of hash partitions; 0 = 4 × Workers.
	Partitions int
	// Distributed is auto, always or never: whether small data and single workers get one stage.
	Distributed Mode
	// JoinStrategy says how joins get their inputs together; "" = auto.
	JoinStrategy JoinStrategy
	// OrderedEndpoints says that an ordered result may come from several tasks, to be read in their order.
	OrderedEndpoints bool
	// SmallBytes is the compressed size of all scans' projected columns, for each of the first two workers, below which auto
	// plans one stage.
	SmallBytes int64
}

// A Mode is a setting of arbalest.distributed.
type Mode string

// The modes.
const (
	Auto   Mode = "auto"
	Always Mode = "always"
	Never  Mode = "never"
)

// A JoinStrategy is a setting of arbalest.join_strategy. One that is illegal for a join gives way to one that is not.
type JoinStrategy string

// The join strategies.
const (
	// JoinAuto moves the fewest bytes.
	JoinAuto JoinStrategy = "auto"
	// JoinExchange sends both sides through a hash exchange on the equality keys.
	JoinExchange JoinStrategy = "exchange"
	// JoinBroadcast gives all of one side to every task.
	JoinBroadcast JoinStrategy = "broadcast"
)

// A Statement is what the frontend knows of one statement to plan.
type Statement struct {
	// Tree is the operator tree; nil when it could not be read, then Text stands instead.
	Tree operator.Node
	// Columns are the result's names and types. The tree's types are cast to them where they differ.
	Columns []table.Column
	// Text is the statement printed back with each table replaced by an input's name; TextScans are those inputs.
	Text      string
	TextScans []ScanInput
	// Unread is the reason why there is no tree.
	Unread string
}
