package testcluster

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// WriteParquet writes a batch to a file, cut into row groups of the given rows. It makes the directories of the path and
// takes over the caller's reference to the batch.
func WriteParquet(t testing.TB, path string, batch arrow.RecordBatch, rowGroupRows int64) {
	t.Helper()
	defer batch.Release()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("write %s: %v", path, err)
		}
	}
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	file, err := os.Create(path)
	must(err)
	w, err := pqarrow.NewFileWriter(batch.Schema(), file, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(rowGroupRows)),
		pqarrow.DefaultWriterProps())
	must(err)
	must(w.Write(batch))
	must(w.Close()) // closes the file too
}
