package frontend

import (
	"strings"
)

// take reads the words if they stand next, and nothing otherwise.
func (s *scanner) take(words ...string) bool {
	at := s.at
	for _, word := range words {
		if !s.next().is(word) {
			s.at = at
			return false
		}
	}
	return true
}

func (s *scanner) takeSymbol(symbol string) bool {
	if w := s.peek(); w.kind == symbolWord && w.text == symbol {
		s.next()
		return true
	}
	return false
}

// until reads up to one of the words outside of parentheses, or to the end, and returns the text before it, and the word. The text
// ends with its last word: a comment after that would swallow what is put behind it.
func (s *scanner) until(words ...string) (text, stop string) {
	s.blanks()
	start, end, depth := s.at, s.at, 0
	for {
		w := s.next()
		symbol := w.kind == symbolWord
		switch {
		case w.kind == endWord, symbol && w.text == ";" && depth == 0:
			return s.sql[start:end], ""
		case symbol && strings.Contains("([{", w.text):
			depth++
		case symbol && strings.Contains(")]}", w.text):
			depth--
		}
		if depth < 0 && contains(words, ")") {
			return s.sql[start:end], ")"
		}
		for _, word := range words {
			if depth == 0 && word != ")" && (w.is(word) || symbol && w.text == word) {
				return s.sql[start:end], word
			}
		}
		end = w.end
	}
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// parseList reads names up to the closing parenthesis.
func parseList(s *scanner) (names []string, err error) {
	for {
		w := s.next()
		if w.kind != nameWord && w.kind != quotedName {
			return nil, wrong(w, "a column's name must follow, not %q", w.text)
		}
		names = append(names, w.text)
		if s.takeSymbol(")") {
			return names, nil
		}
		if !s.takeSymbol(",") {
			return nil, wrong(s.peek(), "',' or ')' must follow, not %q", s.peek().text)
		}
	}
}

// parseRows reads (a, b), (c, d) up to the end; nil when something else follows.
func parseRows(s *scanner) (rows [][]string, err error) {
	for s.takeSymbol("(") {
		var row []string
		for {
			// An opened parenthesis ends where the depth falls below zero.
			element, stop := s.until(",", ")")
			if strings.EqualFold(element, "default") {
				element = ""
			}
			row = append(row, element)
			if stop == ")" {
				break
			}
			if stop == "" {
				return nil, nil
			}
		}
		rows = append(rows, row)
		if !s.takeSymbol(",") {
			break
		}
	}
	if w := s.peek(); w.is("returning") || w.is("on") {
		return nil, unsupportedClause(w.text)
	} else if w.kind != endWord && w.text != ";" {
		return nil, nil
	}
	return rows, nil
}
