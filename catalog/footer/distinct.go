package footer

import (
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

const (
	// pageHeaderBytes is about what a page's header takes before its values.
	pageHeaderBytes = 16
	// dictionaryBytesMax is where writers give a dictionary up, if they go by its size: Arrow's and parquet-mr's default
	// of 1 MiB, less what an estimate of the size may miss.
	dictionaryBytesMax = 900 << 10
	// lengthBytes stand before each text in a dictionary page.
	lengthBytes = 4
	// givenUpShare is the least share of different values in a row group whose dictionary DuckDB gave up: a fifth, by its
	// source of 1.2 to 1.5 and by trial.
	givenUpShare = 0.2
)

// distincts estimates how many different values row groups of one file have. It is for costs only and need not be right.
type distincts struct {
	// givesUp says that the file's writer leaves a dictionary out only where values repeat too little.
	givesUp bool
}

// givesUpDictionaries reports whether the writer is DuckDB since version 1.2, which makes dictionaries of all types that
// can have bounds here.
func givesUpDictionaries(createdBy string) bool {
	var major, minor int
	at := strings.Index(createdBy, "DuckDB version v")
	if at < 0 {
		return false
	}
	if _, err := fmt.Sscanf(createdBy[at:], "DuckDB version v%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 1 || major == 1 && minor >= 2
}

// of counts the values of a row group with some rows that are not NULL; r bounds them. In this order:
//   - the number that the writer counted;
//   - that of the dictionary's entries, by the bytes between its page and the next, which compress as the chunk does;
//   - where a dictionary was given up, all rows, but at least what the dictionary had: for numbers, whose bounds then say
//     how far that can be wrong. Texts without bounds of use have the least number that makes a writer give up.
func (d distincts) of(chunk *metadata.ColumnChunkMetaData, stats metadata.TypedStatistics, r Range, rows int64) table.DistinctCount {
	if rows <= 0 {
		return table.DistinctCount{}
	}
	values, gaveUp := int64(0), false
	switch {
	case stats.HasDistinctCount() && stats.DistinctCount() > 0:
		values = stats.DistinctCount()
	case chunk.HasDictionaryPage():
		values, gaveUp = entries(chunk, stats)
	case d.givesUp && r.Valid() && r.min.kind != boolean:
		values, gaveUp = int64(givenUpShare*float64(rows)), true
	}
	span := math.Inf(1)
	if r.Valid() && r.min.kind != text && r.min.kind != boolean {
		span = float64(r.max.number) - float64(r.min.number) + 1
		if gaveUp {
			values = rows
		}
	}
	if values <= 0 {
		return table.DistinctCount{}
	}
	values = max(1, int64(min(float64(values), float64(rows), max(span, 1))))
	return table.DistinctCount{Groups: 1, Rows: rows, Values: values}
}

// entries estimates how many entries the dictionary of a chunk has, 0 when nothing tells, and whether values that came later
// are not in it.
func entries(chunk *metadata.ColumnChunkMetaData, stats metadata.TypedStatistics) (values int64, more bool) {
	compressed, plain := chunk.TotalCompressedSize(), chunk.TotalUncompressedSize()
	page := chunk.DataPageOffset() - chunk.DictionaryPageOffset() - pageHeaderBytes
	if page <= 0 || compressed <= 0 || page > compressed {
		return 0, false
	}
	bytes := float64(page) * max(1, float64(plain)/float64(compressed))
	var width float64
	switch chunk.Type() {
	case parquet.Types.Int32, parquet.Types.Float:
		width = 4
	case parquet.Types.Int64, parquet.Types.Double:
		width = 8
	case parquet.Types.FixedLenByteArray:
		width = float64(stats.Descr().TypeLength())
	case parquet.Types.ByteArray:
		if !stats.HasMinMax() {
			return 0, false
		}
		width = lengthBytes + float64(len(stats.EncodeMin())+len(stats.EncodeMax()))/2
	default:
		return 0, false
	}
	return int64(bytes / max(width, 1)), bytes >= dictionaryBytesMax
}
