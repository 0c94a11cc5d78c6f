package frontend

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// uncast are the types whose literals have the same type in every row; others are cast one by one, as DuckDB gives the column of a
// VALUES the one type that all its rows fit.
var uncast = map[table.TypeID]bool{table.Boolean: true, table.Varchar: true, table.TinyInt: true, table.SmallInt: true, table.Integer: true, table.BigInt: true}

// Values prints rows of a batch, beginning with row from, as VALUES of the types that arrowtype gives its columns. It ends after the row
// that makes the text longer than bytesMax; next is the first row that is left.
func Values(batch arrow.RecordBatch, types []table.Type, from int64, bytesMax int) (sql string, next int64, err error) {
	var b strings.Builder
	b.WriteString("VALUES ")
	for next = from; next < batch.NumRows() && b.Len() < bytesMax; next++ {
		if next > from {
			b.WriteString(", ")
		}
		b.WriteString("(")
		for i, t := range types {
			literal, err := arrowLiteral(batch.Column(i), int(next), t)
			if err != nil {
				return "", 0, qerr.Wrap(qerr.User, "column "+batch.ColumnName(i), err)
			}
			if i > 0 {
				b.WriteString(", ")
			}
			if uncast[t.ID] || literal == "NULL" {
				b.WriteString(literal)
				continue
			}
			b.WriteString("CAST(" + literal + " AS " + t.SQL() + ")")
		}
		b.WriteString(")")
	}
	return b.String(), next, nil
}
