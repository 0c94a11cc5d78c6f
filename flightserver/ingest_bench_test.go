package flightserver

import "testing"

// BenchmarkIngest writes a million rows of an integer and a text, some hundred bytes each, into a temporary table of two workers.
func BenchmarkIngest(b *testing.B) {
	r := startReal(b, 2, nil)
	b.Cleanup(func() { r.cluster.Idle(b) }) // after the sessions are closed
	c := r.session(b)
	const rows, batches = 20_000, 50
	for b.Loop() {
		reader := newProduced(b, rows, batches, func(int) {})
		if n, err := c.ExecuteIngest(testContext(b), reader, ingestOptions(true, "replace", "million")); err != nil || n != rows*batches {
			b.Fatal(n, err)
		}
	}
	b.StopTimer()
	if _, err := c.ExecuteUpdate(testContext(b), "DROP TABLE million"); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)*rows*batches/b.Elapsed().Seconds(), "rows/s")
	b.SetBytes(rows * batches * 102)
}
