package frontend

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A word is a token of the few statements that are ours: everything else is DuckDB's to read.
type word struct {
	// text is a name or symbol as written, or the contents of a quoted one.
	text string
	kind wordKind
	// start and end are byte offsets in the statement.
	start, end int
}

type wordKind uint8

const (
	nameWord wordKind = iota
	quotedName
	textWord
	numberWord
	symbolWord
	endWord
)

// is reports whether the word is the unquoted keyword.
func (w word) is(keyword string) bool {
	return w.kind == nameWord && strings.EqualFold(w.text, keyword)
}

// A scanner cuts words off a statement's front. It knows blanks, comments, names, quoted names, texts and numbers.
type scanner struct {
	sql string
	at  int
}

func (s *scanner) next() word {
	s.blanks()
	start := s.at
	if s.at >= len(s.sql) {
		return word{kind: endWord, start: start, end: start}
	}
	switch c := s.sql[s.at]; {
	case c == '\'':
		return s.quoted('\'', textWord)
	case c == '"':
		return s.quoted('"', quotedName)
	case c == '$' && dollarTag(s.sql[s.at:]) != "":
		tag := dollarTag(s.sql[s.at:])
		body := s.sql[s.at+len(tag):]
		if end := strings.Index(body, tag); end >= 0 {
			s.at += len(tag) + end + len(tag)
			return word{text: body[:end], kind: textWord, start: start, end: s.at}
		}
	case (c == 'e' || c == 'E') && strings.HasPrefix(s.sql[s.at+1:], "'"):
		return s.escaped()
	case letter(c):
		for s.at < len(s.sql) && (letter(s.sql[s.at]) || digit(s.sql[s.at]) || s.sql[s.at] == '$') {
			s.at++
		}
		return word{text: s.sql[start:s.at], kind: nameWord, start: start, end: s.at}
	case digit(c) || ((c == '-' || c == '+' || c == '.') && s.at+1 < len(s.sql) && digit(s.sql[s.at+1])):
		s.at++
		for s.at < len(s.sql) && (letter(s.sql[s.at]) || digit(s.sql[s.at]) || s.sql[s.at] == '.') {
			s.at++
		}
		return word{text: s.sql[start:s.at], kind: numberWord, start: start, end: s.at}
	}
	_, size := utf8.DecodeRuneInString(s.sql[s.at:])
	s.at += size
	return word{text: s.sql[start:s.at], kind: symbolWord, start: start, end: s.at}
}

// dollarTag is the opening of a dollar-quoted text, such as $$ or $x$; empty when there is none.
func dollarTag(sql string) string {
	for i := 1; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == '$':
			return sql[:i+1]
		case !letter(c) && (i == 1 || !digit(c)):
			return ""
		}
	}
	return ""
}

// escaped reads E'…', in which a backslash takes the meaning from a quote.
func (s *scanner) escaped() word {
	start := s.at
	for s.at += 2; s.at < len(s.sql); s.at++ {
		switch {
		case s.sql[s.at] == '\\':
			s.at++
		case s.sql[s.at] == '\'' && strings.HasPrefix(s.sql[s.at+1:], "'"):
			s.at++
		case s.sql[s.at] == '\'':
			s.at++
			return word{text: s.sql[start+2 : s.at-1], kind: textWord, start: start, end: s.at}
		}
	}
	s.at = len(s.sql)
	return word{text: s.sql[start:], kind: symbolWord, start: start, end: s.at}
}

// peek looks at the next word without taking it.
func (s *scanner) peek() word {
	at := s.at
	w := s.next()
	s.at = at
	return w
}

// blanks skips white space and comments; comments in /* */ nest.
func (s *scanner) blanks() {
	for s.at < len(s.sql) {
		rest := s.sql[s.at:]
		switch {
		case strings.ContainsRune(" \t\r\n\f\v", rune(rest[0])):
			s.at++
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			s.at += end
		case strings.HasPrefix(rest, "/*"):
			s.comment()
		default:
			return
		}
	}
}

func (s *scanner) comment() {
	depth := 0
	for s.at < len(s.sql) {
		switch rest := s.sql[s.at:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			s.at += 2
			if depth == 0 {
				return
			}
		default:
			s.at++
		}
	}
}

// quoted reads up to the closing quote; a doubled quote stands for itself. One that never closes is a symbol.
func (s *scanner) quoted(quote byte, kind wordKind) word {
	start := s.at
	var b strings.Builder
	for s.at++; s.at < len(s.sql); s.at++ {
		if s.sql[s.at] != quote {
			b.WriteByte(s.sql[s.at])
			continue
		}
		if s.at+1 < len(s.sql) && s.sql[s.at+1] == quote {
			b.WriteByte(quote)
			s.at++
			continue
		}
		s.at++
		return word{text: b.String(), kind: kind, start: start, end: s.at}
	}
	return word{text: s.sql[start:], kind: symbolWord, start: start, end: s.at}
}

func letter(c byte) bool {
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= utf8.RuneSelf
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// value is the Go value of a word after SET name =.
func (w word) value() (any, bool) {
	switch w.kind {
	case textWord, quotedName:
		return w.text, true
	case numberWord:
		if i, err := strconv.ParseInt(w.text, 10, 64); err == nil {
			return i, true
		}
		if f, err := strconv.ParseFloat(w.text, 64); err == nil {
			return f, true
		}
		return w.text, true // 30s
	case nameWord:
		switch {
		case w.is("true"), w.is("on"):
			return true, true
		case w.is("false"), w.is("off"):
			return false, true
		}
		return w.text, true
	}
	return nil, false
}
