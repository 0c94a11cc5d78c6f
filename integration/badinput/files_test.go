package badinput

import (
	"os"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
)

// Faults of files under a running server: the message names the file, in whichever mode the query runs.

func TestVanishedParquet(t *testing.T) {
	b := newBench(t)
	b.reads(t, "gone")
	if err := os.Remove(b.file("gone")); err != nil {
		t.Fatal(err)
	}
	// The catalog may have noticed already (then the table is gone) or not yet (then the file is): both name it.
	b.fails(t, "SELECT sum(h % 7) FROM gone", `gone`, codes.NotFound, codes.DataLoss)
}

func TestVanishedParquetWhileTicketWaits(t *testing.T) {
	b := newBench(t)
	info, err := b.session.SQL.Execute(t.Context(), "SELECT * FROM gone")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(b.file("gone")); err != nil {
		t.Fatal(err)
	}
	result, err := b.session.Read(t.Context(), info)
	if err == nil {
		result.Release()
		t.Fatalf("the vanished file gave %d rows", result.Rows())
	}
	b.fileFault(t, err, `gone\.parquet`)
	b.works(t)
}

func TestChangedParquetWhileTicketWaits(t *testing.T) {
	b := newBench(t)
	info, err := b.session.SQL.Execute(t.Context(), "SELECT * FROM changed")
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(b.file("changed"), later, later); err != nil {
		t.Fatal(err)
	}
	result, err := b.session.Read(t.Context(), info)
	if err == nil {
		result.Release()
		t.Fatalf("the changed file gave %d rows: rows of two versions may mix", result.Rows())
	}
	b.fileFault(t, err, `changed\.parquet`)
	b.works(t)
}

func TestCorruptParquetFooter(t *testing.T) {
	b := newBench(t)
	size := b.size(t, "corrupt")
	b.overwrite(t, "corrupt", size-200, 192)
	b.fails(t, "SELECT sum(h % 7) FROM corrupt", `corrupt\.parquet`, codes.DataLoss)
}

func TestCorruptParquetPages(t *testing.T) {
	b := newBench(t)
	b.overwrite(t, "garbled", 8, b.size(t, "garbled")/2)
	b.fails(t, "SELECT sum(h % 7) FROM garbled", `garbled\.parquet`, codes.DataLoss)
}

func TestTruncatedParquet(t *testing.T) {
	b := newBench(t)
	if err := os.Truncate(b.file("corrupt"), b.size(t, "corrupt")/2); err != nil {
		t.Fatal(err)
	}
	b.fails(t, "SELECT sum(h % 7) FROM corrupt", `corrupt\.parquet`, codes.DataLoss)
}

// reads holds that a table can be read now.
func (b *bench) reads(t *testing.T, table string) {
	t.Helper()
	if err := b.session.Exec(t.Context(), "SELECT sum(h % 7) FROM "+table); err != nil {
		t.Fatal(err)
	}
}

// fails runs a statement in every mode of distribution: each time the message names what is wrong, and the next query
// works.
func (b *bench) fails(t *testing.T, sql, message string, allowed ...codes.Code) {
	t.Helper()
	for _, mode := range []string{"auto", "always", "never"} {
		if err := b.session.Exec(t.Context(), "SET arbalest.distributed = '"+mode+"'"); err != nil {
			t.Fatal(err)
		}
		result, err := b.session.Query(t.Context(), sql)
		if err == nil {
			result.Release()
			t.Fatalf("%s: %s ran", mode, sql)
		}
		got, text := code(err)
		ok := false
		for _, c := range allowed {
			ok = ok || c == got
		}
		if !ok {
			t.Errorf("%s: status %s, want one of %v: %s", mode, got, allowed, text)
		}
		b.expect(t, err, got, message)
		b.works(t)
	}
}

// fileFault holds that an error is one of reading data.
func (b *bench) fileFault(t *testing.T, err error, message string) {
	t.Helper()
	got, text := code(err)
	switch got {
	case codes.DataLoss, codes.NotFound:
		b.expect(t, err, got, message)
	default:
		t.Errorf("status %s: %s", got, text)
	}
}

func (b *bench) size(t *testing.T, table string) int64 {
	t.Helper()
	info, err := os.Stat(b.file(table))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// overwrite puts bytes that are no Parquet over part of a file.
func (b *bench) overwrite(t *testing.T, table string, from, bytes int64) {
	t.Helper()
	file, err := os.OpenFile(b.file(table), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rubbish := make([]byte, bytes)
	for i := range rubbish {
		rubbish[i] = byte(i*7 + 13)
	}
	if _, err := file.WriteAt(rubbish, from); err != nil {
		t.Fatal(err)
	}
}
