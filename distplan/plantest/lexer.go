package plantest

import (
	"fmt"
	"strings"
	"unicode"
)

// A lexer hands out the tokens of one line: words, numbers, 'strings', #n, and punctuation of one to three characters.
type lexer struct {
	text string
	rest []string
}

var punctuation = []string{"!~~", "->", "::", "<=", ">=", "<>", "||", "//", "~~"}

func lex(text string) (*lexer, error) {
	l := &lexer{text: text}
	for i := 0; i < len(text); {
		c := rune(text[i])
		switch {
		case c == ' ':
			i++
		case c == '\'':
			end := strings.IndexByte(text[i+1:], '\'')
			if end < 0 {
				return nil, fmt.Errorf("%s: unfinished string", text)
			}
			l.rest = append(l.rest, text[i:i+end+2])
			i += end + 2
		case wordRune(c) || c == '#':
			end := i + 1
			number := unicode.IsDigit(c)
			for end < len(text) && (wordRune(rune(text[end])) || (number && text[end] == '.')) {
				end++
			}
			l.rest = append(l.rest, text[i:end])
			i = end
		default:
			size := 1
			for _, p := range punctuation {
				if strings.HasPrefix(text[i:], p) {
					size = len(p)
					break
				}
			}
			l.rest = append(l.rest, text[i:i+size])
			i += size
		}
	}
	return l, nil
}

func wordRune(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }

func (l *lexer) peek() string { return l.at(0) }

func (l *lexer) at(i int) string {
	if i >= len(l.rest) {
		return ""
	}
	return l.rest[i]
}

func (l *lexer) next() string {
	t := l.peek()
	if len(l.rest) > 0 {
		l.rest = l.rest[1:]
	}
	return t
}

// take consumes the given tokens if they come next.
func (l *lexer) take(tokens ...string) bool {
	for i, t := range tokens {
		if l.at(i) != t {
			return false
		}
	}
	l.rest = l.rest[len(tokens):]
	return true
}

func (l *lexer) want(token string) error {
	if got := l.next(); got != token {
		return fmt.Errorf("%s: want %q, not %q", l.text, token, got)
	}
	return nil
}

// list reads "( item, item )" with what each item is.
func (l *lexer) list(item func() error) error {
	if err := l.want("("); err != nil {
		return err
	}
	if l.take(")") {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if l.take(")") {
			return nil
		}
		if err := l.want(","); err != nil {
			return err
		}
	}
}
