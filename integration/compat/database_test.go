package compat

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	driver "github.com/apache/arrow-go/v18/arrow/flight/flightsql/driver"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// tlsName is the name under which the driver finds the authority.
const tlsName = "compat"

// databaseFeatures measures arrow-go's driver for database/sql.
func databaseFeatures(ctx context.Context, k *kit) error {
	s := k.setting
	pem, err := os.ReadFile(s.Secure.CA)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("no certificate in " + s.Secure.CA)
	}
	if err := driver.RegisterTLSConfig(tlsName, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}); err != nil {
		return err
	}
	defer func() { _ = driver.UnregisterTLSConfig(tlsName) }()
	const metadataReason, callReason = "database/sql has no calls for metadata", "database/sql has no such call"
	none := func(reason string) func(context.Context) error {
		return func(context.Context) error { return notApplicable(reason) }
	}
	open := databaseURL(strings.Replace(s.URI, "grpc://", "flightsql://", 1))
	return measure(ctx, "database-sql", moduleVersion("github.com/apache/arrow-go/v18"), []feature{
		{"login", databaseLogin(s)}, {"token", databaseToken(s)}, {"tls", databaseTLS(s)}, {"session", databaseSession(s)},
		{"session options", none(callReason)}, {"types", open.with(databaseTypes)}, {"errors", open.with(databaseErrors)},
		{"prepared", open.with(databasePrepared)}, {"parameters", open.with(databaseParameters)}, {"many rows bound", none(callReason)},
		{"temporary tables", open.with(databaseTemporary)}, {"ingest", none(callReason)}, {"transactions", open.with(databaseTransactions)},
		{"savepoints", none(callReason)}, {"catalogs", none(metadataReason)}, {"table schema", none(metadataReason)}, {"keys", none(metadataReason)},
		{"type info", none(metadataReason)}, {"server info", none(metadataReason)}, {"streaming", open.with(databaseStreaming(s))},
		{"endpoints", databaseWorkers(s)}, {"locations", func(context.Context) error { return absent("the driver reads all through the coordinator") }},
		{"partitions", none(callReason)}, {"poll", none(callReason)}, {"cancel", open.with(databaseCancel(s))}, {"timeout", open.with(databaseTimeout(s))},
		{"renew", none(callReason)}, {"25 workers", databaseWorkers(s)}, {"10 M rows", open.with(databaseWhole("large", s.LargeRows))},
		{"50 connections", open.with(databaseConnections(s))}, {"data frames", none("Go has no data frames of its own")}, {"plain flight", none(callReason)},
	})
}

// A databaseURL is a data source name.
type databaseURL string

func (u databaseURL) with(check func(context.Context, *sql.DB) error) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		db, err := sql.Open("flightsql", string(u))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		return check(ctx, db)
	}
}

func (s setting) databaseURL(user, parameters string) databaseURL {
	return databaseURL("flightsql://" + user + s.Secure.Address + "?tls=" + tlsName + parameters)
}

// one reads a value.
func one[T comparable](ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, want T, query string, args ...any,
) error {
	var got T
	if err := db.QueryRowContext(ctx, query, args...).Scan(&got); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", query, got, want)
	}
	return nil
}

func databaseLogin(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		err := s.databaseURL("ada:s3cret@", "").with(func(ctx context.Context, db *sql.DB) error {
			return one(ctx, db, s.SpreadRows, "SELECT count(*) FROM spread")
		})(ctx)
		for _, wrong := range []string{"ada:wrong@", "nobody:s3cret@", ""} {
			refused := s.databaseURL(wrong, "").with(func(ctx context.Context, db *sql.DB) error { return one(ctx, db, int32(1), "SELECT 1") })(ctx)
			err = errors.Join(err, fails(refused, codes.Unauthenticated, ""))
		}
		return err
	}
}

// bearer logs in by the Flight SQL client; the driver itself cannot turn a password into a token.
func (s setting) bearer(ctx context.Context) (string, error) {
	inside, c, err := dialGoSecure(ctx, s, s.Secure.CA, s.Secure.User, s.Secure.Password)
	if err != nil {
		return "", err
	}
	md, _ := metadata.FromOutgoingContext(inside)
	return strings.TrimPrefix(strings.Join(md.Get("authorization"), ""), "Bearer "), c.Close()
}

func (s setting) withToken(check func(context.Context, *sql.DB) error) func(context.Context) error {
	return func(ctx context.Context) error {
		token, err := s.bearer(ctx)
		if err != nil {
			return err
		}
		return s.databaseURL("", "&token="+token).with(check)(ctx)
	}
}

func databaseToken(s setting) func(context.Context) error {
	return s.withToken(func(ctx context.Context, db *sql.DB) error { return one(ctx, db, int32(42), "SELECT 42") })
}

func databaseTLS(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		one := func(ctx context.Context, db *sql.DB) error { return one(ctx, db, int32(1), "SELECT 1") }
		unknown := databaseURL("flightsql://ada:s3cret@" + s.Secure.Address + "?tls=enabled").with(one)(ctx)
		return errors.Join(s.databaseURL("ada:s3cret@", "").with(one)(ctx), fails(unknown, codes.Unavailable, "certificate"))
	}
}

func databaseSession(s setting) func(context.Context) error {
	return s.withToken(func(ctx context.Context, db *sql.DB) error {
		for _, step := range []struct{ set, want string }{{"SET arbalest.partitions = 7", "7"}, {"RESET arbalest.partitions", "0"}} {
			if _, err := db.ExecContext(ctx, step.set); err != nil {
				return err
			}
			if err := one(ctx, db, step.want, sessionValue); err != nil {
				return err
			}
		}
		return noted("a token in the DSN names one session for the whole pool; without one the driver keeps none")
	})
}

func databaseTypes(ctx context.Context, db *sql.DB) error {
	err := errors.Join(one(ctx, db, true, "SELECT true"), one(ctx, db, int64(-128), "SELECT (-128)::TINYINT"), one(ctx, db, int64(1<<40), "SELECT 1099511627776"),
		one(ctx, db, 1.5, "SELECT 1.5::FLOAT"), one(ctx, db, 12.25, "SELECT 12.25::DECIMAL(9,2)"), one(ctx, db, "héllo", "SELECT 'héllo'"),
		one(ctx, db, time.Date(1992, 2, 29, 0, 0, 0, 0, time.UTC), "SELECT DATE '1992-02-29'"),
		one(ctx, db, time.Date(1992, 2, 29, 12, 34, 56, 0, time.UTC), "SELECT TIMESTAMP '1992-02-29 12:34:56'"),
		one(ctx, db, sql.NullInt64{}, "SELECT NULL::BIGINT"))
	if err != nil {
		return err
	}
	for _, query := range []string{"SELECT 1::UINTEGER", "SELECT [1, 2]"} {
		var value any
		if err := db.QueryRowContext(ctx, query).Scan(&value); !errors.Is(err, driver.ErrNotSupported) {
			return fmt.Errorf("%s: %v, %w", query, value, err)
		}
	}
	return absent("the driver reads no unsigned integers and no nested values, and decimals as float64")
}

func databaseErrors(ctx context.Context, db *sql.DB) error {
	_, err := db.QueryContext(ctx, "SELECT nope FROM numbers") //nolint:rowserrcheck,sqlclosecheck // an error instead of rows is what is wanted
	return errors.Join(fails(err, codes.InvalidArgument, "nope"), one(ctx, db, int64(1), "SELECT 1::BIGINT"))
}

func databasePrepared(ctx context.Context, db *sql.DB) error {
	statement, err := db.PrepareContext(ctx, "SELECT count(*) FROM numbers WHERE n < ?")
	if err != nil {
		return err
	}
	defer statement.Close()
	for _, n := range []int64{3, 1000} {
		var got int64
		if err := statement.QueryRowContext(ctx, n).Scan(&got); err != nil || got != n {
			return fmt.Errorf("%d rows below %d, %w", got, n, err)
		}
	}
	return nil
}

func databaseParameters(ctx context.Context, db *sql.DB) error {
	err := errors.Join(one(ctx, db, true, "SELECT CAST(? AS BOOLEAN)", true), one(ctx, db, int64(-5), "SELECT CAST(? AS BIGINT)", int64(-5)),
		one(ctx, db, 1e300, "SELECT CAST(? AS DOUBLE)", 1e300), one(ctx, db, "héllo", "SELECT CAST(? AS VARCHAR)", "héllo"))
	if err != nil {
		return err
	}
	if err := one(ctx, db, int64(5), "SELECT CAST(? AS INTEGER)", int64(5)); err == nil {
		return errors.New("an INTEGER was bound: the driver can more than it could")
	}
	if err := one(ctx, db, sql.NullString{}, "SELECT CAST(? AS VARCHAR)", nil); err == nil {
		return errors.New("a NULL was bound: the driver can more than it could")
	}
	return absent("the driver binds BOOLEAN, BIGINT, DOUBLE and VARCHAR, nothing else and no NULL")
}

func databaseTemporary(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		sql  string
		rows int64
	}{
		{"CREATE TEMP TABLE notes (id BIGINT, note VARCHAR)", -1}, {"INSERT INTO notes VALUES (1, 'one'), (2, 'two'), (3, 'three')", 3},
		{"UPDATE notes SET note = upper(note) WHERE id < 3", 2}, {"DELETE FROM notes WHERE id = 2", 1},
	} {
		result, err := tx.ExecContext(ctx, step.sql)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", step.sql, err), tx.Rollback())
		}
		if n, err := result.RowsAffected(); err != nil || step.rows >= 0 && n != step.rows {
			return errors.Join(fmt.Errorf("%s: %d rows, %w", step.sql, n, err), tx.Rollback())
		}
	}
	if err := one(ctx, tx, "ONE", "SELECT note FROM notes WHERE id = 1"); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	_, err = tx.ExecContext(ctx, "DROP TABLE notes")
	if err := errors.Join(err, tx.Commit()); err != nil {
		return err
	}
	return noted("inside a transaction, or with a token in the DSN: otherwise each call is a session of its own")
}

func databaseTransactions(ctx context.Context, db *sql.DB) error {
	for _, commit := range []bool{true, false} {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "CREATE TEMP TABLE kept AS SELECT 1::BIGINT AS a")
		if err := errors.Join(err, one(ctx, tx, int64(1), "SELECT count(*) FROM kept")); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		// What is committed goes with the transaction's session; it is dropped first, so that the session holds nothing.
		end := tx.Rollback
		if commit {
			if _, err := tx.ExecContext(ctx, "DROP TABLE kept"); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			end = tx.Commit
		}
		if err := end(); err != nil {
			return err
		}
	}
	return nil
}

func databaseStreaming(s setting) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, s.Endless)
		if err != nil {
			return err
		}
		defer rows.Close()
		if !rows.Next() {
			return errors.Join(errors.New("no rows"), rows.Err())
		}
		return rows.Close()
	}
}

// databaseWhole reads a whole table of numbers.
func databaseWhole(table string, want int64) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, "SELECT n, s FROM "+table)
		if err != nil {
			return err
		}
		defer rows.Close()
		var count, sum, n int64
		var s string
		for rows.Next() {
			if err := rows.Scan(&n, &s); err != nil {
				return err
			}
			count++
			sum += n
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if count != want || sum != want*(want-1)/2 {
			return fmt.Errorf("%d rows of sum %d, want %d", count, sum, want)
		}
		return nil
	}
}

func databaseWorkers(s setting) func(context.Context) error {
	return s.withToken(func(ctx context.Context, db *sql.DB) error {
		if _, err := db.ExecContext(ctx, "SET arbalest.distributed = 'always'"); err != nil {
			return err
		}
		_, err := db.ExecContext(ctx, "SET arbalest.partitions = 0")
		return errors.Join(err, databaseWhole("spread", s.SpreadRows)(ctx, db), execute(ctx, db, "RESET arbalest.partitions"), execute(ctx, db, "RESET arbalest.distributed"))
	})
}

func execute(ctx context.Context, db *sql.DB, statement string) error {
	_, err := db.ExecContext(ctx, statement)
	return err
}

func databaseCancel(s setting) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		timer := time.AfterFunc(300*time.Millisecond, cancel)
		defer timer.Stop()
		err := one(running, db, int64(0), s.computing())
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "cancel") {
			return fmt.Errorf("was not cancelled: %w", err)
		}
		return one(ctx, db, int64(1), "SELECT 1::BIGINT")
	}
}

func databaseTimeout(s setting) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		err := one(ctx, db, int64(0), s.computing())
		if err == nil || !slices.ContainsFunc([]string{"DeadlineExceeded", "deadline exceeded"}, func(w string) bool { return strings.Contains(err.Error(), w) }) {
			return fmt.Errorf("did not time out: %w", err)
		}
		return nil
	}
}

// databaseConnections holds a pool's connections all at once, each with a prepared statement.
func databaseConnections(s setting) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		db.SetMaxOpenConns(s.Connections)
		db.SetMaxIdleConns(s.Connections)
		var held []*sql.Conn
		for range s.Connections {
			conn, err := db.Conn(ctx)
			if err != nil {
				return err
			}
			defer conn.Close()
			held = append(held, conn)
		}
		faults := make(chan error, len(held))
		for i, conn := range held {
			go func() {
				faults <- errors.Join(one(ctx, conn, int64(i), "SELECT count(*) FROM numbers WHERE n < ?", int64(i)),
					one(ctx, conn, int64(i), fmt.Sprintf("SELECT %d::BIGINT", i)))
			}()
		}
		var failed []error
		for range held {
			failed = append(failed, <-faults)
		}
		return errors.Join(failed...)
	}
}
