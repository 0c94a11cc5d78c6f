package operator

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

// A Node is a vertex of an operator tree. The set of implementations is closed: the types of this package.
type Node interface {
	// Types are the types of the output columns.
	Types() []table.Type
	// Children lists the inputs; for joins left then right.
	Children() []Node
	// WithChildren returns a copy over other inputs, as many as Children gave.
	WithChildren(children []Node) Node
	// Estimate is the planner's guess of the output rows; < 0 when there is none.
	Estimate() float64
}

// Estimated carries the row estimate; embedded in every node.
type Estimated struct{ Rows float64 }

// Estimate implements Node.
func (e Estimated) Estimate() float64 { return e.Rows }

// A Scan reads columns of a table: output column k is Table.Columns[Columns[k]]. A negative index is a column whose
// value nobody reads (count(*)): it is NULL of type BIGINT.
type Scan struct {
	Estimated
	Table   *table.Table
	Columns []int
	// Skip marks the units of the table (table.CountUnits) that need not be read: no row of them comes through the filter
	// above. Nil = none. Only distplan sets it.
	Skip []bool
	// By divides the rows among tasks by ranges of a column instead of as the splits fall; nil = the latter. Only distplan
	// sets it.
	By *RangesBy
}

// Values are constant rows.
type Values struct {
	Estimated
	Rows   [][]expr.Expr
	Result []table.Type
}

// Empty has columns and never a row (a filter proven false).
type Empty struct {
	Estimated
	Result []table.Type
}

// A Dummy is the single row without columns below SELECT 1.
type Dummy struct{ Estimated }

// A Filter keeps rows for which all Conditions hold, then picks the columns in Project (nil = all).
type Filter struct {
	Estimated
	Child      Node
	Conditions []expr.Expr
	Project    []int
}

// A Project computes expressions over each row.
type Project struct {
	Estimated
	Child Node
	Exprs []expr.Expr
}

// An Aggregate groups. Output: Groups, then Aggregates, then one BIGINT for each of GroupingCalls.
type Aggregate struct {
	Estimated
	Child  Node
	Groups []expr.Expr
	// Sets are GROUPING SETS as indices into Groups; nil = one set of all.
	Sets [][]int
	// GroupingCalls are GROUPING(…) calls as indices into Groups.
	GroupingCalls [][]int
	Aggregates    []*expr.Aggregate
	// Phase is set by distplan on the halves of a split aggregate.
	Phase Phase
}

// A Distinct keeps one row of each; On names the key columns of DISTINCT ON (nil = all columns), OrderBy which row it keeps.
type Distinct struct {
	Estimated
	Child   Node
	On      []expr.Expr
	OrderBy []expr.Order
}

// A JoinKind says which rows a join gives.
type JoinKind string

// The join kinds. SINGLE is LEFT with at most one match (more is an error); MARK gives the left rows and a nullable BOOLEAN.
const (
	Inner     JoinKind = "INNER"
	Left      JoinKind = "LEFT"
	Right     JoinKind = "RIGHT"
	Full      JoinKind = "FULL"
	Semi      JoinKind = "SEMI"
	Anti      JoinKind = "ANTI"
	RightSemi JoinKind = "RIGHT_SEMI"
	RightAnti JoinKind = "RIGHT_ANTI"
	Mark      JoinKind = "MARK"
	Single    JoinKind = "SINGLE"
)

// A Condition compares an expression over the left side's columns with one over the right side's. Each side's Refs count
// from 0 of its own input.
type Condition struct {
	Op          expr.CompareOp
	Left, Right expr.Expr
}

// A Join joins on all Conditions (and Predicate, over left then right columns; nil = none).
type Join struct {
	Estimated
	Kind        JoinKind
	Left, Right Node
	Conditions  []Condition
	Predicate   expr.Expr
	// LeftProject and RightProject pick the output columns of each side (nil = all).
	LeftProject, RightProject []int
}

// A DelimJoin is a correlated subquery: the side named by Flipped (false = left) is evaluated once, the distinct values
// of Columns over it feed the DelimGet nodes on the other side whose ID is the same.
type DelimJoin struct {
	Join
	Flipped bool
	Columns []expr.Expr
	ID      int
}

// A DelimGet reads the duplicate-eliminated columns of the DelimJoin above it with the same ID.
type DelimGet struct {
	Estimated
	ID     int
	Result []table.Type
}

// A Cross is the cross product.
type Cross struct {
	Estimated
	Left, Right Node
}

// An Order sorts, then picks the columns in Project (nil = all).
type Order struct {
	Estimated
	Child   Node
	By      []expr.Order
	Project []int
}

// A TopN is the rows Offset … Offset+Limit-1 of the order.
type TopN struct {
	Estimated
	Child  Node
	By     []expr.Order
	Limit  int64
	Offset int64
}

// A Limit keeps Limit rows (< 0 = all) after Offset.
type Limit struct {
	Estimated
	Child  Node
	Limit  int64
	Offset int64
}

// A SetKind names a set operation.
type SetKind string

// The set operations.
const (
	Union     SetKind = "UNION"
	Intersect SetKind = "INTERSECT"
	Except    SetKind = "EXCEPT"
)

// A SetOp combines inputs of the same types; All keeps duplicates.
type SetOp struct {
	Estimated
	Kind   SetKind
	All    bool
	Inputs []Node
}

// A Window appends one column for each of Windows to the child's columns.
type Window struct {
	Estimated
	Child   Node
	Windows []*expr.Window
	// Phase is Partial where distplan looks at the rows of each task by themselves, as for a sample of them.
	Phase Phase
}

// A CTE evaluates Definition once and Body, in which CTERef nodes of the same ID read it.
type CTE struct {
	Estimated
	ID         int
	Definition Node
	Body       Node
}

// A CTERef reads the CTE of the same ID.
type CTERef struct {
	Estimated
	ID     int
	Result []table.Type
}

// An Input reads a stage's input by name (exchange_1): only in a stage's body, placed by distplan.
type Input struct {
	Estimated
	Name   string
	Result []table.Type
}
