package harness

import (
	"strings"
	"testing"
)

func TestParseMetrics(t *testing.T) {
	m, err := parseMetrics(strings.NewReader("# HELP x y\n# TYPE x gauge\nx{state=\"a b\",w=\"1\"} 2\nx{state=\"c\",w=\"1\"} 3e2\ny 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		labels []string
		sum    float64
		found  bool
	}{{nil, 302, true}, {[]string{`state="a b"`}, 2, true}, {[]string{`w="1"`, `state="c"`}, 300, true}, {[]string{`w="2"`}, 0, false}} {
		if sum, found := m.Sum("x", c.labels...); sum != c.sum || found != c.found {
			t.Errorf("Sum(x, %q) = %v, %v; want %v, %v", c.labels, sum, found, c.sum, c.found)
		}
	}
	if _, err := parseMetrics(strings.NewReader("x notanumber\n")); err == nil {
		t.Error("a line without a value was taken")
	}
}
