//go:build linux

package chaos

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/ports"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

const (
	// slowLatencyMillis is what a message takes each way, as between continents; slowKBPerSecond what a bad line passes.
	slowLatencyMillis = 80
	slowKBPerSecond   = 2000
)

// TestSlowLink puts a slow line before one worker of three: nobody takes the worker for lost, and the rows are right.
func TestSlowLink(t *testing.T) {
	data, want := answers(t, matrixScale)
	addresses, err := ports.Free("127.0.0.1", 2)
	must(t, err)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	line := toxiproxy.NewProxy(server, "worker-1", addresses[0], addresses[1])
	must(t, line.Start())
	defer line.Stop()
	cluster := harness.Start(t, harness.Options{Data: []string{data}, Workers: workers, Site: func(i int) harness.Site {
		if i > 0 {
			return harness.Site{}
		}
		return harness.Site{Listen: addresses[1], Advertise: addresses[0]}
	}})
	session, err := client.Dial(t.Context(), cluster.Door.Address, client.Options{})
	must(t, err)
	defer session.Close()
	must(t, session.Exec(t.Context(), "SET arbalest.distributed = 'always'"))
	run := func(t *testing.T) time.Duration {
		t.Helper()
		start := time.Now()
		for _, n := range []int{3, 9, 13, 18} {
			q := tpch.Queries()[n-1]
			end := ask(t.Context(), session, q.SQL)
			if end.err != nil {
				t.Errorf("%s after %s: %v", q.Name, end.elapsed.Round(time.Millisecond), end.err)
			} else if err := oracle.Compare(want[n], end.rows, tpch.OrderBy[n]...); err != nil {
				t.Errorf("%s: %v", q.Name, err)
			}
		}
		if err := cluster.WaitIdle(t.Context()); err != nil {
			t.Error(err)
		}
		return time.Since(start)
	}
	fast := run(t)
	for _, direction := range []string{"upstream", "downstream"} {
		toxic(t, line, "latency", direction, "latency", slowLatencyMillis)
		toxic(t, line, "bandwidth", direction, "rate", slowKBPerSecond)
	}
	slow := run(t)
	t.Logf("four queries: %s, over the slow line %s", fast.Round(time.Millisecond), slow.Round(time.Millisecond))
	if least := 4 * slowLatencyMillis * time.Millisecond; slow < least {
		t.Errorf("over the slow line the queries took %s, less than one way there and back each: it was not slow", slow)
	}
	m, err := cluster.Door.Metrics(t.Context())
	must(t, err)
	if n, _ := m.Sum(metricLost); n > 0 {
		t.Errorf("%v workers were taken for lost, and all were there", n)
	}
}

func toxic(t *testing.T, line *toxiproxy.Proxy, kind, stream, attribute string, value int) {
	t.Helper()
	_, err := line.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":{%q:%d}}`, kind, stream, attribute, value)))
	must(t, err)
}
