package frontend

import (
	"fmt"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

func show(cols []table.Column) string {
	var all []string
	for _, c := range cols {
		all = append(all, c.Name+" "+c.Type.SQL())
	}
	return strings.Join(all, ", ")
}

func TestDescribe(t *testing.T) {
	f := front(t)
	for _, c := range []struct {
		sql, columns, params string
		update               bool
	}{
		{"SELECT a, b AS x FROM t", "a INTEGER, x VARCHAR", "", false},
		{"SELECT * FROM nation", "n_nationkey BIGINT, n_name VARCHAR, n_regionkey BIGINT, n_comment VARCHAR", "", false},
		{"SELECT a FROM t WHERE a = ?", "a INTEGER", "1 INTEGER", false},
		{"SELECT a FROM t WHERE a > $2 AND b LIKE $1", "a INTEGER", "1 VARCHAR, 2 INTEGER", false},
		{"SELECT a FROM t WHERE d > $low AND dt < $high", "a INTEGER", "low DECIMAL(10,2), high DATE", false},
		{"SELECT ? AS x", "x VARCHAR", "1 VARCHAR", false},
		{"SELECT ? + 1 AS x, ? AS y", "x BIGINT, y VARCHAR", "1 BIGINT, 2 VARCHAR", false},
		{"SELECT ?, a, ? AS q FROM t", "$1 VARCHAR, a INTEGER, q VARCHAR", "1 VARCHAR, 2 VARCHAR", false},
		{"SELECT ? || 'x' AS x", "x VARCHAR", "1 VARCHAR", false},
		{"SELECT ? + ? AS x", "x BIGINT", "1 BIGINT, 2 BIGINT", false},
		{"SELECT a FROM t LIMIT ?", "a INTEGER", "1 BIGINT", false},
		{"SELECT sum(d) AS s FROM t WHERE e = ?", "s DECIMAL(38,2)", "1 ENUM('p', 'q', 'r')", false},
		{"EXPLAIN SELECT a FROM t WHERE a = ?", "explain_key VARCHAR, explain_value VARCHAR", "1 INTEGER", false},
		{"SET arbalest.partitions = 3", "", "", true},
		{"SELECT current_user, current_setting('arbalest.spill') AS s, a FROM t WHERE a = ?", "current_user VARCHAR, s VARCHAR, a INTEGER", "1 INTEGER", false},
		{"KILL 'q'", "query_id VARCHAR, state VARCHAR", "", false},
		{"BEGIN", "", "", true},
		{"SHOW TABLES", "name VARCHAR", "", false},
		{"SELECT name FROM sys.settings WHERE name = ?", "name VARCHAR", "1 VARCHAR", false},
		{"SELECT table_name FROM information_schema.tables", "table_name VARCHAR", "", false},
	} {
		d, err := f.Describe(t.Context(), request(t, c.sql))
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		got := fmt.Sprint(show(d.Columns), "; ", show(d.Params), "; ", d.IsUpdate)
		if want := fmt.Sprint(c.columns, "; ", c.params, "; ", c.update); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.sql, got, want)
		}
	}
}
