package plaindb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/duck/minidb"
)

func open(t *testing.T) *DB {
	t.Helper()
	d, err := Open(256 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestQueryGivesClientTypes(t *testing.T) {
	d := open(t)
	if err := d.Exec("CREATE TABLE t(a INTEGER, b UUID); INSERT INTO t VALUES (2, '00000000-0000-0000-0000-000000000001'), (1, NULL)"); err != nil {
		t.Fatal(err)
	}
	r, err := d.Query(t.Context(), "SELECT a, b, sum(a) OVER () AS s, 'x'::ENUM('x', 'y') AS e FROM t ORDER BY a", 10)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var types []string
	for _, f := range r.Schema.Fields() {
		types = append(types, f.Type.String())
	}
	if got := len(types); got != 4 || types[1] != "utf8" || types[2] != "decimal(38, 0)" || types[3] != "utf8" {
		t.Errorf("types %v", types)
	}
	if b := r.Batches[0]; b.Column(0).ValueStr(0) != "1" || !b.Column(1).IsNull(0) || b.Column(1).ValueStr(1) != "00000000-0000-0000-0000-000000000001" {
		t.Errorf("rows %v", b)
	}
}

func TestQueryEnds(t *testing.T) {
	d := open(t)
	if _, err := d.Query(t.Context(), "SELECT * FROM range(11)", 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many rows: %v", err)
	}
	var fault *minidb.Fault
	if _, err := d.Query(t.Context(), "SELECT nope", 10); !errors.As(err, &fault) || fault.Type != "binder" {
		t.Errorf("a wrong statement: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.Query(ctx, "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 3", 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past its time: %v", err)
	}
	r, err := d.Query(t.Context(), "SELECT 1", 10)
	if err != nil || r.Rows != 1 {
		t.Errorf("afterwards: %v %v", r, err)
	}
	r.Release()
}
