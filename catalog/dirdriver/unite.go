package dirdriver

import (
	"context"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/footer"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A union is the columns of a table whose Parquet files may differ.
type union struct {
	columns []table.Column
	// byName says that the reader must unite the files' columns itself.
	byName bool
	// positions tell by schema fingerprint where each column of a file stands among columns.
	positions map[string][]int
}

// A variant is one of the distinct schemas of a table's files.
type variant struct {
	fingerprint string
	file        string // the first file that has it
	columns     []table.Column
}

// unite asks the engine for the columns of every distinct schema, and, only when they differ in more than order, for
// their union by name.
func (d *Driver) unite(ctx context.Context, sources []source, footers []*footer.Footer) (*union, error) {
	var variants []variant
	seen := map[string]bool{}
	for i, f := range footers {
		if seen[f.Fingerprint] {
			continue
		}
		seen[f.Fingerprint] = true
		columns, err := d.sniffColumns(ctx, f.Fingerprint, sources[i].path)
		if err != nil {
			return nil, qerr.Wrap(qerr.IO, "", err)
		}
		if len(columns) != len(f.Columns) {
			return nil, qerr.New(qerr.Internal, "the engine reads %d columns of %s, its footer has %d", len(columns), sources[i].path, len(f.Columns))
		}
		variants = append(variants, variant{f.Fingerprint, sources[i].path, columns})
	}
	u := &union{columns: variants[0].columns, positions: map[string][]int{}}
	if slices.ContainsFunc(variants, func(v variant) bool { return !sameByName(v.columns, u.columns) }) {
		files := make([]string, len(variants))
		for i, v := range variants {
			files[i] = v.file
		}
		columns, _, err := d.config.Sniffer.Sniff(ctx, table.Parquet, files)
		if err != nil {
			return nil, qerr.Wrap(qerr.IO, "unite files by name", err)
		}
		u.columns, u.byName = columns, true
	}
	for _, v := range variants {
		positions, err := u.place(v, variants)
		if err != nil {
			return nil, err
		}
		u.positions[v.fingerprint] = positions
	}
	return u, nil
}

func find(columns []table.Column, name string) int {
	return slices.IndexFunc(columns, func(c table.Column) bool { return table.Fold(c.Name) == table.Fold(name) })
}

func sameByName(a, b []table.Column) bool {
	if len(a) != len(b) {
		return false
	}
	for _, c := range a {
		if i := find(b, c.Name); i < 0 || !b[i].Type.Equal(c.Type) {
			return false
		}
	}
	return true
}

func (u *union) place(v variant, variants []variant) ([]int, error) {
	positions := make([]int, len(v.columns))
	for i, c := range v.columns {
		p := find(u.columns, c.Name)
		if p < 0 {
			return nil, qerr.New(qerr.Internal, "the union of the files has no column %s, which %s has", c.Name, v.file)
		}
		if !widens(c.Type, u.columns[p].Type) {
			other := differing(c, variants)
			return nil, qerr.New(qerr.User, "column %s is %s in %s and %s in %s; files of one table need the same type or types that widen",
				c.Name, c.Type.SQL(), v.file, other.columns[find(other.columns, c.Name)].Type.SQL(), other.file)
		}
		positions[i] = p
	}
	return positions, nil
}

// differing finds a schema in which the column has another type.
func differing(c table.Column, variants []variant) variant {
	for _, v := range variants {
		if i := find(v.columns, c.Name); i >= 0 && !v.columns[i].Type.Equal(c.Type) {
			return v
		}
	}
	return variants[0]
}

var (
	numbers = []table.TypeID{table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.HugeInt, table.UTinyInt, table.USmallInt,
		table.UInteger, table.UBigInt, table.UHugeInt, table.Float, table.Double, table.Decimal}
	// Without those with a time zone: uniting them with the others would depend on the session's.
	dates = []table.TypeID{table.Date, table.Timestamp, table.TimestampS, table.TimestampMS, table.TimestampNS}
)

// widens reports whether values of a file's type keep their nature in the union's type. The engine itself would go further
// and turn everything that differs into text.
func widens(from, to table.Type) bool {
	switch {
	case from.Equal(to), from.ID == table.Null:
		return true
	case slices.Contains(numbers, from.ID):
		return slices.Contains(numbers, to.ID)
	case slices.Contains(dates, from.ID):
		return slices.Contains(dates, to.ID) && to.ID != table.Date
	case from.ID == table.Varchar:
		return to.ID == table.Varchar
	case from.ID != to.ID:
		return false
	case from.ID == table.Struct:
		for _, f := range from.Fields {
			i := slices.IndexFunc(to.Fields, func(o table.Field) bool { return table.Fold(o.Name) == table.Fold(f.Name) })
			if i < 0 || !widens(f.Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	case from.ID == table.List, from.ID == table.Map, from.ID == table.Array && from.Size == to.Size:
		for i := range from.Fields {
			if !widens(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return false
}
