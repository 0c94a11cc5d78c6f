package footer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"os"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Footer is what one Parquet file tells of itself.
type Footer struct {
	Rows int64
	// Fingerprint is equal for files whose columns the engine reads with equal names and types.
	Fingerprint string
	// Columns are the top-level columns in the file's order.
	Columns []Column
	// Groups are the row groups; their Bytes are parallel to Columns.
	Groups []table.RowGroup
}

// A Column is what the footer tells of one top-level column, all its nested leaves together.
type Column struct {
	Name              string
	CompressedBytes   int64
	UncompressedBytes int64
	// Nulls is -1 when not known; always so for nested columns.
	Nulls int64
	// Range bounds the values; invalid when nothing is known.
	Range Range
	// Zone bounds the values of each row group.
	Zone Zone
	// Distinct estimates how many different values each row group has; those that do not tell are not counted.
	Distinct table.DistinctCount
}

// MemoryBytes estimates what the footer takes in memory.
func (f *Footer) MemoryBytes() int64 {
	bytes := int64(256)
	for _, c := range f.Columns {
		bytes += 184 + int64(len(c.Name)+len(c.Range.min.text)+len(c.Range.max.text)) + c.Zone.zone.MemoryBytes()
	}
	return bytes + int64(len(f.Groups))*(48+8*int64(len(f.Columns)))
}

// Read reads the footer of the file that was listed with this size (bytes) and modification time (Unix nanoseconds).
func Read(ctx context.Context, path string, size, modTime int64) (_ *Footer, err error) {
	if err := ctx.Err(); err != nil {
		return nil, qerr.Wrap(qerr.Cancelled, "read footer", context.Cause(ctx))
	}
	defer func() {
		// The decoder indexes and allocates by what the file says.
		if cause := recover(); cause != nil {
			err = corrupt(path, fmt.Errorf("%v", cause))
		}
	}()
	source, err := os.Open(path)
	if err != nil {
		return nil, qerr.New(qerr.IO, "cannot read %s: %v", path, err)
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return nil, qerr.New(qerr.IO, "cannot read %s: %v", path, err)
	}
	if info.Size() != size || info.ModTime().UnixNano() != modTime {
		return nil, qerr.New(qerr.IO, "file %s has changed since the query started; run the query again", path)
	}
	reader, err := file.NewParquetReader(source)
	if err != nil {
		return nil, corrupt(path, err)
	}
	f, err := summarise(reader.MetaData(), size)
	if err != nil {
		return nil, corrupt(path, err)
	}
	return f, nil
}

func corrupt(path string, err error) error {
	return qerr.New(qerr.IO, "file %s is not a sound Parquet file: %v", path, err)
}

func summarise(md *metadata.FileMetaData, size int64) (*Footer, error) {
	root := md.Schema.Root()
	f := &Footer{Fingerprint: fingerprint(md), Columns: make([]Column, root.NumFields())}
	merges := make([]rangeMerge, len(f.Columns))
	var top []int // leaf -> top-level column
	for i := range f.Columns {
		for range leaves(root.Field(i)) {
			top = append(top, i)
		}
	}
	if len(top) != md.Schema.NumColumns() {
		return nil, fmt.Errorf("%d leaf columns instead of %d", len(top), md.Schema.NumColumns())
	}
	for i := range f.Columns {
		f.Columns[i].Name = root.Field(i).Name()
		if _, nested := root.Field(i).(*schema.GroupNode); nested {
			f.Columns[i].Nulls = -1
			merges[i].unknown = true
		}
	}
	d := distincts{givesUp: givesUpDictionaries(md.GetCreatedBy())}
	for g := range md.NumRowGroups() {
		if err := f.addGroup(md.RowGroup(g), top, merges, d, size); err != nil {
			return nil, fmt.Errorf("row group %d: %w", g, err)
		}
	}
	if md.GetNumRows() != f.Rows {
		return nil, fmt.Errorf("the footer says %d rows, its row groups have %d", md.GetNumRows(), f.Rows)
	}
	var zones int64
	for i := range f.Columns {
		f.Columns[i].Range = merges[i].result()
		zones += f.Columns[i].Zone.zone.MemoryBytes()
	}
	if zones > zoneBytesMax {
		for i := range f.Columns {
			f.Columns[i].Zone.zone = f.Columns[i].Zone.zone.Coarse()
		}
	}
	return f, nil
}

func leaves(n schema.Node) int {
	group, ok := n.(*schema.GroupNode)
	if !ok {
		return 1
	}
	sum := 0
	for i := range group.NumFields() {
		sum += leaves(group.Field(i))
	}
	return sum
}

func (f *Footer) addGroup(rg *metadata.RowGroupMetaData, top []int, merges []rangeMerge, d distincts, size int64) error {
	if rg.NumColumns() != len(top) {
		return fmt.Errorf("%d columns instead of %d", rg.NumColumns(), len(top))
	}
	if rg.NumRows() < 0 || rg.NumRows() > math.MaxInt64-f.Rows {
		return fmt.Errorf("%d rows", rg.NumRows())
	}
	group := table.RowGroup{FirstRow: f.Rows, Rows: rg.NumRows(), Bytes: make([]int64, len(f.Columns))}
	f.Rows += group.Rows
	for leaf, i := range top {
		chunk, err := rg.ColumnChunk(leaf)
		if err != nil {
			return err
		}
		compressed, plain := chunk.TotalCompressedSize(), chunk.TotalUncompressedSize()
		if compressed < 0 || plain < 0 || compressed > size {
			return fmt.Errorf("column %s has %d bytes in a file of %d", f.Columns[i].Name, compressed, size)
		}
		group.Bytes[i] += compressed
		c := &f.Columns[i]
		c.CompressedBytes += compressed
		c.UncompressedBytes += plain
		c.addStatistics(chunk, group.Rows, &merges[i], d)
	}
	f.Groups = append(f.Groups, group)
	return nil
}

// addStatistics merges a row group's statistics of a column that is not nested. Any doubt makes the column unknown.
func (c *Column) addStatistics(chunk *metadata.ColumnChunkMetaData, rows int64, merge *rangeMerge, d distincts) {
	if rows == 0 || c.Nulls < 0 && merge.unknown {
		c.Zone.add(Range{}, table.NullsUnknown)
		return
	}
	var stats metadata.TypedStatistics
	set, err := chunk.StatsSet()
	if err == nil && set {
		stats, err = chunk.Statistics()
	}
	if err != nil || stats == nil {
		c.Nulls, merge.unknown = -1, true
		c.Zone.add(Range{}, table.NullsUnknown)
		return
	}
	nulls := table.NullsUnknown
	switch {
	case !stats.HasNullCount() || stats.NullCount() < 0 || stats.NullCount() > rows:
		c.Nulls = -1
	case stats.NullCount() == rows:
		nulls = table.NullsOnly
	case stats.NullCount() == 0:
		nulls = table.NullsNone
	default:
		nulls = table.NullsSome
	}
	if nulls != table.NullsUnknown && c.Nulls >= 0 {
		c.Nulls += stats.NullCount()
	}
	if nulls == table.NullsOnly {
		c.Zone.add(Range{}, nulls)
		return
	}
	r := rangeOf(stats)
	merge.add(r)
	c.Zone.add(r, nulls)
	if nulls != table.NullsUnknown {
		c.Distinct.Add(d.of(chunk, stats, r, rows-stats.NullCount()))
	}
}

// fingerprint hashes all that the engine derives names and types from: the schema, and GeoParquet's key.
func fingerprint(md *metadata.FileMetaData) string {
	h := sha256.New()
	hashNode(h, md.Schema.Root())
	if geo := md.KeyValueMetadata().FindValue("geo"); geo != nil {
		fmt.Fprintf(h, "geo %q", *geo)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func hashNode(h hash.Hash, n schema.Node) {
	fmt.Fprintf(h, "%q %v %v %v", n.Name(), n.RepetitionType(), n.LogicalType(), n.ConvertedType())
	switch n := n.(type) {
	case *schema.PrimitiveNode:
		fmt.Fprintf(h, " %v %d %v\n", n.PhysicalType(), n.TypeLength(), n.DecimalMetadata())
	case *schema.GroupNode:
		fmt.Fprintf(h, " %d\n", n.NumFields())
		for i := range n.NumFields() {
			hashNode(h, n.Field(i))
		}
	}
}
