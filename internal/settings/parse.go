package settings

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	_ "time/tzdata" // Time zones are the same on every host, whatever it has installed.
)

const (
	// nameBytesMax bounds names that come from clients and go into messages and cache keys.
	nameBytesMax = 255
	// timeoutMax is the longest query timeout: longer than any query that a session survives.
	timeoutMax = 7 * 24 * time.Hour

	nameAllowed     = "a name of 1 to 255 bytes"
	durationAllowed = "0, seconds as a number, or a duration such as '30s', '5 minutes' or '1h30m', at most 168h"
)

var errType = errors.New("wrong type")

// scalar gives the text of a string, bool or number, without surrounding blanks.
func scalar(value any) (string, error) {
	switch x := value.(type) {
	case string:
		return strings.TrimSpace(x), nil
	case bool:
		return strconv.FormatBool(x), nil
	case float32:
		return scalar(float64(x))
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return "", errors.New("not a finite number")
		}
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprint(x), nil
	case nil:
		return "", errors.New("no value (RESET gives the default back)")
	}
	return "", errType
}

func parseWord(value any, words []string) (string, error) {
	text, err := scalar(value)
	if err != nil {
		return "", err
	}
	for _, w := range words {
		if strings.EqualFold(text, w) {
			return w, nil
		}
	}
	return "", errors.New("not one of the words")
}

func parseInteger(value any, low, high int64) (string, error) {
	if _, ok := value.(bool); ok {
		return "", errType
	}
	text, err := scalar(value)
	if err != nil {
		return "", err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return "", errors.New("out of range")
		}
		return "", errors.New("not a whole number")
	}
	if n < low || n > high {
		return "", errors.New("out of range")
	}
	return strconv.FormatInt(n, 10), nil
}

func parseBool(value any) (string, error) {
	text, err := scalar(value)
	if err != nil {
		return "", err
	}
	switch strings.ToLower(text) {
	case "true", "on", "1", "yes", "t":
		return "true", nil
	case "false", "off", "0", "no", "f":
		return "false", nil
	}
	return "", errors.New("neither true nor false")
}

// units are the words that may follow a number in a duration, besides Go's own short forms.
var units = map[string]time.Duration{
	"millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"hour": time.Hour, "hours": time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

func parseDuration(value any) (string, error) {
	if _, ok := value.(bool); ok {
		return "", errType
	}
	text, err := scalar(value)
	if err != nil {
		return "", err
	}
	d, err := duration(strings.ToLower(text))
	if err != nil {
		return "", err
	}
	if d < 0 || d > timeoutMax {
		return "", errors.New("out of range")
	}
	if d > 0 && d < time.Millisecond {
		return "", errors.New("shorter than a millisecond")
	}
	return d.String(), nil
}

func duration(text string) (time.Duration, error) {
	number, unit := text, time.Second
	if i := strings.IndexByte(text, ' '); i >= 0 {
		u, ok := units[strings.TrimSpace(text[i:])]
		if !ok {
			return 0, errors.New("not a duration")
		}
		number, unit = text[:i], u
	}
	if f, err := strconv.ParseFloat(number, 64); err == nil {
		if math.IsNaN(f) || math.Abs(f)*float64(unit) > float64(2*timeoutMax) {
			return 0, errors.New("out of range")
		}
		return time.Duration(f * float64(unit)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errors.New("not a duration")
	}
	return d, nil
}

// parseName keeps blanks: a quoted name may have them.
func parseName(value any) (string, error) {
	text, ok := value.(string)
	switch {
	case !ok:
		return "", errType
	case text == "":
		return "", errors.New("empty")
	case len(text) > nameBytesMax:
		return "", errors.New("too long")
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "", errors.New("not text")
	}
	return text, nil
}

// parseGroup takes a name, or none.
func parseGroup(value any) (string, error) {
	if value == "" {
		return "", nil
	}
	return parseName(value)
}

// parseTimeZone takes an IANA name in any case.
func parseTimeZone(value any) (string, error) {
	text, ok := value.(string)
	if !ok {
		return "", errType
	}
	text = strings.TrimSpace(text)
	if len(text) > nameBytesMax {
		return "", errors.New("too long")
	}
	for _, name := range []string{text, strings.ToUpper(text), titled(text)} {
		// "" and "Local" are Go's words for zones that differ from host to host; the two directories hold variants of
		// zones that ICU does not know.
		if name == "" || strings.EqualFold(name, "local") || strings.HasPrefix(name, "posix") || strings.HasPrefix(name, "right/") {
			continue
		}
		if _, err := time.LoadLocation(name); err == nil {
			return name, nil
		}
	}
	return "", errors.New("not a known time zone")
}

// titled writes america/new_york as America/New_York.
func titled(text string) string {
	b := []byte(strings.ToLower(text))
	start := true
	for i, c := range b {
		if start && 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
		start = c == '/' || c == '_' || c == '-'
	}
	return string(b)
}

// show prints a refused value for a message, shortened.
func show(value any) string {
	if s, ok := value.(string); ok {
		return strconv.Quote(clip(s))
	}
	return clip(fmt.Sprint(value))
}

// clip keeps messages short whatever a client sends.
func clip(s string) string {
	const bytesMax = 80
	if len(s) <= bytesMax {
		return s
	}
	return strings.ToValidUTF8(s[:bytesMax], "") + "…"
}
