package sqltext

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

// ErrUnprintable is what every error of this package wraps: the tree holds something that SQL text might not say faithfully.
var ErrUnprintable = errors.New("unprintable")

func unprintable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnprintable, fmt.Sprintf(format, args...))
}

// A ScanName gives the FROM item that stands for a scan: a name, or a parenthesised SELECT, whose columns are c0 … cn for
// the scan's columns in order.
type ScanName func(*operator.Scan) (string, error)

// Select prints a tree whose leaves are Inputs (and Values, Dummy, …) as one SELECT. A Scan leaf is an error.
func Select(root operator.Node) (string, error) { return SelectOver(root, nil) }

// SelectOver prints a tree whose scans are named by name.
func SelectOver(root operator.Node, name ScanName) (string, error) {
	p := printer{scan: name, ctes: map[int]relation{}, delims: map[int]relation{}}
	q, err := p.node(root)
	if err != nil {
		return "", err
	}
	return q.text(), nil
}

// partitionShift is the first bit of a hash that partitions rows; their number is the value from there on, modulo the number of
// partitions. All rows of a partition share the bits that choose it, so they must not be those by which DuckDB's own tables
// spread rows: it finds slots by the low bits (as many as the table has: 24 for ten million groups), radix partitions by those
// below bit 48, and compares the sixteen from there. A table whose slots' bits are shared fills a part of itself, and probes
// it from end to end: with a shift of 20, grouping 7.5 million keys of half of the partitions did not end.
const partitionShift = "32"

// SelectPartitioned prints root like SelectOver with one more last column: the number of the hash partition, 0 ≤ it <
// partitions, as INTEGER, by the given output columns.
//
// The bits of the hash from partitionShift on choose the partition. hash() agrees with DuckDB's grouping equality (0.0 and −0.0,
// all NaNs, equal intervals hash alike); an ENUM hashes its index, so its label is hashed instead, as another ENUM or VARCHAR
// would be.
func SelectPartitioned(root operator.Node, name ScanName, keys []int, partitions int) (string, error) {
	if len(keys) == 0 || partitions < 1 {
		return "", fmt.Errorf("partition by %d keys into %d: want at least one of each", len(keys), partitions)
	}
	p := printer{scan: name, ctes: map[int]relation{}, delims: map[int]relation{}}
	q, err := p.node(root)
	if err != nil {
		return "", err
	}
	types := root.Types()
	q = q.opened("t")
	if err := inRange(keys, len(q.cols)); err != nil {
		return "", err
	}
	hashed := make([]string, len(keys))
	for i, k := range keys {
		hashed[i] = q.cols[k]
		if types[k].ID == table.Enum {
			hashed[i] = "CAST(" + q.cols[k] + " AS VARCHAR)"
		}
	}
	number := "CAST((hash(" + strings.Join(hashed, ", ") + ") >> " + partitionShift + ") % " + strconv.Itoa(partitions) + " AS INTEGER)"
	q.cols = append(append([]string(nil), q.cols...), number)
	return q.text(), nil
}

// SelectText wraps a query that was not printed from a tree, so that it gives columns c0 … cn of the planned types. A type
// that SQL cannot name is left as it comes.
func SelectText(text string, cols []table.Column) string {
	names := make([]string, len(cols))
	picked := make([]string, len(cols))
	for i, c := range cols {
		names[i] = "c" + strconv.Itoa(i)
		picked[i] = "t." + names[i]
		if typed, err := cast(picked[i], c.Type); err == nil {
			picked[i] = typed
		}
	}
	return query{cols: picked, from: "(" + text + ") AS t(" + strings.Join(names, ", ") + ")"}.text()
}

// A printer carries what names mean while a tree is printed.
type printer struct {
	scan   ScanName
	ctes   map[int]relation // by CTE ID
	delims map[int]relation // by DelimJoin ID
	fresh  int
}

// A relation is a named table expression in scope with columns c0 … c(n-1).
type relation struct {
	name string
	n    int
}

func (p *printer) freshName(prefix string) string {
	p.fresh++
	return prefix + strconv.Itoa(p.fresh)
}

// A mode says what may still be put into a query's SELECT instead of around it.
type mode uint8

const (
	// modeOpen takes conditions and other output columns.
	modeOpen mode = iota
	// modePick takes another choice of output columns only: the query ends in ORDER BY or LIMIT.
	modePick
	// modeClosed takes nothing: DISTINCT, GROUP BY by ordinals.
	modeClosed
)

// A query is a SELECT in the making.
type query struct {
	mode   mode
	head   string   // "DISTINCT " or nothing
	cols   []string // the output columns; which refer to the FROM clause
	simple bool     // every output column is a bare column reference, so that using it twice computes nothing twice
	from   string   // without the keyword; empty = none
	where  []string
	tail   string // GROUP BY, ORDER BY, LIMIT
	rel    string // set when from is this one relation under the alias t and nothing else was said
}

// over starts a query that reads a relation of n columns.
func over(rel string, n int) query {
	return query{cols: columns("t", n), simple: true, from: rel + " AS t", rel: rel}
}

func columns(alias string, n int) []string {
	cols := make([]string, n)
	for i := range cols {
		cols[i] = alias + ".c" + strconv.Itoa(i)
	}
	return cols
}

// opened returns a query with the same rows that takes conditions and columns, and whose columns are simple; what it had to
// wrap gets the alias.
func (q query) opened(alias string) query {
	if q.mode == modeOpen && q.simple {
		return q
	}
	return query{cols: columns(alias, len(q.cols)), simple: true, from: "(" + q.text() + ") AS " + alias}
}

// aside returns the query as a FROM item under an alias, and its columns as seen from outside.
func (q query) aside(alias string) (from string, cols []string) {
	if q.rel != "" && q.mode == modeOpen && q.simple && len(q.where) == 0 {
		cols = make([]string, len(q.cols))
		for i, c := range q.cols {
			cols[i] = alias + strings.TrimPrefix(c, "t")
		}
		return q.rel + " AS " + alias, cols
	}
	return "(" + q.text() + ") AS " + alias, columns(alias, len(q.cols))
}

// pick returns the query with only the output columns of project (nil = all).
func (q query) pick(project []int) (query, error) {
	if project == nil {
		return q, nil
	}
	if err := inRange(project, len(q.cols)); err != nil {
		return query{}, err
	}
	if q.mode == modeClosed || !q.simple {
		q = q.opened("t")
	}
	cols := make([]string, len(project))
	for i, c := range project {
		cols[i] = q.cols[c]
	}
	q.cols = cols
	return q, nil
}

func inRange(project []int, n int) error {
	for _, c := range project {
		if c < 0 || c >= n {
			return unprintable("column %d of %d", c, n)
		}
	}
	return nil
}

// text prints the SELECT. A query without columns gets one that nobody reads.
func (q query) text() string {
	var b strings.Builder
	b.WriteString("SELECT ")
	b.WriteString(q.head)
	if len(q.cols) == 0 {
		b.WriteString("NULL AS none")
	}
	for i, c := range q.cols {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c)
		b.WriteString(" AS c")
		b.WriteString(strconv.Itoa(i))
	}
	if q.from != "" {
		b.WriteString(" FROM ")
		b.WriteString(q.from)
	}
	if len(q.where) > 0 {
		b.WriteString(" WHERE ")
		b.WriteString(strings.Join(q.where, " AND "))
	}
	b.WriteString(q.tail)
	return b.String()
}

// exprs prints expressions over the given columns.
func exprs(list []expr.Expr, cols []string) ([]string, error) {
	texts := make([]string, len(list))
	for i, e := range list {
		text, err := printExpr(e, cols)
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	return texts, nil
}
