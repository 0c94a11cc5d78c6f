package table

// A Name is the full name of a table, as Flight SQL has it: catalog, db schema, table.
type Name struct {
	Catalog string
	Schema  string
	Table   string
}

// String prints the name with dots and without quotes, for messages.
func (n Name) String() string { return n.Catalog + "." + n.Schema + "." + n.Table }

// A Column is one column of a table or of a result.
type Column struct {
	Name string
	Type Type
}

// A Format says how a table's files are written.
type Format string

// The formats that a scan can read.
const (
	Parquet Format = "parquet"
	CSV     Format = "csv"
	JSON    Format = "json"
)

// An Option is one named argument of a reader, as SQL text ("delim", "'|'"). Drivers put what sniffing found here so that
// every worker reads the file alike.
type Option struct {
	Name string
	SQL  string
}

// A Table is one table of a snapshot.
type Table struct {
	Name    Name
	Columns []Column
	Format  Format
	// Options are the reader's arguments besides the paths, in a fixed order.
	Options []Option
	// PartitionColumns are the indices into Columns of the Hive-style directory keys; their values stand in File.Keys.
	PartitionColumns []int
	Files            []File
	// Rows is the number of rows of all files; exact when RowsExact, else an estimate from sizes.
	Rows      int64
	RowsExact bool
	// Stats is parallel to Columns; empty when nothing is known.
	Stats []ColumnStats
	// Inline holds the rows of a table that has no files (the sys tables), as SQL literals by row and column, taken
	// once at submit. Nil for tables with files.
	Inline [][]string
}

// A File is one data file, with what identifies its contents.
type File struct {
	Path string
	// Size in bytes and ModTime in Unix nanoseconds identify the version of the file that was planned; a worker that
	// finds another version fails the task with an IO error that names the file.
	Size    int64
	ModTime int64
	Rows    int64
	// RowGroups is empty for formats that cannot be cut.
	RowGroups []RowGroup
	// Keys are the values of the table's PartitionColumns for this file, as text; nil where there are none.
	// A nil entry is NULL.
	Keys []*string
	// Zones are the bounds of values by column, parallel to Table.Columns; nil where nothing is known of any.
	Zones []Zone
}

// A RowGroup is a run of rows of a Parquet file that can be read alone.
type RowGroup struct {
	FirstRow int64
	Rows     int64
	// Bytes are the compressed bytes of each column (parallel to Table.Columns; 0 for columns the file lacks).
	Bytes []int64
}

// ColumnStats is what footers tell of one column over all files.
type ColumnStats struct {
	// CompressedBytes and UncompressedBytes are summed over all row groups.
	CompressedBytes   int64
	UncompressedBytes int64
	// Nulls is the number of NULLs, -1 when not known.
	Nulls int64
	// Min and Max are bounds in DuckDB's text form, empty when not known (HasBounds false).
	Min, Max  string
	HasBounds bool
	// Distinct estimates how many different values there are, NULL aside; 0 when nothing is known.
	Distinct int64
	// Together says that equal values lie in few row groups, as where the rows are sorted by the column.
	Together bool
}

// A Split is a unit of scan input: a whole file, or a run of rows of one.
type Split struct {
	File *File
	// FirstRow and Rows cut a run out of the file; Rows < 0 means the whole file.
	FirstRow int64
	Rows     int64
	// Bytes estimates the compressed bytes of the projected columns; assignments balance by it.
	Bytes int64
}

// Whole reports whether the split is the whole file.
func (s Split) Whole() bool { return s.Rows < 0 }
