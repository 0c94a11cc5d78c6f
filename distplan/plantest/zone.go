package plantest

import (
	"fmt"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// A Zone says how the values of a column lie: row group k of the table, counted over all files, has those from
// First + k × Step to First + k × Step + Width - 1, as table.Value counts them; texts are such numbers in eight digits.
type Zone struct {
	Column             string
	First, Step, Width int64
	Nulls              table.NullState
}

// Lay adds the bounds of a zone to a table made by Table.
func Lay(t *table.Table, z Zone) error {
	column := -1
	for i, c := range t.Columns {
		if c.Name == z.Column {
			column = i
		}
	}
	if column < 0 {
		return fmt.Errorf("table %s has no column %s", t.Name.Table, z.Column)
	}
	text := t.Columns[column].Type.ID == table.Varchar
	value := func(n int64) table.Value {
		if text {
			return table.Value{Text: fmt.Sprintf("%08d", n)}
		}
		return table.Value{Number: n}
	}
	k := int64(0)
	for i := range t.Files {
		f := &t.Files[i]
		if f.Zones == nil {
			f.Zones = make([]table.Zone, len(t.Columns))
		}
		f.Zones[column] = table.Zone{}
		for range f.Units() {
			low := z.First + k*z.Step
			b := table.Bounds{Min: value(low), Max: value(low + z.Width - 1), Known: z.Width > 0, Nulls: z.Nulls}
			f.Zones[column].Add(b, text)
			k++
		}
	}
	return nil
}
