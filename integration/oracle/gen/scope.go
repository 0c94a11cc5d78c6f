package gen

import (
	"fmt"
	"strings"
)

// A column in reach of an expression.
type column struct {
	ref   string // t1.c0
	class Class
}

// key is 1 for the first column of a table, whose values repeat in every table, and 0 for others.
func (c column) key() int {
	if strings.HasSuffix(c.ref, ".k") {
		return 1
	}
	return 0
}

// A scope is what an expression may name: the columns of its own FROM, and of those around it.
type scope struct {
	columns []column
	outer   *scope
}

// of lists the scope's own columns that satisfy ok.
func (s *scope) of(ok func(Class) bool) []column {
	var found []column
	if s == nil {
		return nil
	}
	for _, c := range s.columns {
		if ok(c.class) {
			found = append(found, c)
		}
	}
	return found
}

func is(want Class) func(Class) bool { return func(c Class) bool { return c == want } }

// usable are the classes that everything but output may look at.
func usable(c Class) bool { return c != Loose }

// A relation is something to select from by name: a table or a common table expression.
type relation struct {
	name    string
	classes []Class
	names   []string
	large   bool
	small   bool // no row, or one
	system  bool
}

// A Generator makes cases over one set of tables.
type Generator struct {
	*random
	tables []relation
	// ctes are in reach of the statement being made.
	ctes []relation
	// aliases counts the names that were given.
	aliases int
	// budget is how many more sources of FROM the statement may name, subqueries too: it bounds size and running time.
	budget int
	// large says that the statement has named a large table, which is enough.
	large bool
}

// largeRows is where a table is joined at most once a statement.
const largeRows = 1000

// New returns a generator of cases over tables whose columns have the types that their files gave back.
func New(seed int64, tables []Table) *Generator {
	g := &Generator{random: newRandom(seed)}
	for _, t := range tables {
		rel := relation{name: t.Name, large: len(t.Rows) > largeRows, small: len(t.Rows) < 2 && !t.System, system: t.System}
		for _, c := range t.Columns {
			rel.names = append(rel.names, c.Name)
			rel.classes = append(rel.classes, c.Class)
		}
		g.tables = append(g.tables, rel)
	}
	return g
}

func (g *Generator) alias() string {
	g.aliases++
	return fmt.Sprintf("q%d", g.aliases)
}

// columnRef is an expression that names a column.
func columnRef(c column) *Node { return val(c.class, c.ref) }
