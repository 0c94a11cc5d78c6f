package duck

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
)

// wrappers put a value x of any type into every kind of nested value, with NULLs at each level and empty lists. i numbers
// the rows. MAYBE(v) is v in two rows of three and else NULL; DuckDB has no CASE for arrays.
var wrappers = []string{
	"x",
	"MAYBE(x)",
	"[x, NULL, x]",
	"[NULL, [], [x, x]][i % 4]",
	"[[x], [], NULL, [NULL, x]]",
	"{'a': x, 'b': [x]}",
	"MAYBE({'a': x, 'b': {'c': x, 'd': i}})",
	"MAYBE([{'a': x, 'l': [[x, NULL]]}, NULL])",
	"MAP {i: x, i + 1: NULL}",
	"MAYBE(array_value(x, NULL, x))",
	"MAYBE(array_value([x, NULL], NULL, []))",
	"MAYBE(array_value({'a': array_value(x, x)}, NULL))",
	"[union_value(u := x)::UNION(u T, n INTEGER), union_value(n := i::INTEGER)::UNION(u T, n INTEGER)][i % 3]",
}

// extraTypes are lists of values that test_all_types() lacks.
var extraTypes = []string{"[NULL]", "['{\"a\": 1}'::JSON, 'null']", "[42::VARIANT, 7::VARIANT]", "[{'k': [1, 2]}::VARIANT]", "['a text of some length'::VARIANT]",
	"['', 'twelve bytes', 'thirteen byte', 'fifteen bytes!!', 'sixteen bytes!!!', 'a text of 32 bytes, neither more', 'a text of 33 bytes, and one more.', repeat('long ', 100)]",
	"[''::BLOB, '\\x00'::BLOB]", "[INTERVAL '-13 months 5 days -2 microseconds', INTERVAL '400 years']", "['infinity'::DATE, '-infinity'::DATE]",
	"['infinity'::TIMESTAMP, '-infinity'::TIMESTAMP]", "['NaN'::DOUBLE, -0.0, 'inf']", "[0::DECIMAL(38, 38), -0.5]", "[-1.5::DECIMAL(2, 1)]", "['1'::BIT]",
	"[0::BIGNUM, -1]", "[{'a b': 1, 'c\"d': 2}]"}

// subjectRows is the number of rows of a subject, about: enough that every partition gets some.
const subjectRows = 300

// subject is one expression over a source of rows, with the row number i.
type subject struct{ typeName, expression, from string }

// subjects lists every type in every wrapper. Sources give flat vectors with several values, and constants.
func subjects(t *testing.T, e *Engine) []subject {
	t.Helper()
	columns := describe(t, e, "SELECT * FROM test_all_types()")
	if len(columns) < 50 {
		t.Fatalf("test_all_types() has only %d columns", len(columns))
	}
	var out []subject
	for _, c := range columns {
		from := fmt.Sprintf("(SELECT %s AS x, r * 3 + k AS i FROM range(%d) t(r), (SELECT *, row_number() OVER () AS k FROM test_all_types()))",
			table.Quote(c.Name), subjectRows/3)
		out = append(out, wrap(c.Type.SQL(), from)...)
	}
	for _, x := range extraTypes {
		from := fmt.Sprintf("(SELECT %[1]s[r %% (len(%[1]s) + 1)] AS x, r AS i FROM range(%[2]d) t(r))", x, subjectRows)
		out = append(out, wrap(describe(t, e, "SELECT "+x+"[1]")[0].Type.SQL(), from)...)
	}
	return out
}

func wrap(typeName, from string) []subject {
	out := make([]subject, len(wrappers))
	for i, w := range wrappers {
		w = strings.ReplaceAll(w, "(u T,", "(u "+typeName+",")
		if value, ok := strings.CutPrefix(w, "MAYBE("); ok {
			w = "[" + strings.TrimSuffix(value, ")") + "][(i % 3 > 0)::INTEGER]"
		}
		out[i] = subject{typeName, w, from}
	}
	return out
}

// TestStreamEveryType compares each type, alone and nested, with DuckDB's own Arrow export of the same casts.
func TestStreamEveryType(t *testing.T) {
	e := openEngine(t, nil)
	for group := range slices.Chunk(subjects(t, e), len(wrappers)) {
		t.Run(group[0].typeName[:min(len(group[0].typeName), 40)], func(t *testing.T) {
			expressions := make([]string, len(group))
			for i, s := range group {
				expressions[i] = s.expression
			}
			sql := "SELECT " + strings.Join(expressions, ", ") + " FROM " + group[0].from + " ORDER BY i"
			compareStream(t, e, sql)
		})
	}
}

// compareStream compares a stream with the reference, value by value.
func compareStream(t *testing.T, e *Engine, sql string) {
	t.Helper()
	columns := describe(t, e, sql)
	schema, got := streamAll(t, e, sql)
	want := exportedArrow(t, clientSQL(Job{SQL: sql, Columns: columns}))
	defer func() {
		for _, b := range want {
			b.Release()
		}
	}()
	if rowsOf(got) != rowsOf(want) {
		t.Fatalf("%d rows, want %d", rowsOf(got), rowsOf(want))
	}
	if !schema.Equal(arrowtype.ClientSchema(columns, "UTC")) {
		t.Errorf("schema is %s", schema)
	}
	for _, b := range got {
		if !b.Schema().Equal(schema) {
			t.Errorf("a batch has schema %s", b.Schema())
		}
	}
	for c := range columns {
		a, b := columnOf(got, c), columnOf(want, c)
		for row := range rowsOf(want) {
			x, i := a.next()
			y, j := b.next()
			if !equalValues(x, i, y, j) {
				t.Errorf("column %d (%s) row %d: %s, want %s", c, columns[c].Type.SQL(), row, x.ValueStr(i), y.ValueStr(j))
				break
			}
		}
	}
}

// TestStreamConstantVectors reads nested constants: DuckDB's Flatten leaves the child of a constant list as it is, and that
// may be a dictionary.
func TestStreamConstantVectors(t *testing.T) {
	e := openEngine(t, nil)
	for _, sql := range []string{
		"SELECT [3, 1, 2], {'a': [1, NULL], 'b': 'a constant text'}, NULL::INTEGER[], NULL::STRUCT(a VARCHAR[]), [[], NULL, [1]] FROM range(5000)",
		"SELECT l, list_sort(l), list_reverse(l), list_filter(l, x -> x > 'b'), l[2:3], list_distinct(l) FROM (SELECT ['c', 'a', 'b', 'a text of some length'] AS l), range(3000)",
		"SELECT list_select(l, [3, 1]), {'s': list_reverse(l)}, [list_reverse(l)], MAP(l, list_reverse(l)) FROM (SELECT ['c', 'a', 'b', 'a text of some length'] AS l), range(3000)",
		"SELECT list_transform(l, x -> [x, l[1]]), list_zip(l, list_reverse(l)), flatten([l, list_reverse(l)]), array_value(l, list_sort(l)) FROM (SELECT list(r::VARCHAR || ' and more text' ORDER BY r) AS l FROM range(4) t(r)), range(3000)",
		"SELECT {'a': r, 's': r::VARCHAR || ' and more text', 'l': [r]}, [r], array_value(r, r) FROM range(9000) t(r) WHERE r % 3 = 1 ORDER BY r",
		"SELECT l, list_reverse(l) FROM (SELECT r, list(s || ' and more text' ORDER BY s) AS l FROM range(100) t(r), (SELECT unnest(['x', 'y', NULL]) AS s) GROUP BY r) WHERE r % 2 = 0 ORDER BY r",
		"SELECT CASE WHEN r = 1 THEN l ELSE NULL END FROM (SELECT list_reverse([r, r + 1]) AS l, r FROM range(3) t(r)) ORDER BY r",
	} {
		compareStream(t, e, sql)
	}
}

// TestUnnamedStruct covers the one type that SQL text cannot name.
func TestUnnamedStruct(t *testing.T) {
	e := openEngine(t, nil)
	sql := "SELECT row(i, 'x') AS c0, [row(i), NULL] AS c1, i AS c2 FROM range(300) t(i)"
	compareStream(t, e, sql+" ORDER BY i")
	compareExchange(t, e, sql)
}

// TestExchangeEveryType sends each type, alone and nested, through a partitioned output and back, and compares both ways.
func TestExchangeEveryType(t *testing.T) {
	e := openEngine(t, nil)
	for group := range slices.Chunk(subjects(t, e), len(wrappers)) {
		t.Run(group[0].typeName[:min(len(group[0].typeName), 40)], func(t *testing.T) {
			expressions := make([]string, len(group))
			for i, s := range group {
				expressions[i] = fmt.Sprintf("%s AS c%d", s.expression, i)
			}
			compareExchange(t, e, "SELECT "+strings.Join(expressions, ", ")+fmt.Sprintf(", i AS c%d", len(group))+" FROM "+group[0].from)
		})
	}
}

// compareExchange partitions a statement by its last column, and reads it back in several forms of memory.
func compareExchange(t *testing.T, e *Engine, sql string) {
	t.Helper()
	const partitions = 16
	columns := describe(t, e, sql)
	types := typesOf(columns)
	numbered := fmt.Sprintf("SELECT *, CASE WHEN c%[1]d %% 50 = 0 THEN NULL ELSE (hash(c%[1]d) >> 32) %% %[2]d END FROM (%[3]s)", len(columns)-1, partitions, sql)
	o, err := e.Partition(context.Background(), Job{SQL: numbered, Columns: columns}, partitions)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Release()
	var back []arrow.RecordBatch
	for p := range partitions {
		if o.Rows(p) == 0 || o.Bytes(p) == 0 {
			t.Errorf("partition %d has %d rows, %d bytes", p, o.Rows(p), o.Bytes(p))
		}
		for _, b := range o.Batches(p) {
			back = append(back, inAnotherForm(t, b, p)...)
		}
	}
	in, err := e.AddInput(types, back)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Remove)
	if got := typesOf(describe(t, e, in.SQL())); !slices.EqualFunc(got, types, table.Type.Equal) {
		t.Errorf("types are %v, want %v", got, types)
	}
	for _, diff := range []string{"(%[1]s) EXCEPT ALL (%[2]s)", "(%[2]s) EXCEPT ALL (%[1]s)"} {
		_, rows := streamAll(t, e, fmt.Sprintf(diff, sql, in.SQL()))
		if rowsOf(rows) != 0 {
			t.Errorf("%d rows differ in %s, such as %v", rowsOf(rows), diff, rows[0].NewSlice(0, 1))
		}
	}
}

// inAnotherForm gives the rows of a batch as the kernel made them, from Go's memory, or as slices of either.
func inAnotherForm(t *testing.T, b arrow.RecordBatch, form int) []arrow.RecordBatch {
	t.Helper()
	if form%4 == 0 {
		return []arrow.RecordBatch{b}
	}
	if form%2 == 1 {
		b = throughIPC(t, b)
	}
	half := b.NumRows() / 2
	out := []arrow.RecordBatch{b.NewSlice(0, half), b.NewSlice(half, half), b.NewSlice(half, b.NumRows())}
	for _, s := range out {
		t.Cleanup(s.Release)
	}
	return out
}

// throughIPC writes a batch and reads it again, into Go's memory.
func throughIPC(t *testing.T, b arrow.RecordBatch) arrow.RecordBatch {
	t.Helper()
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(b.Schema()))
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal("no batch came back")
	}
	out := r.RecordBatch()
	out.Retain()
	t.Cleanup(out.Release)
	return out
}
