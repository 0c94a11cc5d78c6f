package expr

import "github.com/arbalest-sql/arbalest/catalog/table"

// An Expr is one expression. The set of implementations is closed: the types of this file.
type Expr interface {
	// Type is the DuckDB type of the result.
	Type() table.Type
	// Children lists the operands in a fixed order.
	Children() []Expr
	// WithChildren returns a copy with other operands, as many as Children gave, in the same order.
	WithChildren(children []Expr) Expr
}

// A Ref is column Index of the input. For joins, the right side's columns follow the left side's.
type Ref struct {
	Index  int
	Result table.Type
}

// A Const is a constant. SQL is its complete literal with the cast that fixes its type ("CAST(1.50 AS DECIMAL(4,2))").
type Const struct {
	SQL    string
	Null   bool
	Result table.Type
}

// A Call is a scalar function, printed as name(args), or as an operator when Name is one ("+", "~~").
type Call struct {
	Name   string
	Args   []Expr
	Result table.Type
	// Volatile marks functions that give another value for every row or call (random, uuid).
	Volatile bool
}

// A Cast converts; Try gives NULL instead of an error.
type Cast struct {
	Child  Expr
	Result table.Type
	Try    bool
}

// A CompareOp is the SQL spelling of a comparison: =, <>, <, >, <=, >=, IS DISTINCT FROM, IS NOT DISTINCT FROM.
type CompareOp string

// The comparisons.
const (
	Equal           CompareOp = "="
	NotEqual        CompareOp = "<>"
	Less            CompareOp = "<"
	Greater         CompareOp = ">"
	LessOrEqual     CompareOp = "<="
	GreaterOrEqual  CompareOp = ">="
	DistinctFrom    CompareOp = "IS DISTINCT FROM"
	NotDistinctFrom CompareOp = "IS NOT DISTINCT FROM"
)

// A Compare is left Op right, a BOOLEAN.
type Compare struct {
	Op          CompareOp
	Left, Right Expr
}

// A Between is Lower ≤ or < Input ≤ or < Upper.
type Between struct {
	Input, Lower, Upper            Expr
	LowerInclusive, UpperInclusive bool
}

// A Logical is AND or OR over two or more terms.
type Logical struct {
	Or    bool
	Terms []Expr
}

// An OperatorKind names the operators that SQL writes with words.
type OperatorKind string

// The kinds of Operator.
const (
	Not       OperatorKind = "NOT"
	IsNull    OperatorKind = "IS NULL"
	IsNotNull OperatorKind = "IS NOT NULL"
	In        OperatorKind = "IN"     // first operand IN the others
	NotIn     OperatorKind = "NOT IN" // likewise
	Coalesce  OperatorKind = "COALESCE"
	NullIf    OperatorKind = "NULLIF"
	TryOp     OperatorKind = "TRY"
)

// An Operator is one of the word operators.
type Operator struct {
	Kind     OperatorKind
	Operands []Expr
	Result   table.Type
}

// A Case is CASE WHEN … THEN … ELSE Else END.
type Case struct {
	When, Then []Expr
	Else       Expr
	Result     table.Type
}

// An Order is one ORDER BY term.
type Order struct {
	Expr       Expr
	Descending bool
	NullsFirst bool
}

// An Aggregate is an aggregate function over the rows of a group; only in operator.Aggregate.
type Aggregate struct {
	Name     string // "count_star" is count(*)
	Args     []Expr
	Distinct bool
	Filter   Expr // nil = none
	OrderBy  []Order
	Result   table.Type
}

// A FrameBound is one end of a window frame, as DuckDB names it ("UNBOUNDED_PRECEDING", "EXPR_PRECEDING_ROWS", …).
type FrameBound struct {
	Kind string
	Expr Expr // nil unless Kind needs one
}

// A Window is one window function; only in operator.Window.
type Window struct {
	Name        string // "rank", "sum", …; "count_star" is count(*)
	Aggregate   bool   // an aggregate used as a window function: the frame matters
	Args        []Expr
	Partitions  []Expr
	Orders      []Order
	ArgOrders   []Order
	Start, End  FrameBound
	Exclude     string // "NO_OTHER", "CURRENT_ROW", "GROUP", "TIES"
	Filter      Expr
	IgnoreNulls bool
	Distinct    bool
	Result      table.Type
}
