package flightserver

import (
	"context"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// Most clients cannot close a session. One that has given back all it was given leaves nothing behind, and what it was given
// means nothing in the session that comes after it under the same name.
func TestEmptySessionsAreForgotten(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	ctx := testContext(t)
	empty := func(after string) {
		t.Helper()
		if u := f.Usage(); u != (Usage{}) {
			t.Errorf("after %s: %+v", after, u)
		}
	}
	first := prepareStatement(t, c, "params ?")
	old := first.Handle()
	if u := f.Usage(); u.Sessions != 1 || u.Statements != 1 {
		t.Errorf("with a statement: %+v", u)
	}
	if err := first.Close(ctx); err != nil {
		t.Fatal(err)
	}
	empty("the last statement")
	second := prepareStatement(t, c, "params ?")
	_, err := flightsql.NewPreparedStatement(c, old).GetSchema(ctx)
	wantCode(t, err, codes.NotFound)
	if err := second.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for _, commit := range []bool{true, false} {
		transaction, err := c.BeginTransaction(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if u := f.Usage(); u.Sessions != 1 || u.Transactions != 1 {
			t.Errorf("in a transaction: %+v", u)
		}
		end := transaction.Rollback
		if commit {
			end = transaction.Commit
		}
		if err := end(ctx); err != nil {
			t.Fatal(err)
		}
		empty("a transaction")
	}
}

// A client without token and cookie has a session a call. What it prepares in a transaction runs in the transaction's session,
// while that is open and after.
func TestPreparedInATransaction(t *testing.T) {
	f := start(t, nil)
	c := f.client(t) // keeps nothing
	ctx := testContext(t)
	transaction, err := c.BeginTransaction(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transaction.Execute(ctx, "rows 1 1"); err != nil {
		t.Fatal(err)
	}
	inside, _ := f.fake.last()
	p, err := transaction.Prepare(ctx, "params ?")
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(context.Context, ...grpc.CallOption) error{transaction.Rollback, p.Close} {
		batch := integersBatch(t, 7)
		p.SetParameters(batch)
		info, err := p.Execute(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := integers(read(t, c, info)); !slices.Equal(got, []int64{7}) {
			t.Errorf("got %v", got)
		}
		if r, _ := f.fake.last(); r.Session != inside.Session {
			t.Errorf("ran in session %s, the transaction's is %s", r.Session, inside.Session)
		}
		if err := end(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if u := f.Usage(); u != (Usage{}) {
		t.Errorf("%+v is left", u)
	}
}
