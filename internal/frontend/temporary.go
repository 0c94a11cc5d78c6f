package frontend

import (
	"context"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A Write is a statement over a temporary table, cut into its parts. The parts are texts that DuckDB has parsed as a whole.
type Write struct {
	// Name is the table's, as written: [table], or with a schema and a catalog before it.
	Name []string
	// Temporary: CREATE said so. Replace: OR REPLACE. Lenient: IF [NOT] EXISTS.
	Temporary, Replace, Lenient bool
	// Alias is another name for the table within UPDATE and DELETE; empty for none.
	Alias string
	// Definition is the column list of CREATE TABLE, parentheses included; Query what AS or INSERT takes.
	Definition, Query string
	// Columns are those that INSERT names; empty: all. Rows are its VALUES, when it has such; an empty element is DEFAULT.
	Columns []string
	Rows    [][]string
	// Sets are the assignments of UPDATE: column and expression. Where is its condition, or that of DELETE; empty: all rows.
	Sets  [][2]string
	Where string
}

// writes are the statements over temporary tables by their leading word.
var writes = map[string]func(*scanner) (Kind, *Write, error){
	"create": parseCreate, "insert": parseInsert, "update": parseUpdate, "delete": parseDelete, "truncate": parseTruncate, "drop": parseDrop,
}

// write recognises a statement over a temporary table; ok is false for others with the same leading word, such as CREATE VIEW.
func (f *Frontend) write(sql string) (c Command, ok bool, err error) {
	first := (&scanner{sql: sql}).next()
	parse := writes[strings.ToLower(first.text)]
	if parse == nil || first.kind != nameWord {
		return Command{}, false, nil
	}
	numbered := numberParameters(sql)
	s := &scanner{sql: numbered}
	s.next()
	kind, w, err := parse(s)
	if w == nil && err == nil {
		return Command{}, false, nil
	}
	// DuckDB's own parser has the first word: what it does not take is no statement, whatever was read of it here.
	if fault := f.single(sql); fault != nil {
		return Command{}, true, fault
	}
	return Command{Kind: kind, SQL: sql, Write: w}, true, err
}

func (f *Frontend) single(sql string) error {
	err := f.onInstance(context.Background(), &Request{}, f.cfg.BindDeadline, func(in *plandb.Instance) error { return in.Single(sql) })
	return faultError(err)
}

// numberParameters gives each ? its number, as the parts of the statement may be put into another order.
func numberParameters(sql string) string {
	var b strings.Builder
	s, from, n := &scanner{sql: sql}, 0, 0
	for w := s.next(); w.kind != endWord; w = s.next() {
		if w.kind == symbolWord && w.text == "?" && !(s.at < len(sql) && digit(sql[s.at])) {
			n++
			b.WriteString(sql[from:w.start])
			b.WriteString("$" + strconv.Itoa(n))
			from = w.end
		}
	}
	return b.String() + sql[from:]
}

func parseCreate(s *scanner) (Kind, *Write, error) {
	w := &Write{Replace: s.take("or", "replace")}
	if s.take("local") || s.take("global") {
		w.Temporary = true
	}
	w.Temporary = s.take("temp") || s.take("temporary") || w.Temporary
	if !s.take("table") {
		return "", nil, nil
	}
	w.Lenient = s.take("if", "not", "exists")
	var err error
	if w.Name, err = parseName(s); err != nil {
		return "", nil, err
	}
	if s.take("as") {
		w.Query, _ = s.until()
		if withData(w.Query) {
			return "", nil, qerr.New(qerr.Unsupported, "CREATE TABLE … AS … WITH [NO] DATA is not supported: leave it out, or add WHERE false")
		}
		return KindCreateAs, w, nil
	}
	w.Definition, _ = s.until()
	if (&scanner{sql: w.Definition}).peek().text != "(" {
		return "", nil, qerr.New(qerr.Unsupported, "this form of CREATE TABLE is not supported: want (column type, …) or AS SELECT …")
	}
	return KindCreate, w, nil
}

// withData reports whether WITH [NO] DATA stands at the end.
func withData(query string) bool {
	s := &scanner{sql: query}
	for {
		if _, with := s.until("with"); with == "" {
			return false
		}
		s.take("no")
		if s.take("data") && s.peek().kind == endWord {
			return true
		}
	}
}

func parseInsert(s *scanner) (Kind, *Write, error) {
	if !s.take("into") {
		return "", nil, qerr.New(qerr.Unsupported, "INSERT OR … is not supported: temporary tables have no keys to conflict")
	}
	w := &Write{}
	var err error
	if w.Name, err = parseName(s); err != nil {
		return "", nil, err
	}
	if s.take("as") {
		s.next()
	}
	if s.take("by") || s.take("default", "values") {
		return "", nil, qerr.New(qerr.Unsupported, "INSERT BY NAME and DEFAULT VALUES are not supported: name the columns and give VALUES or a query")
	}
	at := s.at
	if s.takeSymbol("(") {
		if first := s.peek(); first.is("select") || first.is("with") || first.is("from") || first.is("values") || first.text == "(" {
			s.at = at
		} else if w.Columns, err = parseList(s); err != nil {
			return "", nil, err
		}
	}
	at = s.at
	if s.take("values") {
		if w.Rows, err = parseRows(s); err != nil || w.Rows != nil {
			return KindInsert, w, err
		}
		s.at = at // VALUES … ORDER BY, UNION: a query like others
	}
	w.Query, _ = s.until()
	if rest, word := (&scanner{sql: w.Query}).until("returning", "on"); word == "returning" || word == "on" && strings.HasPrefix(strings.ToLower(w.Query[len(rest):]), " on conflict") {
		return "", nil, unsupportedClause(word)
	}
	return KindInsert, w, nil
}

func unsupportedClause(word string) error {
	return qerr.New(qerr.Unsupported, "%s is not supported in writes of temporary tables", strings.ToUpper(word))
}

// target reads a table with its alias.
func (w *Write) target(s *scanner, next ...string) (err error) {
	if w.Name, err = parseName(s); err != nil {
		return err
	}
	as := s.take("as")
	word := s.peek()
	for _, n := range next {
		if !as && word.is(n) {
			return nil
		}
	}
	if as || word.kind == nameWord || word.kind == quotedName {
		w.Alias = s.next().text
	}
	return nil
}

func parseUpdate(s *scanner) (Kind, *Write, error) {
	if s.peek().is("extensions") {
		return "", nil, nil
	}
	w := &Write{}
	if err := w.target(s, "set"); err != nil {
		return "", nil, err
	}
	if !s.take("set") {
		return "", nil, wrong(s.peek(), "SET must follow, not %q", s.peek().text)
	}
	for {
		name := s.next()
		if name.kind != nameWord && name.kind != quotedName || !s.takeSymbol("=") {
			return "", nil, qerr.New(qerr.Unsupported, "UPDATE … SET takes column = expression, …; other forms are not supported")
		}
		expression, stop := s.until(",", "where", "from", "returning")
		w.Sets = append(w.Sets, [2]string{name.text, expression})
		switch stop {
		case ",":
			continue
		case "from", "returning":
			return "", nil, unsupportedClause(stop)
		case "where":
			return KindUpdate, w, w.condition(s)
		}
		return KindUpdate, w, nil
	}
}

// condition reads what follows WHERE.
func (w *Write) condition(s *scanner) error {
	var stop string
	if w.Where, stop = s.until("returning"); stop != "" {
		return unsupportedClause(stop)
	}
	return nil
}

func parseDelete(s *scanner) (Kind, *Write, error) {
	w := &Write{}
	if !s.take("from") {
		return "", nil, wrong(s.peek(), "FROM must follow, not %q", s.peek().text)
	}
	if err := w.target(s, "where", "using", "returning"); err != nil {
		return "", nil, err
	}
	switch {
	case s.take("using"):
		return "", nil, unsupportedClause("using")
	case s.take("returning"):
		return "", nil, unsupportedClause("returning")
	case s.take("where"):
		return KindDelete, w, w.condition(s)
	}
	return KindDelete, w, end(s, "DELETE")
}

func parseTruncate(s *scanner) (Kind, *Write, error) {
	s.take("table")
	w := &Write{}
	var err error
	if w.Name, err = parseName(s); err != nil {
		return "", nil, err
	}
	return KindDelete, w, end(s, "TRUNCATE")
}

func parseDrop(s *scanner) (Kind, *Write, error) {
	if !s.take("table") {
		return "", nil, nil
	}
	w := &Write{Lenient: s.take("if", "exists")}
	var err error
	if w.Name, err = parseName(s); err != nil {
		return "", nil, err
	}
	if s.take("cascade") || s.take("restrict") {
		return KindDrop, w, end(s, "DROP TABLE")
	}
	return KindDrop, w, end(s, "DROP TABLE")
}
