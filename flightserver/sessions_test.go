package flightserver

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
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
