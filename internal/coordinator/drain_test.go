package coordinator

import (
	"context"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestDrain(t *testing.T) {
	b := newBench(t, 1)
	q := b.submit("scan")
	brief, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.c.Drain(brief); err == nil {
		t.Error("Drain did not wait for the query")
	}
	if _, err := b.trySubmit("scan"); !qerr.Is(err, qerr.Unavailable) {
		t.Errorf("Submit while draining gave %v, want Unavailable", err)
	}
	if q.State().Status.Final() {
		t.Error("draining ended the query")
	}
	drained := make(chan error, 1)
	go func() { drained <- b.c.Drain(t.Context()) }()
	q.Cancel(nil)
	if err := <-drained; err != nil {
		t.Errorf("after the last query: %v", err)
	}
	if err := b.c.Drain(t.Context()); err != nil {
		t.Errorf("without a query: %v", err)
	}
}
