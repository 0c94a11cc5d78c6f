package frontend

import (
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

var writeColumns = []table.Column{{Name: "a", Type: table.Of(table.Integer)}, {Name: "B c", Type: table.Of(table.Varchar)}}

// TestWrites holds which query each write becomes. given is how many columns the query of an INSERT has.
func TestWrites(t *testing.T) {
	f := front(t)
	for _, c := range []struct{ sql, want string }{
		{"CREATE TEMP TABLE t AS WITH x AS (SELECT 1) SELECT * FROM x;", "WITH x AS (SELECT 1) SELECT * FROM x"},
		{"create or replace temporary table \"t\" as select now()::timestamp with time zone", "select now()::timestamp with time zone"},
		{"INSERT INTO t VALUES (1, ')'), (?, f(1, ?))",
			"VALUES (CAST(1 AS INTEGER), CAST(')' AS VARCHAR)), (CAST($1 AS INTEGER), CAST(f(1, $2) AS VARCHAR))"},
		{`INSERT INTO t ("b C", a) VALUES ($$it's ; ($$, E'\\'')')`, `VALUES (CAST(E'\\'')' AS INTEGER), CAST($$it's ; ($$ AS VARCHAR))`},
		{"INSERT INTO t (a) VALUES (DEFAULT)", "VALUES (CAST(NULL AS INTEGER), CAST(NULL AS VARCHAR))"},
		{"INSERT INTO t SELECT 1, 'x' -- all", "SELECT CAST(v.v0 AS INTEGER), CAST(v.v1 AS VARCHAR) FROM (SELECT 1, 'x') AS v(v0, v1)"},
		{"INSERT INTO t (SELECT 1, 2)", "SELECT CAST(v.v0 AS INTEGER), CAST(v.v1 AS VARCHAR) FROM ((SELECT 1, 2)) AS v(v0, v1)"},
		{"INSERT INTO t VALUES (1, 2) ORDER BY 1", "SELECT CAST(v.v0 AS INTEGER), CAST(v.v1 AS VARCHAR) FROM (VALUES (1, 2) ORDER BY 1) AS v(v0, v1)"},
		{"UPDATE t SET a = ?, \"B c\" = (SELECT 'where') WHERE a IN (1, ?)",
			`SELECT CASE WHEN (a IN (1, $2)) THEN CAST(($1) AS INTEGER) ELSE "a" END AS "a", ` +
				`CASE WHEN (a IN (1, $2)) THEN CAST(((SELECT 'where')) AS VARCHAR) ELSE "B c" END AS "B c" FROM "t"`},
		{"UPDATE t AS u SET a = u.a + 1", `SELECT CAST((u.a + 1) AS INTEGER) AS "a", "B c" FROM "t" AS "u"`},
		{"DELETE FROM t WHERE a = 1 OR b = ';'", `SELECT * FROM "t" WHERE ((a = 1 OR b = ';')) IS NOT TRUE`},
		{"DELETE FROM temp.main.t u WHERE u.a = 1;", `SELECT * FROM "t" AS "u" WHERE ((u.a = 1)) IS NOT TRUE`},
		{"TRUNCATE TABLE t", ""},
	} {
		command, err := f.Classify(c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		w := command.Write
		if w == nil || w.Name[len(w.Name)-1] != "t" {
			t.Errorf("%s: %+v", c.sql, command)
			continue
		}
		var got string
		switch command.Kind {
		case KindCreateAs:
			got = w.Query
		case KindInsert:
			got, err = w.InsertSQL(writeColumns, 2)
		case KindUpdate:
			got, err = w.UpdateSQL(writeColumns)
		case KindDelete:
			got = w.DeleteSQL()
		}
		if err != nil || got != c.want {
			t.Errorf("%s:\n  %s (%v)\nwant\n  %s", c.sql, got, err, c.want)
		}
	}
}

// A definition is run in a planning database, where nothing of it may stay.
func TestDefinitions(t *testing.T) {
	f := front(t)
	for definition, want := range map[string]string{
		`(a INTEGER, "b c" DECIMAL(4,1)[], c TIMESTAMPTZ)`: "a INTEGER, b c DECIMAL(4,1)[], c TIMESTAMP WITH TIME ZONE",
		"(a INTEGER NOT NULL)":                             "! constraints",
		"(a INTEGER DEFAULT 1)":                            "! constraints",
		"(a INTEGER UNIQUE)":                               "! constraints",
		"(a INTEGER, a INTEGER)":                           "! already exists",
		"(a INTEGER); CREATE TABLE orders (a INTEGER)":     "! one statement",
		"()": "! at least one",
	} {
		columns, err := f.Definition(t.Context(), &Write{Definition: definition})
		if text, fails := strings.CutPrefix(want, "! "); fails {
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), text) {
				t.Errorf("%s: %v; want an error with %q", definition, err, text)
			}
			continue
		}
		var list []string
		for _, c := range columns {
			list = append(list, c.Name+" "+c.Type.SQL())
		}
		if got := strings.Join(list, ", "); err != nil || got != want {
			t.Errorf("%s: %s (%v)", definition, got, err)
		}
	}
}
