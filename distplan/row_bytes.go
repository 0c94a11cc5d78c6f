package distplan

import "github.com/arbalest-sql/arbalest/catalog/table"

// rowBytes guesses the size of a row in memory.
func rowBytes(types []table.Type) float64 {
	var bytes float64
	for _, t := range types {
		switch t.ID {
		case table.Boolean, table.TinyInt, table.UTinyInt:
			bytes++
		case table.SmallInt, table.USmallInt:
			bytes += 2
		case table.Integer, table.UInteger, table.Float, table.Date:
			bytes += 4
		case table.HugeInt, table.UHugeInt, table.UUID, table.Interval:
			bytes += 16
		case table.Decimal:
			if t.Width > 18 {
				bytes += 16
			} else {
				bytes += 8
			}
		case table.Varchar, table.Blob, table.Bit, table.BigNum:
			bytes += 24
		case table.List, table.Array, table.Struct, table.Map, table.Union:
			bytes += 64
		default:
			bytes += 8
		}
	}
	return bytes
}
