package exchange

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sys/unix"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// TestAnOutputMovesToDisk puts batches from several goroutines while the budget runs out in the middle.
func TestAnOutputMovesToDisk(t *testing.T) {
	const partitions, each = 5, 40
	mem := memory.NewGoAllocator() // the checked one's figures are for one goroutine
	s := open(t, Config{BytesMax: 50 * 100, SpillBytesMax: 1 << 30})
	w, err := s.Begin(task(1), schema, partitions, false)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range each {
				v := int64(g*each + i)
				if err := w.Put(int(v%partitions), numbers(mem, v, -v), 100); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if rows, bytes := w.Written(); rows != 4*each*2 || bytes != 4*each*100 {
		t.Errorf("written are %d rows and %d bytes", rows, bytes)
	}
	stats, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	u := s.Usage()
	if u.Bytes != 0 || u.SpillFiles != 1 || u.SpillBytes != int64(stats.SpillBytes) || stats.SpillBytes == 0 || stats.Bytes != 4*each*100 || stats.Rows != 4*each*2 {
		t.Errorf("usage %+v, stats %+v", u, stats)
	}
	info, err := os.Stat(filepath.Join(s.dir.Path(), "qq-0-1-1.spool"))
	if err != nil || info.Size() != u.SpillBytes {
		t.Errorf("the file: %v, %v", info, err)
	}
	for p := range partitions {
		for range 2 { // it can be read again
			r, err := s.Open(task(1), []uint32{uint32(p)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(t, r)
			if err != nil {
				t.Fatal(err)
			}
			var want []int64
			for v := int64(0); v < 4*each; v++ {
				if v%partitions == int64(p) {
					want = append(want, v, -v)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) || stats.PartitionRows[p] != uint64(len(want)) || stats.PartitionBytes[p] != uint64(len(want)/2*100) {
				t.Fatalf("partition %d has %v; %v", p, got, stats)
			}
		}
	}
	s.Drop(task(1))
}

func TestAbortsAndCommitsLeaveNothing(t *testing.T) {
	mem := checked(t)
	s := open(t, Config{BytesMax: 100, SpillBytesMax: 1 << 20})
	for _, bytes := range []int64{1, 60} {
		w, err := write(t, s, task(1), mem, bytes, false, 1, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		w.Abort()
		w.Abort()
	}
	put(t, s, task(1), mem, 1, true, 1)
	// The same attempt again: refused, and the first stays.
	w, err := write(t, s, task(1), mem, 1, false, 2)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Commit()
	wantKind(t, err, qerr.Internal)
	wantKind(t, w.Put(0, numbers(mem, 1), 1), qerr.Internal)
	r, err := s.Open(task(1), []uint32{0})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := read(t, r); err != nil || v[0] != 1 {
		t.Error(v, err)
	}
	s.Drop(task(1))
}

func TestNamesOfFiles(t *testing.T) {
	seen := map[string]string{}
	for _, query := range []ids.QueryID{"q", "../../etc/passwd", "..", "a/b", "a%2Fb", "", ids.QueryID(strings.Repeat("x", 4096)), "q\x00"} {
		key := ids.TaskKey{Query: query, Stage: 1, Task: 2, Attempt: 3}
		name := fileName(key)
		if filepath.Base(name) != name || len(name) > 200 || strings.ContainsRune(name, 0) || !strings.HasSuffix(name, "-1-2-3") {
			t.Errorf("%.30q gives %q", query, name)
		}
		if other, twice := seen[name]; twice {
			t.Errorf("%q and %q have one name", query, other)
		}
		seen[name] = string(query)
	}
}

func TestTheDiskBudget(t *testing.T) {
	mem := checked(t)
	s := open(t, Config{BytesMax: 10, SpillBytesMax: 4000, SpillQueryBytesMax: 2000})
	_, err := write(t, s, task(1), mem, 11, false, 1, 2, 3, 4, 5, 6, 7, 8)
	wantKind(t, err, qerr.Resource, "spill space of one query")
	put(t, s, task(1), mem, 11, false, 1)
	// A fetch has the same budget.
	open := func(context.Context) (flightx.Reader, error) {
		return flightx.Batches(schema, numbers(mem, make([]int64, 1000)...)), nil
	}
	_, err = Fetch(context.Background(), s, Request{Query: "q", Sources: []Source{{Schema: schema, Producers: []Producer{{Open: open}}}}})
	wantKind(t, err, qerr.Resource, "spill space")
	s.Drop(task(1))
}

// inChild marks the process that TestAFullDisk starts.
const inChild = "ARBALEST_TEST_FULL_DISK"

// TestAFullDisk lets the system refuse to write: a limit on the size of files stands for a full disk, as it needs no mount. The
// limit is a process's, so it is set in one that writes nothing else.
func TestAFullDisk(t *testing.T) {
	if os.Getenv(inChild) == "" {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAFullDisk$", "-test.v")
		child.Env = append(os.Environ(), inChild+"=1")
		if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestAFullDisk") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(unix.SIGXFSZ) // so that write fails
	defer signal.Reset(unix.SIGXFSZ)
	limited := func(bytes uint64, f func()) {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
				t.Fatal(err)
			}
		}()
		f()
	}
	mem := checked(t)
	s := open(t, Config{BytesMax: 10, SpillBytesMax: 1 << 30})
	limited(2000, func() {
		_, err := write(t, s, task(1), mem, 1, true, 1, 2, 3, 4, 5, 6, 7, 8)
		wantKind(t, err, qerr.Resource, "full", task(1).String())
	})
	// Full when the index is written.
	w, err := write(t, s, task(1), mem, 1, true, 1)
	if err != nil {
		t.Fatal(err)
	}
	limited(uint64(w.spool.size), func() {
		_, err := w.Commit()
		wantKind(t, err, qerr.Resource, "full")
	})
	limited(4096, func() {
		_, err := Fetch(context.Background(), s, Request{Query: "q", Sources: []Source{{Name: "exchange_3", Schema: schema, Producers: []Producer{{
			Open: func(context.Context) (flightx.Reader, error) {
				return flightx.Batches(schema, numbers(mem, make([]int64, 1000)...)), nil
			}}}}}})
		wantKind(t, err, qerr.Resource, "full", "exchange_3")
	})
	// And the store is as good as before.
	put(t, s, task(1), mem, 1, true, 1)
	s.Drop(task(1))
}

// TestADamagedSpoolIsNoticed flips every byte of a spool, and cuts it at every length: whatever is read without an error is
// what was written.
func TestADamagedSpoolIsNoticed(t *testing.T) {
	mem := checked(t)
	s := open(t, Config{BytesMax: 10, SpillBytesMax: 1 << 20})
	put(t, s, task(1), mem, 1, true, 1, 2, 3)
	defer s.Drop(task(1))
	path := filepath.Join(s.dir.Path(), fileName(task(1))+spoolSuffix)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(bytes []byte) (got []int64, err error) {
		if err := os.WriteFile(path, bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := s.Open(task(1), []uint32{0, 1, 2})
		if err != nil {
			return nil, err
		}
		return read(t, r)
	}
	inPartition := map[string]int{}
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 1 << (i % 8)
		_, err := try(bad)
		wantKind(t, err, qerr.IO, "spilled output of task q/0/1#1 is damaged")
		for p := range 3 {
			if strings.Contains(err.Error(), fmt.Sprintf("in partition %d", p)) {
				inPartition[fmt.Sprint(p)]++
			}
		}
	}
	if len(inPartition) != 3 {
		t.Errorf("errors name the partitions %v", inPartition)
	}
	for n := range good {
		_, err := try(good[:n])
		wantKind(t, err, qerr.IO, "damaged")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = s.Open(task(1), []uint32{0})
	wantKind(t, err, qerr.IO, "damaged")
	if got, err := try(good); err != nil || !slices.Equal(got, []int64{1, 2, 3}) {
		t.Error(got, err)
	}

	// To a consumer it is the producer's fault.
	bad := slices.Clone(good)
	bad[10] ^= 1
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Fetch(context.Background(), s, Request{Sources: []Source{{Schema: schema, Producers: []Producer{{Key: task(1), Worker: "w1",
		Open: func(context.Context) (flightx.Reader, error) { return s.Open(task(1), []uint32{0, 1, 2}) }}}}}})
	wantKind(t, err, qerr.FetchFailed, "partition 0")
	var e *qerr.Error
	if !errors.As(err, &e) || e.Producer != task(1) || e.Worker != "w1" {
		t.Errorf("the error does not name the producer: %#v", err)
	}
}

func TestADirtyDirectoryIsCleaned(t *testing.T) {
	parent := t.TempDir()
	living := open(t, Config{SpillBytesMax: 1, SpillDir: filepath.Join(parent, "a")})
	// What a process leaves that was killed: a directory with files, and no lock.
	dead := filepath.Join(parent, "b", "arbalest-exchange-123")
	if err := os.MkdirAll(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"qx-0-0-1.spool", "qx-0-1-1.spool.tmp", "input-1.tmp"} {
		if err := os.WriteFile(filepath.Join(dead, name), []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Config{SpillBytesMax: 1, SpillDir: filepath.Join(parent, "b")})
	if got := files(t, filepath.Join(parent, "b")); len(got) != 1 || filepath.Join(parent, "b", got[0]) != s.dir.Path() {
		t.Errorf("left are %v", got)
	}
	if _, err := os.Stat(living.dir.Path()); err != nil {
		t.Error(err)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add(index{{{offset: 0, length: 10, rows: 1, sum: 7}}, nil, {{offset: 10, length: 2}, {offset: 12}}}.encode())
	f.Add(index{}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < tailBytes {
			return
		}
		_, sum, err := tailOf(b[len(b)-tailBytes:], int64(len(b)))
		if err != nil {
			sum = 0
		}
		body := b[:len(b)-tailBytes]
		x, err := decodeIndex(body, sum, 1<<40)
		if err != nil {
			return
		}
		again := x.encode()
		if string(again[:len(again)-tailBytes]) != string(body) {
			t.Errorf("%x is read as %v", body, x)
		}
	})
}
