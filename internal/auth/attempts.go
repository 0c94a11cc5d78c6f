package auth

import (
	"container/list"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// attemptsFree is how many logins may fail in a row before the next one has to wait: a person who mistypes is not bothered.
	attemptsFree = 5
	// attemptsWaitMin is the first wait, doubled with each further failure up to attemptsWaitMax: 120 guesses an hour in the end.
	attemptsWaitMin = time.Second
	attemptsWaitMax = 30 * time.Second
	// attemptsForget is after how long without a failure a row of them is forgotten.
	attemptsForget = 15 * time.Minute
	// attemptsKeysMax bounds what is remembered; past it the one that failed longest ago is forgotten. A key has some 300 bytes.
	attemptsKeysMax = 10000
)

// Attempts slows down who guesses passwords: after some failures in a row of one key, such as a user's name with the address that it
// comes from, the next try has to wait. The zero value is ready. Safe for concurrent use.
type Attempts struct {
	mu    sync.Mutex
	byKey map[string]*list.Element // of *attempt
	order *list.List               // the last failure at the back
}

type attempt struct {
	key    string
	failed int
	last   time.Time
}

// Check fails as Unavailable while the key has to wait, before any password is looked at.
func (a *Attempts) Check(key string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.byKey[key]
	if e == nil {
		return nil
	}
	one := e.Value.(*attempt) // Nothing else is put there.
	if now.Sub(one.last) >= attemptsForget {
		a.drop(e)
		return nil
	}
	if wait := one.last.Add(one.wait()).Sub(now); wait > 0 {
		return qerr.New(qerr.Unavailable, "too many failed logins: try again in %s", wait.Round(time.Second)+time.Second)
	}
	return nil
}

func (one *attempt) wait() time.Duration {
	if one.failed < attemptsFree {
		return 0
	}
	wait := attemptsWaitMin
	for range one.failed - attemptsFree {
		wait = min(2*wait, attemptsWaitMax)
	}
	return wait
}

// Done notes how a login ended. A success forgets the failures.
func (a *Attempts) Done(key string, failed bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byKey == nil {
		a.byKey, a.order = map[string]*list.Element{}, list.New()
	}
	e := a.byKey[key]
	switch {
	case !failed && e != nil:
		a.drop(e)
	case failed && e == nil:
		for len(a.byKey) >= attemptsKeysMax {
			a.drop(a.order.Front())
		}
		a.byKey[key] = a.order.PushBack(&attempt{key: key, failed: 1, last: now})
	case failed:
		one := e.Value.(*attempt) // Nothing else is put there.
		one.failed, one.last = min(one.failed+1, attemptsFree+16), now
		a.order.MoveToBack(e)
	}
}

// drop forgets a key; mu is held.
func (a *Attempts) drop(e *list.Element) {
	one := a.order.Remove(e).(*attempt) // Nothing else is put there.
	delete(a.byKey, one.key)
}
