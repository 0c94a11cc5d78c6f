package planjson

import "encoding/json"

// The raw types mirror the JSON, with the fields of all operators (or expressions) in one struct: one pass of the parser
// reads the whole plan, and a field that none of them knows makes it fail.

type rawPlan struct {
	Error bool     `json:"error"`
	Plans []*rawOp `json:"plans"`
}

type rawOp struct {
	Type     string   `json:"type"`
	Children []*rawOp `json:"children"`

	// Expressions are of several shapes: rows of expressions in EXPRESSION_GET.
	Expressions json.RawMessage `json:"expressions"`

	// GET
	TableIndex       json.RawMessage `json:"table_index"`
	ReturnedTypes    json.RawMessage `json:"returned_types"`
	Names            json.RawMessage `json:"names"`
	ProjectionIDs    []uint64        `json:"projection_ids"`
	TableFilters     *rawFilters     `json:"table_filters"`
	Name             string          `json:"name"`
	Arguments        []rawType       `json:"arguments"`
	OriginalArgs     []rawType       `json:"original_arguments"`
	CatalogName      string          `json:"catalog_name"`
	SchemaName       string          `json:"schema_name"`
	HasSerialize     bool            `json:"has_serialize"`
	FunctionData     json.RawMessage `json:"function_data"`
	Parameters       []*rawValue     `json:"parameters"`
	NamedParameters  json.RawMessage `json:"named_parameters"`
	InputTableTypes  json.RawMessage `json:"input_table_types"`
	InputTableNames  json.RawMessage `json:"input_table_names"`
	ProjectedInput   json.RawMessage `json:"projected_input"`
	ColumnIndexes    []rawColumn     `json:"column_indexes"`
	ExtraInfo        *rawExtra       `json:"extra_info"`
	OrdinalityIdx    json.RawMessage `json:"ordinality_idx"`
	RowGroupOrder    json.RawMessage `json:"row_group_order_options"`
	DynamicFilters   json.RawMessage `json:"dynamic_filters"`
	VirtualColumns   json.RawMessage `json:"virtual_columns"`
	ReturnTypes      []rawType       `json:"return_types"`
	Bindings         json.RawMessage `json:"bindings"`
	ExprTypes        []rawType       `json:"expr_types"`
	ChunkTypes       []rawType       `json:"chunk_types"`
	Collection       *rawCollection  `json:"collection"`
	ProjectionMap    []uint64        `json:"projection_map"`
	Groups           []*rawExpr      `json:"groups"`
	GroupingSets     [][]int         `json:"grouping_sets"`
	GroupingFuncs    [][]int         `json:"grouping_functions"`
	GroupIndex       json.RawMessage `json:"group_index"`
	AggregateIndex   json.RawMessage `json:"aggregate_index"`
	GroupingsIndex   json.RawMessage `json:"groupings_index"`
	DistinctValidity string          `json:"distinct_validity"`

	// Joins
	JoinType      string          `json:"join_type"`
	Conditions    []rawCondition  `json:"conditions"`
	Condition     *rawExpr        `json:"condition"`
	Predicate     *rawExpr        `json:"predicate"`
	LeftMap       []uint64        `json:"left_projection_map"`
	RightMap      []uint64        `json:"right_projection_map"`
	MarkIndex     json.RawMessage `json:"mark_index"`
	MarkTypes     json.RawMessage `json:"mark_types"`
	DelimFlipped  bool            `json:"delim_flipped"`
	DelimColumns  []*rawExpr      `json:"duplicate_eliminated_columns"`
	Orders        []rawOrder      `json:"orders"`
	Projections   []uint64        `json:"projections"`
	ProjectionsV2 []uint64        `json:"projection_map_v2"`
	Limit         *uint64         `json:"limit"`
	Offset        *uint64         `json:"offset"`
	LimitVal      *rawLimit       `json:"limit_val"`
	OffsetVal     *rawLimit       `json:"offset_val"`
	SetopAll      bool            `json:"setop_all"`
	ColumnCount   json.RawMessage `json:"column_count"`
	OutOfOrder    json.RawMessage `json:"allow_out_of_order"`

	// Distinct
	DistinctType    string     `json:"distinct_type"`
	DistinctTargets []*rawExpr `json:"distinct_targets"`
	OrderBy         *rawOrders `json:"order_by"`

	// CTE
	CTEIndex     *int            `json:"cte_index"`
	CTEName      string          `json:"ctename"`
	Materialize  string          `json:"materialize"`
	BoundColumns json.RawMessage `json:"bound_columns"`
	IsRecurring  bool            `json:"is_recurring"`

	// Window
	WindowIndex json.RawMessage `json:"window_index"`
}

type rawFilters struct {
	Filters []json.RawMessage `json:"filters"`
}

type rawExtra struct {
	FileFilters   string          `json:"file_filters"`
	TotalFiles    json.RawMessage `json:"total_files"`
	FilteredFiles json.RawMessage `json:"filtered_files"`
	SampleOptions json.RawMessage `json:"sample_options"`
}

type rawColumn struct {
	Index        uint64          `json:"index"`
	ChildIndexes []rawColumn     `json:"child_indexes"`
	IndexType    string          `json:"index_type"`
	Type         json.RawMessage `json:"type"`
	Field        string          `json:"field"`
	HasIndex     bool            `json:"has_index"`
}

type rawCollection struct {
	Types  []rawType     `json:"types"`
	Values [][]*rawValue `json:"values"`
}

type rawCondition struct {
	Left       *rawExpr `json:"left"`
	Right      *rawExpr `json:"right"`
	Comparison string   `json:"comparison"`
}

type rawOrders struct {
	Type   string     `json:"type"`
	Orders []rawOrder `json:"orders"`
}

type rawOrder struct {
	Type       string   `json:"type"`
	NullOrder  string   `json:"null_order"`
	Expression *rawExpr `json:"expression"`
}

type rawLimit struct {
	Type       string          `json:"type"`
	Integer    uint64          `json:"constant_integer"`
	Percentage json.RawMessage `json:"constant_percentage"`
	Expression *rawExpr        `json:"expression"`
}

type rawExpr struct {
	Class         string          `json:"expression_class"`
	Type          string          `json:"type"`
	Alias         string          `json:"alias"`
	QueryLocation json.RawMessage `json:"query_location"`
	ReturnType    *rawType        `json:"return_type"`

	Index *uint64   `json:"index"`
	Value *rawValue `json:"value"`

	Left  *rawExpr `json:"left"`
	Right *rawExpr `json:"right"`

	Child   *rawExpr `json:"child"`
	TryCast bool     `json:"try_cast"`

	Input          *rawExpr `json:"input"`
	Lower          *rawExpr `json:"lower"`
	Upper          *rawExpr `json:"upper"`
	LowerInclusive bool     `json:"lower_inclusive"`
	UpperInclusive bool     `json:"upper_inclusive"`

	CaseChecks []rawCheck `json:"case_checks"`
	ElseExpr   *rawExpr   `json:"else_expr"`

	Children     []*rawExpr      `json:"children"`
	Name         string          `json:"name"`
	Arguments    []rawType       `json:"arguments"`
	OriginalArgs []rawType       `json:"original_arguments"`
	CatalogName  string          `json:"catalog_name"`
	SchemaName   string          `json:"schema_name"`
	HasSerialize bool            `json:"has_serialize"`
	FunctionData json.RawMessage `json:"function_data"`
	IsOperator   bool            `json:"is_operator"`

	AggregateType string     `json:"aggregate_type"`
	Filter        *rawExpr   `json:"filter"`
	OrderBys      *rawOrders `json:"order_bys"`

	Partitions  []*rawExpr `json:"partitions"`
	Orders      []rawOrder `json:"orders"`
	ArgOrders   []rawOrder `json:"arg_orders"`
	Filters     *rawExpr   `json:"filters"`
	IgnoreNulls bool       `json:"ignore_nulls"`
	Start       string     `json:"start"`
	End         string     `json:"end"`
	StartExpr   *rawExpr   `json:"start_expr"`
	EndExpr     *rawExpr   `json:"end_expr"`
	OffsetExpr  *rawExpr   `json:"offset_expr"`
	DefaultExpr *rawExpr   `json:"default_expr"`
	Exclude     string     `json:"exclude_clause"`
	Distinct    bool       `json:"distinct"`
}

type rawCheck struct {
	When *rawExpr `json:"when_expr"`
	Then *rawExpr `json:"then_expr"`
}

type rawType struct {
	ID   string       `json:"id"`
	Info *rawTypeInfo `json:"type_info"`
}

type rawTypeInfo struct {
	Type          string          `json:"type"`
	Alias         string          `json:"alias"`
	ExtensionInfo json.RawMessage `json:"extension_info"`
	Width         uint8           `json:"width"`
	Scale         uint8           `json:"scale"`
	ChildType     *rawType        `json:"child_type"`
	ChildTypes    []rawMember     `json:"child_types"`
	ValuesCount   json.RawMessage `json:"values_count"`
	Values        []string        `json:"values"`
	Size          int             `json:"size"`
	Collation     string          `json:"collation"`
	TargetType    json.RawMessage `json:"target_type"` // of ANY, which stands only among a function's declared arguments
	CastScore     json.RawMessage `json:"cast_score"`
}

type rawMember struct {
	First  string  `json:"first"`
	Second rawType `json:"second"`
}

type rawValue struct {
	Type   rawType         `json:"type"`
	IsNull bool            `json:"is_null"`
	Value  json.RawMessage `json:"value"`
}
