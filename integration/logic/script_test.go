package logic

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	s, err := Parse(strings.Join([]string{
		"# prose: says nothing to us", "# cluster: 1 2", "# set: arbalest.partitions = 1", "# table: t files=2 group=5 keys=a,b", "",
		"statement ok", "CREATE TABLE t AS", "SELECT 1 AS a;", "",
		"foreach kind LEFT RIGHT", "# plan: join", "query IT rowsort", "SELECT ${kind}", "----", "1\ta b", "2\tNULL", "", "endloop",
		"skipif arbalest # not yet", "query I", "SELECT 1", "----", "1", "2", "",
		"statement error", "SELECT nope", "----", "Binder Error",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := s.Records
	if len(r) != 7 || !slices.Equal(s.Clusters, []int{1, 2}) {
		t.Fatalf("%d records, clusters %v", len(r), s.Clusters)
	}
	if r[0].Set != [2]string{"arbalest.partitions", "1"} || r[1].Layout.Files != 2 || !slices.Equal(r[1].Layout.Keys, []string{"a", "b"}) {
		t.Errorf("comments: %+v", r[:2])
	}
	if r[2].SQL != "CREATE TABLE t AS\nSELECT 1 AS a" {
		t.Errorf("statement: %q", r[2].SQL)
	}
	if r[4].SQL != "SELECT RIGHT" || r[4].Plan[0] != "join" || !slices.Equal(r[4].Wanted, []string{"1", "a b", "2", "NULL"}) || r[4].Sort != RowSort {
		t.Errorf("query: %+v", r[4])
	}
	if r[5].Skip != "not yet" || r[6].Skip != "" || r[6].Kind != StatementError || r[6].Wanted[0] != "Binder Error" {
		t.Errorf("skip and error: %+v %+v", r[5], r[6])
	}
	for _, bad := range []string{"query", "skipif arbalest", "loop i 1 2", "query II\nSELECT 1\n----\n1", "quary I", "# set: x"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}
