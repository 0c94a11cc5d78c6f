package dirdriver

import (
	"context"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/arbalest-sql/arbalest/catalog/footer"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// load reads what planning needs of a table whose files were listed.
func (d *Driver) load(ctx context.Context, name table.Name, sources []source) (*table.Table, error) {
	t := &table.Table{Name: name, Format: sources[0].format}
	var err error
	if t.Format == table.Parquet {
		err = d.loadParquet(ctx, t, sources)
	} else {
		err = d.loadText(ctx, t, sources)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (d *Driver) loadParquet(ctx context.Context, t *table.Table, sources []source) error {
	footers, err := d.readFooters(ctx, sources)
	if err != nil {
		return err
	}
	u, err := d.unite(ctx, sources, footers)
	if err != nil {
		return err
	}
	t.Columns = u.columns
	if u.byName {
		t.Options = append(t.Options, table.Option{Name: "union_by_name", SQL: "true"})
	}
	addKeys(t, sources)
	t.RowsExact = true
	t.Files = make([]table.File, len(sources))
	totals := make([]columnTotal, len(t.Columns))
	for i, s := range sources {
		f, positions := footers[i], u.positions[footers[i].Fingerprint]
		t.Rows += f.Rows
		t.Files[i] = table.File{Path: s.path, Size: s.size, ModTime: s.modTime, Rows: f.Rows, Keys: keyValues(s)}
		t.Files[i].RowGroups = placeGroups(f.Groups, positions, len(t.Columns))
		t.Files[i].Zones = placeZones(t, f, positions, t.Files[i].Keys)
		addTotals(totals, f, positions)
	}
	t.Stats = make([]table.ColumnStats, len(totals))
	for i := range totals {
		t.Stats[i] = totals[i].stats()
		t.Stats[i].Distinct, t.Stats[i].Together = table.Distinct(totals[i].distinct, t.Rows-totals[i].nulls, t.Files, i)
	}
	for k, column := range t.PartitionColumns {
		t.Stats[column] = keyStats(t.Files, k)
	}
	return nil
}

func (d *Driver) readFooters(ctx context.Context, sources []source) ([]*footer.Footer, error) {
	footers := make([]*footer.Footer, len(sources))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(d.config.Concurrency)
	for i, s := range sources {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() (err error) {
			footers[i], err = d.footers.Get(ctx, fileKey{s.path, s.size, s.modTime}, func(ctx context.Context) (*footer.Footer, error) {
				return footer.Read(ctx, s.path, s.size, s.modTime)
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, qerr.Wrap(qerr.IO, "", err)
	}
	if ctx.Err() != nil && slices.Contains(footers, nil) {
		return nil, qerr.Wrap(qerr.Cancelled, "", context.Cause(ctx))
	}
	return footers, nil
}

// placeGroups moves each column's bytes from its place in the file to its place in the table. Files as wide as the table
// and in its order share the footer's memory.
func placeGroups(groups []table.RowGroup, positions []int, columns int) []table.RowGroup {
	inOrder := len(positions) == columns
	for i, p := range positions {
		inOrder = inOrder && i == p
	}
	if inOrder {
		return groups
	}
	placed := make([]table.RowGroup, len(groups))
	for g, group := range groups {
		placed[g] = table.RowGroup{FirstRow: group.FirstRow, Rows: group.Rows, Bytes: make([]int64, columns)}
		for i, p := range positions {
			placed[g].Bytes[p] = group.Bytes[i]
		}
	}
	return placed
}

// placeZones gives the table's columns what the file's footer knows of them. All values of a partition column are its
// file's key, whatever the file itself has under that name; of a column that the file lacks all are NULL.
func placeZones(t *table.Table, f *footer.Footer, positions []int, keys []*string) []table.Zone {
	zones := make([]table.Zone, len(t.Columns))
	has := make([]bool, len(zones))
	for i, p := range positions {
		has[p] = true
		if z, ok := f.Columns[i].Zone.As(t.Columns[p].Type); ok {
			zones[p] = z
		}
	}
	for c := range zones {
		if !has[c] {
			zones[c].Add(table.Bounds{Nulls: table.NullsOnly}, false)
		}
	}
	for k, c := range t.PartitionColumns {
		zones[c] = keyZone(keys[k], t.Columns[c].Type)
	}
	return zones
}

// keyZone is what a directory's key says of its column.
func keyZone(key *string, t table.Type) table.Zone {
	var z table.Zone
	if key == nil {
		z.Add(table.Bounds{Nulls: table.NullsOnly}, false)
		return z
	}
	if v, ok := table.ParseValue(*key, t); ok {
		z.Add(table.Bounds{Min: v, Max: v, Known: true, Nulls: table.NullsNone}, t.ID == table.Varchar)
	}
	return z
}

// loadText loads a CSV or JSON table. Rows are estimates.
func (d *Driver) loadText(ctx context.Context, t *table.Table, sources []source) error {
	paths := make([]string, len(sources))
	for i, s := range sources {
		paths[i] = s.path
	}
	columns, options, err := d.config.Sniffer.Sniff(ctx, t.Format, paths)
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		return qerr.New(qerr.User, "no columns were found in %s", strings.Join(paths[:min(3, len(paths))], ", "))
	}
	t.Columns = slices.Clone(columns)
	for _, o := range options {
		if !strings.HasPrefix(o.Name, "hive_") {
			t.Options = append(t.Options, o)
		}
	}
	addKeys(t, sources)
	bytesPerRow, err := estimateRow(sources)
	if err != nil {
		return err
	}
	for _, s := range sources {
		// What was sniffed must be what was listed.
		info, err := os.Stat(s.path)
		if err != nil {
			return qerr.New(qerr.IO, "cannot read %s: %v", s.path, err)
		}
		if info.Size() != s.size || info.ModTime().UnixNano() != s.modTime {
			return qerr.New(qerr.IO, "file %s has changed since the query started; run the query again", s.path)
		}
		f := table.File{Path: s.path, Size: s.size, ModTime: s.modTime, Rows: int64(float64(s.size) / bytesPerRow), Keys: keyValues(s)}
		if len(t.PartitionColumns) > 0 {
			f.Zones = make([]table.Zone, len(t.Columns))
			for k, c := range t.PartitionColumns {
				f.Zones[c] = keyZone(f.Keys[k], t.Columns[c].Type)
			}
		}
		t.Rows += f.Rows
		t.Files = append(t.Files, f)
	}
	return nil
}

// addKeys adds the columns of the keys. A key that is also a column of the files takes that column's place, as in DuckDB's
// readers. The reader itself is told to leave directory names alone: it would also take k=v directories above the table for
// keys; the values stand in File.Keys.
func addKeys(t *table.Table, sources []source) {
	t.Options = append(t.Options, table.Option{Name: "hive_partitioning", SQL: "false"})
	t.Columns = slices.Clone(t.Columns)
	for k, key := range sources[0].keys {
		values := make([]hiveKey, len(sources))
		for i, s := range sources {
			values[i] = s.keys[k]
		}
		at := find(t.Columns, key.name)
		if at < 0 {
			at = len(t.Columns)
			t.Columns = append(t.Columns, table.Column{Name: key.name})
		}
		t.Columns[at].Type = keyTypeOf(values)
		t.PartitionColumns = append(t.PartitionColumns, at)
	}
}

func keyValues(s source) []*string {
	if len(s.keys) == 0 {
		return nil
	}
	values := make([]*string, len(s.keys))
	for k, key := range s.keys {
		values[k] = key.value()
	}
	return values
}
