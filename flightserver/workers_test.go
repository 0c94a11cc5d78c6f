package flightserver

import (
	"slices"
	"testing"
)

// A result of many workers names no more locations than clients keep connections; the other endpoints are read here.
func TestManyWorkers(t *testing.T) {
	r := startReal(t, 25, nil)
	c := r.session(t)
	always := map[string]any{"arbalest.distributed": "always", "arbalest.join_strategy": "exchange", "arbalest.partitions": int64(25)}
	if faults := set(t, c, always); len(faults) > 0 {
		t.Fatal(faults)
	}
	info, err := c.Execute(testContext(t), "SELECT a.kind, count(*) FROM events a JOIN events b USING (id) GROUP BY a.kind, a.id")
	if err != nil {
		t.Fatal(err)
	}
	locations := map[string]bool{}
	for _, e := range info.GetEndpoint() {
		for _, l := range e.GetLocation() {
			locations[l.GetUri()] = true
		}
	}
	if len(info.GetEndpoint()) != 25 || len(locations) != 20 {
		t.Errorf("%d endpoints at %d locations", len(info.GetEndpoint()), len(locations))
	}
	if n := count(read(t, c, info)); n != eventFiles*eventPerFile {
		t.Errorf("%d rows", n)
	}
	conn := connect(t, r.fixture, nil) // ADBC reads all endpoints at once, at their locations
	reader, _, err := adbcStatement(t, conn, "SELECT a.id FROM events a JOIN events b USING (id)").ExecuteQuery(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	ids := adbcIntegers(t, reader)
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != eventFiles*eventPerFile {
		t.Errorf("%d rows by ADBC", n)
	}
	r.cluster.Idle(t)
}
