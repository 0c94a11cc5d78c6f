package compat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

func loginGo(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		inside, c, err := dialGoSecure(ctx, s, s.Secure.CA, s.Secure.User, s.Secure.Password)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.query(inside, "SELECT count(*) FROM spread", fmt.Sprint(s.SpreadRows)); err != nil {
			return err
		}
		for _, wrong := range []string{"ada", "nobody"} {
			_, _, err := dialGoSecure(ctx, s, s.Secure.CA, wrong, "wrong")
			if err := fails(err, codes.Unauthenticated, ""); err != nil {
				return fmt.Errorf("%s: %w", wrong, err)
			}
		}
		_, stranger, err := dialGoSecure(ctx, s, s.Secure.CA, "", "")
		if err != nil {
			return err
		}
		defer stranger.Close()
		return fails(stranger.set(ctx, "SELECT 1"), codes.Unauthenticated, "")
	}
}

func tokenGo(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		inside, first, err := dialGoSecure(ctx, s, s.Secure.CA, s.Secure.User, s.Secure.Password)
		if err != nil {
			return err
		}
		defer first.Close()
		bearer := bearerOf(inside)
		if !strings.HasPrefix(bearer, "Bearer ") {
			return fmt.Errorf("the login gave %.20q", bearer)
		}
		_, second, err := dialGoSecure(ctx, s, s.Secure.CA, "", "")
		if err != nil {
			return err
		}
		defer second.Close()
		if err := second.query(metadata.AppendToOutgoingContext(ctx, "authorization", bearer), "SELECT 42", "42"); err != nil {
			return err
		}
		forged := metadata.AppendToOutgoingContext(ctx, "authorization", bearer[:len(bearer)-2]+"xx")
		return fails(second.set(forged, "SELECT 1"), codes.Unauthenticated, "")
	}
}

// bearerOf is the token of a login, as its header.
func bearerOf(inside context.Context) string {
	md, _ := metadata.FromOutgoingContext(inside)
	return strings.Join(md.Get("authorization"), "")
}

func tlsGo(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, c, err := dialGoSecure(ctx, s, s.Secure.CA, s.Secure.User, s.Secure.Password)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.query(ctx, "SELECT 1", "1"); err != nil {
			return err
		}
		_, _, err = dialGoSecure(ctx, s, "", s.Secure.User, s.Secure.Password)
		return fails(err, codes.Unavailable, "certificate")
	}
}

func workersGo(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, c, err := dialGoSecure(ctx, s, s.Secure.CA, s.Secure.User, s.Secure.Password)
		if err != nil {
			return err
		}
		defer c.Close()
		return all(
			func() error { return c.set(ctx, "SET arbalest.distributed = 'always'") },
			func() error { return c.whole(ctx, "SELECT n, s FROM spread", s.SpreadRows, s.Secure.Workers) },
			func() error { return c.leave(ctx) },
		)
	}
}

const sessionValue = "SELECT value FROM sys.settings WHERE name = 'arbalest.partitions'"

func sessionGo(ctx context.Context, c *goClient) error {
	other, err := dialGo(ctx, c.setting)
	if err != nil {
		return err
	}
	defer other.Close()
	return all(
		func() error { return c.set(ctx, "SET arbalest.partitions = 7") },
		func() error { return c.query(ctx, sessionValue, "7") },
		func() error { return other.query(ctx, sessionValue, "0") },
		func() error { return c.set(ctx, "RESET arbalest.partitions") },
		func() error {
			return noted("with the cookie middleware; begin with another call than ExecuteUpdate, whose cookie it does not see")
		},
	)
}

func preparedGo(ctx context.Context, c *goClient) (err error) {
	p, err := c.Prepare(ctx, "SELECT n, s FROM numbers WHERE n < 3 ORDER BY n")
	if err != nil {
		return err
	}
	if names := p.DatasetSchema().Fields(); len(names) != 2 || names[0].Name != "n" {
		return fmt.Errorf("the result's schema is %v", names)
	}
	for range 2 {
		info, err := p.Execute(ctx)
		if err := c.rows(ctx, info, err, "0|0", "1|1", "2|2"); err != nil {
			return err
		}
	}
	if _, err := p.GetSchema(ctx); err != nil {
		return err
	}
	return p.Close(ctx)
}

func transactionsGo(ctx context.Context, c *goClient) error {
	if _, err := c.ExecuteUpdate(ctx, "CREATE TEMP TABLE kept (a INTEGER)"); err != nil {
		return err
	}
	for _, commit := range []bool{false, true} {
		tx, err := c.BeginTransaction(ctx)
		if err != nil {
			return err
		}
		if n, err := tx.ExecuteUpdate(ctx, "INSERT INTO kept VALUES (1), (2)"); err != nil || n != 2 {
			return fmt.Errorf("%d rows, %w", n, err)
		}
		info, err := tx.Execute(ctx, "SELECT count(*) FROM kept")
		if err := c.rows(ctx, info, err, "2"); err != nil {
			return err
		}
		p, err := tx.Prepare(ctx, "SELECT count(*) FROM kept")
		if err != nil {
			return err
		}
		info, err = p.Execute(ctx)
		if err := errors.Join(c.rows(ctx, info, err, "2"), p.Close(ctx)); err != nil {
			return err
		}
		end, want := tx.Rollback, "0"
		if commit {
			end, want = tx.Commit, "2"
		}
		if err := errors.Join(end(ctx), c.query(ctx, "SELECT count(*) FROM kept", want)); err != nil {
			return err
		}
	}
	return nil
}

func savepointsGo(ctx context.Context, c *goClient) error {
	if _, err := c.ExecuteUpdate(ctx, "CREATE TEMP TABLE kept (a INTEGER)"); err != nil {
		return err
	}
	tx, err := c.BeginTransaction(ctx)
	if err != nil {
		return err
	}
	insert := func() error {
		_, err := tx.ExecuteUpdate(ctx, "INSERT INTO kept VALUES (1)")
		return err
	}
	count := func(want string) func() error {
		return func() error {
			info, err := tx.Execute(ctx, "SELECT count(*) FROM kept")
			return c.rows(ctx, info, err, want)
		}
	}
	var savepoint flightsql.Savepoint
	begin := func() (err error) {
		savepoint, err = tx.BeginSavepoint(ctx, "here")
		return err
	}
	return all(insert, begin, insert, count("2"), func() error { return tx.RollbackSavepoint(ctx, savepoint) }, count("1"),
		begin, insert, func() error { return tx.ReleaseSavepoint(ctx, savepoint) }, count("2"), func() error { return tx.Commit(ctx) })
}

func streamingGo(ctx context.Context, c *goClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	info, err := c.Execute(ctx, c.setting.Endless)
	if err != nil {
		return err
	}
	reader, err := c.DoGet(ctx, info.GetEndpoint()[0].GetTicket())
	if err != nil {
		return err
	}
	defer reader.Release()
	if !reader.Next() || reader.RecordBatch().NumRows() == 0 {
		return fmt.Errorf("no rows: %w", reader.Err())
	}
	_, err = c.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info})
	return err
}

func endpointsGo(ctx context.Context, c *goClient) error {
	if err := c.set(ctx, "SET arbalest.distributed = 'always'"); err != nil {
		return err
	}
	return c.whole(ctx, "SELECT n, x, s FROM numbers", c.setting.Rows, workers)
}

func largeGo(ctx context.Context, c *goClient) error {
	if err := c.set(ctx, "SET arbalest.distributed = 'always'"); err != nil {
		return err
	}
	return c.whole(ctx, "SELECT n, x, s FROM large", c.setting.LargeRows, workers)
}

// partitionsGo reads each endpoint in a session and over a connection of its own, of which the first knows nothing.
func partitionsGo(ctx context.Context, c *goClient) error {
	if err := c.set(ctx, "SET arbalest.distributed = 'always'"); err != nil {
		return err
	}
	info, err := c.Execute(ctx, "SELECT n, s FROM numbers")
	if err != nil {
		return err
	}
	other, err := dialGo(ctx, c.setting)
	if err != nil {
		return err
	}
	defer other.Close()
	return other.wholeInfo(ctx, info, c.setting.Rows)
}

// computing gives one row after more work than anybody waits for.
func (s setting) computing() string { return "SELECT count(*), max(hash(c)) FROM (" + s.Endless + ")" }

func cancelGo(ctx context.Context, c *goClient) error {
	info, err := c.Execute(ctx, c.setting.computing())
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.texts(ctx, info, nil)
		ended <- err
	}()
	time.Sleep(300 * time.Millisecond) // it runs, or is about to: a cancel is right at either time
	if _, err := c.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info}); err != nil {
		return err
	}
	if err := fails(<-ended, codes.Canceled, ""); err != nil {
		return err
	}
	if info, err = c.Execute(ctx, c.setting.computing()); err != nil {
		return err
	}
	if result, err := c.CancelQuery(ctx, info); err != nil || result != flightsql.CancelResultCancelled {
		return fmt.Errorf("CancelQuery: %v, %w", result, err)
	}
	return c.query(ctx, "SELECT 1", "1")
}

func timeoutGo(ctx context.Context, c *goClient) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return fails(c.set(ctx, c.setting.computing()), codes.DeadlineExceeded, "")
}

func renewGo(ctx context.Context, c *goClient) error {
	if err := c.set(ctx, "SET arbalest.results = 'spool'"); err != nil {
		return err
	}
	info, err := c.Execute(ctx, "SELECT n, s FROM numbers")
	if err != nil {
		return err
	}
	first := info.GetEndpoint()[0]
	renewed, err := c.RenewFlightEndpoint(ctx, &flight.RenewFlightEndpointRequest{Endpoint: first})
	if err != nil {
		return err
	}
	if !renewed.GetExpirationTime().AsTime().After(first.GetExpirationTime().AsTime()) {
		return fmt.Errorf("%s is not after %s", renewed.GetExpirationTime().AsTime(), first.GetExpirationTime().AsTime())
	}
	for range 2 {
		if err := c.wholeInfo(ctx, info, c.setting.Rows); err != nil {
			return err
		}
	}
	_, err = c.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info})
	return err
}

// connectionsGo holds many sessions at once, each with a statement, a binding and a temporary table.
func connectionsGo(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		faults := make(chan error, s.Connections)
		for i := range s.Connections {
			go func() {
				faults <- s.with(func(ctx context.Context, c *goClient) error {
					if _, err := c.ExecuteUpdate(ctx, fmt.Sprintf("CREATE TEMP TABLE own AS SELECT %d AS i", i)); err != nil {
						return err
					}
					return errors.Join(c.bound(ctx, "SELECT count(*) FROM numbers WHERE n < ?", integers(10), "10"),
						c.query(ctx, "SELECT i FROM own", fmt.Sprint(i)))
				})(ctx)
			}()
		}
		var failed []error
		for range s.Connections {
			if err := <-faults; err != nil {
				failed = append(failed, err)
			}
		}
		return errors.Join(failed...)
	}
}
