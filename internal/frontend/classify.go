package frontend

import (
	"context"
	"errors"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// Classify says what a statement is. The few statements of ours are recognised by their leading words; everything else is
// parsed by DuckDB, and what is no query is refused: PermissionDenied for reaches outside of the catalog, Unsupported for
// what is not done yet, each saying what instead; User for syntax errors, with their position, and for several statements
// in one text.
func (f *Frontend) Classify(sql string) (Command, error) {
	if len(sql) > statementBytesMax {
		return Command{}, qerr.New(qerr.User, "the statement has %d bytes; at most %d are allowed", len(sql), statementBytesMax)
	}
	if strings.ContainsRune(sql, 0) {
		return Command{}, qerr.New(qerr.User, "the statement holds a zero byte")
	}
	s := &scanner{sql: sql}
	first := s.next()
	if first.kind == endWord || first.text == ";" {
		return Command{}, qerr.New(qerr.User, "the statement is empty")
	}
	if c, ok, err := ours(first, s); ok {
		if err == nil && c.SQL != "" {
			_, err = f.Classify(c.SQL)
			if err == nil {
				c.SQL, err = inner(c.SQL)
			}
		}
		return c, err
	}
	if c, ok, err := f.write(sql); ok || err != nil {
		return c, err
	}
	if f.cache.isQuery(sql) {
		return Command{Kind: KindQuery, SQL: sql}, nil
	}
	err := f.parseable(sql)
	if err == nil {
		f.cache.putQuery(sql)
		return Command{Kind: KindQuery, SQL: sql}, nil
	}
	var fault *plandb.Fault
	if errors.As(err, &fault) && fault.Type == "not implemented" {
		return Command{}, refuseStatement(first, s)
	}
	return Command{}, faultError(err)
}

// parseable has DuckDB parse one SELECT; a *plandb.Fault of type "not implemented" says that it is another statement.
func (f *Frontend) parseable(sql string) error {
	return f.onInstance(context.Background(), &Request{}, f.cfg.BindDeadline, func(in *plandb.Instance) error {
		tree, err := in.Syntax(sql)
		if err != nil {
			return err
		}
		_, err = parseSyntax(tree)
		return err
	})
}

// inner checks the statement inside of EXPLAIN: only queries have plans.
func inner(sql string) (string, error) {
	s := &scanner{sql: sql}
	first := s.next()
	if writes[strings.ToLower(first.text)] != nil {
		return "", qerr.New(qerr.User, "EXPLAIN takes a query, not %s", strings.ToUpper(first.text))
	}
	if c, ok, _ := ours(first, s); ok {
		return "", qerr.New(qerr.User, "EXPLAIN takes a query, not %s", c.Kind)
	}
	return sql, nil
}

// ours recognises our own statements by their leading words; ok is false for everything else.
func ours(first word, s *scanner) (c Command, ok bool, err error) {
	switch {
	case first.is("set"):
		c, err = parseSet(s)
	case first.is("reset"):
		c, err = parseReset(s)
	case first.is("use"):
		c, err = parseUse(s)
	case first.is("kill"):
		c, err = parseKill(s)
	case first.is("explain"):
		c, err = parseExplain(s)
	case first.is("begin"), first.is("start"):
		c, err = transaction(KindBegin, s)
	case first.is("commit"), first.is("end"):
		c, err = transaction(KindCommit, s)
	case first.is("rollback"), first.is("abort"):
		c, err = transaction(KindRollback, s)
	default:
		return Command{}, false, nil
	}
	return c, true, err
}

// end fails when more than semicolons follow.
func end(s *scanner, what string) error {
	w := s.next()
	for w.kind == symbolWord && w.text == ";" {
		w = s.next()
	}
	if w.kind == endWord {
		return nil
	}
	e := qerr.New(qerr.User, "%s: unexpected %q", what, w.text)
	e.Position = w.start + 1
	return e
}

func wrong(w word, format string, args ...any) error {
	e := qerr.New(qerr.User, format, args...)
	e.Position = w.start + 1
	return e
}

func parseExplain(s *scanner) (Command, error) {
	c := Command{Kind: KindExplain}
	if s.peek().is("analyze") {
		s.next()
		c.Kind = KindExplainAnalyze
	}
	if w := s.peek(); w.kind == symbolWord && w.text == "(" {
		at := s.at
		s.next()
		if first := s.next(); first.is("format") || first.is("analyze") {
			return c, wrong(w, "EXPLAIN has one format, text; options in parentheses are not taken")
		}
		s.at = at
	}
	c.SQL = strings.TrimSpace(s.sql[s.at:])
	if w := s.peek(); w.kind == endWord {
		return c, wrong(w, "EXPLAIN: a query must follow")
	}
	return c, nil
}

func transaction(kind Kind, s *scanner) (Command, error) {
	if w := s.peek(); w.is("transaction") || w.is("work") {
		s.next()
	}
	return Command{Kind: kind}, end(s, string(kind))
}

func parseKill(s *scanner) (Command, error) {
	if s.peek().is("query") {
		s.next()
	}
	w := s.next()
	if w.kind != textWord || w.text == "" {
		return Command{}, wrong(w, "KILL: the query's id must follow in quotes (SELECT query_id FROM sys.queries lists them)")
	}
	return Command{Kind: KindKill, QueryID: ids.QueryID(w.text)}, end(s, "KILL")
}

// parseName reads name or name.name…, quoted or not.
func parseName(s *scanner) ([]string, error) {
	var parts []string
	for {
		w := s.next()
		if w.kind != nameWord && w.kind != quotedName && (w.kind != textWord || len(parts) > 0) {
			return nil, wrong(w, "a name must follow, not %q", w.text)
		}
		parts = append(parts, w.text)
		if dot := s.peek(); dot.kind != symbolWord || dot.text != "." {
			return parts, nil
		}
		s.next()
	}
}

func parseUse(s *scanner) (Command, error) {
	parts, err := parseName(s)
	if err != nil {
		return Command{}, err
	}
	c := Command{Kind: KindUse, Schema: parts[len(parts)-1]}
	switch len(parts) {
	case 1:
	case 2:
		c.Catalog = parts[0]
	default:
		return Command{}, qerr.New(qerr.User, "USE takes a db schema, a catalog, or catalog.schema")
	}
	return c, end(s, "USE")
}

func parseReset(s *scanner) (Command, error) {
	scope(s)
	name, err := optionName(s)
	if err != nil {
		return Command{}, err
	}
	return Command{Kind: KindReset, Name: name}, end(s, "RESET")
}

func scope(s *scanner) {
	at := s.at
	if w := s.next(); w.is("session") || w.is("global") || w.is("local") {
		return
	}
	s.at = at
}

func parseSet(s *scanner) (Command, error) {
	scope(s)
	if s.peek().is("time") {
		s.next()
		if w := s.next(); !w.is("zone") {
			return Command{}, wrong(w, "SET TIME: ZONE must follow")
		}
		w := s.next()
		v, ok := w.value()
		if !ok {
			return Command{}, wrong(w, "SET TIME ZONE: a name must follow")
		}
		return Command{Kind: KindSet, Name: settings.TimeZone, Value: v}, end(s, "SET")
	}
	name, err := optionName(s)
	if err != nil {
		return Command{}, err
	}
	if w := s.next(); !w.is("to") && (w.kind != symbolWord || w.text != "=") {
		return Command{}, wrong(w, "SET %s: '=' or TO must follow", name)
	}
	w := s.next()
	if w.is("default") {
		return Command{Kind: KindReset, Name: name}, end(s, "SET")
	}
	v, ok := w.value()
	if !ok {
		return Command{}, wrong(w, "SET %s: a value must follow", name)
	}
	return Command{Kind: KindSet, Name: name, Value: v}, end(s, "SET")
}

// optionName reads an option's name and refuses those that are not ours.
func optionName(s *scanner) (string, error) {
	w := s.peek()
	parts, err := parseName(s)
	if err != nil {
		return "", err
	}
	name := strings.Join(parts, ".")
	if canonical, ok := settings.Known(name); ok {
		return canonical, nil
	}
	hint := ""
	if near := NearestNames(name, settings.Names()); len(near) > 0 {
		hint = "; did you mean " + near[0] + "?"
	}
	return "", wrong(w, "there is no session option %q%s The options are %s", name, punctuate(hint), strings.Join(settings.Names(), ", "))
}

func punctuate(hint string) string {
	if hint == "" {
		return "."
	}
	return hint
}
