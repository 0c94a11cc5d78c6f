package auth

import (
	"fmt"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestAttempts(t *testing.T) {
	var a Attempts
	at := now
	for range attemptsFree {
		if err := a.Check("k", at); err != nil {
			t.Fatal(err)
		}
		a.Done("k", true, at)
	}
	wait := attemptsWaitMin
	for range 10 {
		wantKind(t, a.Check("k", at.Add(wait-time.Millisecond)), qerr.Unavailable)
		if err := a.Check("other", at); err != nil {
			t.Error(err)
		}
		at = at.Add(wait)
		if err := a.Check("k", at); err != nil {
			t.Fatalf("after %s: %v", wait, err)
		}
		a.Done("k", true, at)
		wait = min(2*wait, attemptsWaitMax)
	}
	if wait != attemptsWaitMax {
		t.Errorf("the wait has grown to %s only", wait)
	}
	a.Done("k", false, at)
	if err := a.Check("k", at); err != nil {
		t.Errorf("a success was not the end of it: %v", err)
	}
	for range attemptsFree {
		a.Done("k", true, at)
	}
	if err := a.Check("k", at.Add(attemptsForget)); err != nil {
		t.Errorf("never forgotten: %v", err)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	var a Attempts
	for i := range attemptsKeysMax + 10 {
		a.Done(fmt.Sprint(i), true, now)
	}
	if len(a.byKey) != attemptsKeysMax || a.order.Len() != attemptsKeysMax {
		t.Errorf("%d keys, %d in order", len(a.byKey), a.order.Len())
	}
}
