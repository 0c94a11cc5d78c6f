package table

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// typeDepthMax bounds how deep a type may nest, suffixes counted, so that neither parsing nor the recursive methods of
	// the result can exhaust the stack. Real schemas stay under ten.
	typeDepthMax = 64
	// typeTextBytesMax bounds the text of one type. An ENUM of a hundred thousand labels still fits.
	typeTextBytesMax = 8 << 20
)

// ParseType reads a type as SQL and DESCRIBE print it; it is the inverse of Type.SQL and takes DuckDB's aliases as well
// (INT, TEXT, TIMESTAMPTZ, NUMERIC(4), …). The names of types are read in any case; the names of members are kept.
//
// A text that is no type is a User error; a name that is not known here (a user-defined type) is Unsupported.
func ParseType(sql string) (Type, error) {
	if len(sql) > typeTextBytesMax {
		return Type{}, qerr.New(qerr.User, "type of %d bytes is longer than %d", len(sql), typeTextBytesMax)
	}
	p := typeParser{text: sql}
	t, err := p.parse(0)
	if err != nil {
		return Type{}, err
	}
	p.space()
	if p.at < len(p.text) {
		return Type{}, p.bad("unexpected %q after the type", excerpt(p.text[p.at:]))
	}
	return t, nil
}

// A typeParser reads one type by recursive descent. It never reads a byte more often than its depth allows: the only
// step back, in member, happens before anything nested was read.
type typeParser struct {
	text string
	at   int
}

func (p *typeParser) bad(format string, args ...any) error {
	e := qerr.New(qerr.User, format, args...)
	e.Msg = "type " + strconv.Quote(excerpt(p.text)) + ": " + e.Msg
	return e
}

// excerpt shortens a text for a message, at a rune's edge.
func excerpt(s string) string {
	const bytesMax = 60
	if len(s) <= bytesMax {
		return s
	}
	end := bytesMax
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func (p *typeParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// accept skips space and then c, if it stands there.
func (p *typeParser) accept(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *typeParser) expect(c byte) error {
	if p.accept(c) {
		return nil
	}
	if p.at == len(p.text) {
		return p.bad("want %q at the end", c)
	}
	return p.bad("want %q before %q", c, excerpt(p.text[p.at:]))
}

// words skips the given words, in any case, when all of them stand there.
func (p *typeParser) words(want ...string) bool {
	start := p.at
	for _, w := range want {
		got, quoted, ok := p.identifier()
		if !ok || quoted || !strings.EqualFold(got, w) {
			p.at = start
			return false
		}
	}
	return true
}

// identifier reads a name, quoted or not; ok is false, and nothing is read, when none stands there.
func (p *typeParser) identifier() (name string, quoted, ok bool) {
	p.space()
	start := p.at
	if p.at < len(p.text) && p.text[p.at] == '"' {
		name, ok = p.quotedBy('"')
		if !ok {
			p.at = start
		}
		return name, true, ok
	}
	for p.at < len(p.text) {
		c := p.text[p.at]
		letter := c >= utf8.RuneSelf || c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (p.at == start || c != '$' && (c < '0' || c > '9')) {
			break
		}
		p.at++
	}
	return p.text[start:p.at], false, p.at > start
}

// quotedBy reads a text between quotes that are doubled inside.
func (p *typeParser) quotedBy(quote byte) (string, bool) {
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		if c == quote {
			if p.at+1 == len(p.text) || p.text[p.at+1] != quote {
				p.at++
				return b.String(), true
			}
			p.at++
		}
		b.WriteByte(c)
	}
	return "", false
}

// number reads an unsigned decimal number up to max.
func (p *typeParser) number(max int) (int, error) {
	p.space()
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	n, err := strconv.Atoi(p.text[start:p.at])
	if err != nil || n > max {
		return 0, p.bad("want a number up to %d before %q", max, excerpt(p.text[start:]))
	}
	return n, nil
}

// parse reads a type with its suffixes: element[], element[3].
func (p *typeParser) parse(depth int) (Type, error) {
	t, inner, err := p.base(depth)
	if err != nil {
		return Type{}, err
	}
	for height := depth + inner; p.accept('['); height++ {
		if height >= typeDepthMax {
			return Type{}, p.tooDeep()
		}
		if p.accept(']') {
			t = Type{ID: List, Fields: []Field{{Type: t}}}
			continue
		}
		size, err := p.number(arraySizeMax)
		if err != nil {
			return Type{}, err
		}
		if size == 0 {
			return Type{}, p.bad("an array needs a size of at least 1")
		}
		if err := p.expect(']'); err != nil {
			return Type{}, err
		}
		t = Type{ID: Array, Size: size, Fields: []Field{{Type: t}}}
	}
	return t, nil
}

func (p *typeParser) tooDeep() error { return p.bad("nested deeper than %d", typeDepthMax) }

// base reads a type without suffixes; inner is how deep it nests itself.
func (p *typeParser) base(depth int) (t Type, inner int, err error) {
	if depth >= typeDepthMax {
		return Type{}, 0, p.tooDeep()
	}
	name, _, ok := p.identifier()
	if !ok {
		return Type{}, 0, p.bad("want the name of a type before %q", excerpt(p.text[p.at:]))
	}
	name = strings.ToUpper(name)
	switch name {
	case "STRUCT", "ROW", "UNION":
		t, err = p.members(name, depth)
	case "MAP":
		t, err = p.mapOf(depth)
	case "ENUM":
		t, err = p.enum()
	case "DECIMAL", "NUMERIC", "DEC":
		t, err = p.decimal()
	default:
		t, err = p.scalar(name)
	}
	if err != nil {
		return Type{}, 0, err
	}
	return t, t.depth(), nil
}

// depth is how many types are nested in t on the longest way down.
func (t Type) depth() int {
	deepest := 0
	for _, f := range t.Fields {
		deepest = max(deepest, 1+f.Type.depth())
	}
	return deepest
}
