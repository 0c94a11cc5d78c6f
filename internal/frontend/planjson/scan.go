package planjson

import (
	"math"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// virtualColumns begins the indices of columns that no table has: row ids, or "any column will do".
const virtualColumns = uint64(math.MaxInt64)

func (d *decoder) get(o *rawOp, _ *scope) (operator.Node, error) {
	t, ok := d.stub(o.Name)
	switch {
	case !ok:
		return nil, unread("table function %s", o.Name)
	case len(o.Children) > 0:
		return nil, unread("table function with an input")
	case o.TableFilters != nil && len(o.TableFilters.Filters) > 0:
		return nil, unread("filters inside of a scan")
	case o.ExtraInfo != nil && len(o.ExtraInfo.SampleOptions) > 0 && string(o.ExtraInfo.SampleOptions) != "null":
		return nil, unread("a sample of a table")
	case len(o.RowGroupOrder) > 0 && string(o.RowGroupOrder) != "null":
		return nil, unread("an order of row groups")
	case len(o.OrdinalityIdx) > 0 && string(o.OrdinalityIdx) != "18446744073709551615":
		return nil, unread("WITH ORDINALITY")
	case len(o.DynamicFilters) > 0 || len(o.VirtualColumns) > 0:
		return nil, unread("a scan with dynamic filters or virtual columns")
	}
	columns, err := columnsOf(o, t)
	if err != nil {
		return nil, err
	}
	if t.Inline != nil {
		return inline(t, columns)
	}
	return &operator.Scan{Estimated: noEstimate, Table: t, Columns: columns}, nil
}

func columnsOf(o *rawOp, t *table.Table) ([]int, error) {
	all := make([]int, len(o.ColumnIndexes))
	for i, c := range o.ColumnIndexes {
		switch {
		case !c.HasIndex || len(c.ChildIndexes) > 0 || (c.IndexType != "" && c.IndexType != "FULL_READ"):
			return nil, unread("a scan of parts of column %d", c.Index)
		case c.Index >= virtualColumns:
			all[i] = -1
		case c.Index >= uint64(len(t.Columns)):
			return nil, unread("column %d of table %s with %d columns", c.Index, t.Name, len(t.Columns))
		default:
			all[i] = int(c.Index)
		}
	}
	if len(o.ProjectionIDs) == 0 {
		return all, nil
	}
	picked := make([]int, len(o.ProjectionIDs))
	for i, p := range o.ProjectionIDs {
		if p >= uint64(len(all)) {
			return nil, unread("projection of column %d of %d", p, len(all))
		}
		picked[i] = all[p]
	}
	return picked, nil
}

// inline gives the rows of a table that has no files.
func inline(t *table.Table, columns []int) (operator.Node, error) {
	scan := &operator.Scan{Table: t, Columns: columns}
	types := scan.Types()
	if len(t.Inline) == 0 {
		return &operator.Empty{Estimated: operator.Estimated{Rows: 0}, Result: types}, nil
	}
	rows := make([][]expr.Expr, len(t.Inline))
	for i, r := range t.Inline {
		if len(r) != len(t.Columns) {
			return nil, unread("row %d of %s has %d of %d values", i, t.Name, len(r), len(t.Columns))
		}
		row := make([]expr.Expr, len(columns))
		for k, c := range columns {
			sql := "NULL"
			if c >= 0 {
				sql = r[c]
			}
			row[k] = &expr.Const{SQL: castTo(sql, types[k]), Null: strings.EqualFold(sql, "NULL"), Result: types[k]}
		}
		rows[i] = row
	}
	return &operator.Values{Estimated: operator.Estimated{Rows: float64(len(rows))}, Rows: rows, Result: types}, nil
}

func (d *decoder) dummy(_ *rawOp, _ *scope) (operator.Node, error) {
	return &operator.Dummy{Estimated: operator.Estimated{Rows: 1}}, nil
}

func (d *decoder) empty(o *rawOp, _ *scope) (operator.Node, error) {
	types, err := typesOf(o.ReturnTypes)
	return &operator.Empty{Estimated: operator.Estimated{Rows: 0}, Result: types}, err
}

// chunkGet reads constant rows, stored by column.
func (d *decoder) chunkGet(o *rawOp, _ *scope) (operator.Node, error) {
	types, err := typesOf(o.ChunkTypes)
	if err != nil {
		return nil, err
	}
	if o.Collection == nil {
		return nil, unread("CHUNK_GET without rows")
	}
	columns := o.Collection.Values
	if len(columns) == 0 {
		return &operator.Empty{Estimated: operator.Estimated{Rows: 0}, Result: types}, nil
	}
	if len(columns) != len(types) {
		return nil, unread("CHUNK_GET of %d columns for %d types", len(columns), len(types))
	}
	rows := make([][]expr.Expr, len(columns[0]))
	for r := range rows {
		rows[r] = make([]expr.Expr, len(columns))
	}
	for c, values := range columns {
		if len(values) != len(rows) {
			return nil, unread("CHUNK_GET with columns of different lengths")
		}
		for r, v := range values {
			if rows[r][c], err = constant(v); err != nil {
				return nil, err
			}
		}
	}
	if len(rows) == 0 {
		return &operator.Empty{Estimated: operator.Estimated{Rows: 0}, Result: types}, nil
	}
	return &operator.Values{Estimated: operator.Estimated{Rows: float64(len(rows))}, Rows: rows, Result: types}, nil
}

// expressionGet reads the rows of VALUES. Its input, when it is not the dummy row, is a correlated one.
func (d *decoder) expressionGet(o *rawOp, _ *scope) (operator.Node, error) {
	if len(o.Children) != 1 || o.Children[0] == nil || o.Children[0].Type != "LOGICAL_DUMMY_SCAN" {
		return nil, unread("VALUES over other rows")
	}
	types, err := typesOf(o.ExprTypes)
	if err != nil {
		return nil, err
	}
	var raw [][]*rawExpr
	if err := strict(orEmpty(o.Expressions), &raw); err != nil {
		return nil, unread("VALUES: %v", err)
	}
	rows := make([][]expr.Expr, len(raw))
	for i, r := range raw {
		if len(r) != len(types) {
			return nil, unread("VALUES of %d columns for %d types", len(r), len(types))
		}
		if rows[i], err = d.exprs(r, nil); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 {
		return &operator.Empty{Estimated: operator.Estimated{Rows: 0}, Result: types}, nil
	}
	return &operator.Values{Estimated: operator.Estimated{Rows: float64(len(rows))}, Rows: rows, Result: types}, nil
}
