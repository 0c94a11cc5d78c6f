package sniff

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

var _ driver.Sniffer = (*Sniffer)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *Sniffer {
	t.Helper()
	s, err := New([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSniff holds columns, types and options, and that the file read with the options gives its rows.
func TestSniff(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, c := range []struct {
		name    string
		format  table.Format
		files   []string
		columns string
		rows    string
	}{
		{"commas", table.CSV, []string{"a,b,c\n1,x,2020-01-01\n2,\"y,z\",2020-01-02\n"}, "a BIGINT, b VARCHAR, c DATE", "1|x|2020-01-01;2|y,z|2020-01-02"},
		{"late quotes", table.CSV, []string{"name,n\nfoo,1\n\"b,ar\",2\n"}, "name VARCHAR, n BIGINT", "foo|1;b,ar|2"},
		{"semicolons and dates", table.CSV, []string{"d;t\n31/12/2020;31/12/2020 10:00:00\n"}, "d DATE, t TIMESTAMP", "2020-12-31|2020-12-31 10:00:00"},
		{"no header", table.CSV, []string{"1|2.5|x\n3|4.5|y\n"}, "column0 BIGINT, column1 DOUBLE, column2 VARCHAR", "1|2.5|x;3|4.5|y"},
		{"windows lines", table.CSV, []string{"a,b\r\n1,2\r\n3,4\r\n"}, "a BIGINT, b BIGINT", "1|2;3|4"},
		{"skipped lines", table.CSV, []string{"# hi\n# ho\na,b\n1,2\n"}, "a BIGINT, b BIGINT", "1|2"},
		{"two files", table.CSV, []string{"a,b\n1,x\n", "a,b\n2,y\n"}, "a BIGINT, b VARCHAR", "1|x;2|y"},
		{"json lines", table.JSON, []string{"{\"a\":1,\"b\":{\"c\":\"2020-01-01\"}}\n{\"a\":2,\"d\":[1,2]}\n"}, `a BIGINT, b STRUCT("c" DATE), d BIGINT[]`, "1|{'c': 2020-01-01}|NULL;2|NULL|[1, 2]"},
		{"json array", table.JSON, []string{`[{"a":1,"b":"x"},{"a":2,"b":null}]`}, "a BIGINT, b VARCHAR", "1|x;2|NULL"},
		{"json of both kinds", table.JSON, []string{`[{"a":1}]`, "{\"a\":2}\n"}, "a BIGINT", "1;2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var paths []string
			for i, f := range c.files {
				paths = append(paths, write(t, dir, strings.ReplaceAll(c.name, " ", "_")+string(rune('0'+i))+"."+string(c.format), f))
			}
			columns, options, err := s.Sniff(t.Context(), c.format, paths)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, col := range columns {
				got = append(got, col.Name+" "+col.Type.SQL())
			}
			if g := strings.Join(got, ", "); g != c.columns {
				t.Errorf("columns %s, want %s", g, c.columns)
			}
			if g := read(t, s, c.format, paths, columns, options); g != c.rows {
				t.Errorf("rows %s, want %s; options %v", g, c.rows, options)
			}
		})
	}
}

// read reads the files as a worker does.
func read(t *testing.T, s *Sniffer, format table.Format, paths []string, columns []table.Column, options []table.Option) string {
	t.Helper()
	c, err := s.db.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var texts []string
	for _, col := range columns {
		texts = append(texts, table.Quote(col.Name)+"::VARCHAR")
	}
	sql := "SELECT " + strings.Join(texts, ", ") + " FROM read_" + string(format) + "(" + list(paths) + ", hive_partitioning = false"
	for _, o := range options {
		sql += ", " + o.Name + " = " + o.SQL
	}
	rows, err := c.Rows(sql+")", 1<<20)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var all []string
	for _, r := range rows {
		var vs []string
		for _, v := range r {
			if v == nil {
				vs = append(vs, "NULL")
			} else {
				vs = append(vs, *v)
			}
		}
		all = append(all, strings.Join(vs, "|"))
	}
	return strings.Join(all, ";")
}

// TestFaults holds that faults name the file, and that nothing outside of the locations can be read.
func TestFaults(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	s := open(t, dir)
	bad := write(t, dir, "bad.json", "{\"a\":1\n")
	secret := write(t, outside, "secret.csv", "a,b\n1,2\n")
	for _, p := range []string{bad, filepath.Join(dir, "gone.csv"), secret} {
		format := table.CSV
		if strings.HasSuffix(p, "json") {
			format = table.JSON
		}
		_, _, err := s.Sniff(t.Context(), format, []string{p})
		if !qerr.Is(err, qerr.IO) || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestConcurrentAndClosed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	p := write(t, dir, "a.csv", "a,b\n1,2\n")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := s.Sniff(t.Context(), table.CSV, []string{p}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Sniff(ctx, table.CSV, []string{p}); err == nil || !qerr.Is(err, qerr.Cancelled) {
		// The call may have been through before the interrupt: only another kind of error is wrong.
		if err != nil {
			t.Errorf("after cancel: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Sniff(t.Context(), table.CSV, []string{p}); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("after Close: %v", err)
	}
}
