package harness

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Metrics is one reading of a process's /metrics: the value of each series, by name and labels as printed.
type Metrics map[string]float64

// Metrics reads the process's /metrics page.
func (p *Process) Metrics(ctx context.Context) (Metrics, error) {
	var m Metrics
	err := get(ctx, "http://"+p.HTTP+"/metrics", func(body io.Reader) (err error) {
		m, err = parseMetrics(body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("metrics of %s: %w", p.Name, err)
	}
	return m, nil
}

// Sum adds up every series of a name whose printed labels contain all of the given pieces (`state="running"`).
// The second result says whether there was any.
func (m Metrics) Sum(name string, labels ...string) (float64, bool) {
	var sum float64
	var found bool
series:
	for key, value := range m {
		base, rest, _ := strings.Cut(key, "{")
		if base != name {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(rest, label) {
				continue series
			}
		}
		sum += value
		found = true
	}
	return sum, found
}

func parseMetrics(body io.Reader) (Metrics, error) {
	m := Metrics{}
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		// A label's value may hold spaces, so the value is what follows the last one.
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			return nil, fmt.Errorf("cannot read the line %q", line)
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("cannot read the line %q: %w", line, err)
		}
		m[line[:at]] = value
	}
	return m, lines.Err()
}

// get reads a page; use, when given, takes the body of a 200.
func get(ctx context.Context, url string, use func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Close = true // an idle connection would show in the server's descriptor count
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("%s: %s: %s", url, response.Status, strings.TrimSpace(string(text)))
	}
	if use == nil {
		return nil
	}
	return use(response.Body)
}
