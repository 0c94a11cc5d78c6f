package compat

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/apache/arrow-adbc/go/adbc"
	driver "github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// adbcFeatures measures ADBC in Go; the suites that its authors wrote run in flightserver.
func adbcFeatures(ctx context.Context, k *kit) error {
	s := k.setting
	return measure(ctx, "adbc-go", moduleVersion("github.com/apache/arrow-adbc/go/adbc"), []feature{
		{"tls", adbcSecure(s, "SELECT n, s FROM spread", "", s.SpreadRows)},
		{"25 workers", adbcSecure(s, "SELECT n, s FROM spread", "SET arbalest.distributed = 'always'", s.SpreadRows)},
		{"10 M rows", func(ctx context.Context) error {
			return withADBC(ctx, map[string]string{adbc.OptionKeyURI: s.URI}, func(c adbc.Connection) error { return adbcWhole(ctx, c, "SELECT n, x, s FROM large", s.LargeRows) })
		}},
		{"50 connections", adbcConnections(s)}, {"token", adbcToken(s)}, {"session", adbcWith(s, adbcSession)},
		{"session options", adbcWith(s, adbcSessionOptions)}, {"prepared", adbcWith(s, adbcPrepared)}, {"many rows bound", adbcWith(s, adbcManyRows)},
		{"temporary tables", adbcWith(s, adbcTemporary)}, {"ingest", adbcWith(s, adbcIngest)}, {"transactions", adbcWith(s, adbcTransactions)},
		{"catalogs", adbcWith(s, adbcCatalogs)}, {"table schema", adbcWith(s, adbcTableSchema)}, {"keys", adbcWith(s, adbcKeys)},
		{"server info", adbcWith(s, adbcServerInfo)}, {"streaming", adbcWith(s, adbcStreaming)}, {"locations", adbcLocations(s)},
		{"partitions", adbcWith(s, adbcPartitions)}, {"poll", adbcWith(s, adbcPoll)}, {"timeout", adbcWith(s, adbcTimeout)},
		{"savepoints", lacks("ADBC has no savepoints")}, {"type info", lacks("ADBC has no call for the types of SQL")},
		{"renew", lacks("ADBC has no call to give a result more time")}, {"data frames", lacks("the client has no data frames, only Arrow's batches")},
		{"plain flight", lacks("ADBC speaks Flight SQL only")},
	})
}

// lacks is the check of a feature that the client has no call for.
func lacks(what string) func(context.Context) error {
	return func(context.Context) error { return notApplicable(what) }
}

func withADBC(ctx context.Context, options map[string]string, use func(adbc.Connection) error) (err error) {
	db, err := driver.NewDriver(memory.DefaultAllocator).NewDatabase(options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return useADBC(ctx, db, use)
}

func useADBC(ctx context.Context, db adbc.Database, use func(adbc.Connection) error) (err error) {
	connection, err := db.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	return use(connection)
}

func adbcSecure(s setting, query, set string, rows int64) func(context.Context) error {
	return func(ctx context.Context) error {
		root, err := readRoot(s)
		if err != nil {
			return err
		}
		options := map[string]string{adbc.OptionKeyURI: s.Secure.URI, adbc.OptionKeyUsername: s.Secure.User, adbc.OptionKeyPassword: s.Secure.Password,
			driver.OptionSSLRootCerts: root}
		return withADBC(ctx, options, func(c adbc.Connection) error {
			if set != "" {
				if _, err := adbcRead(ctx, c, set, nil); err != nil {
					return err
				}
			}
			return adbcWhole(ctx, c, query, rows)
		})
	}
}

func readRoot(s setting) (string, error) {
	root, err := os.ReadFile(s.Secure.CA)
	return string(root), err
}

func adbcRead(ctx context.Context, c adbc.Connection, query string, use func(array.RecordReader)) (rows int64, err error) {
	statement, err := c.NewStatement()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, statement.Close()) }()
	if err := statement.SetSqlQuery(query); err != nil {
		return 0, err
	}
	reader, _, err := statement.ExecuteQuery(ctx)
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	for reader.Next() {
		rows += reader.RecordBatch().NumRows()
		if use != nil {
			use(reader)
		}
	}
	return rows, reader.Err()
}

func adbcWhole(ctx context.Context, c adbc.Connection, query string, want int64) error {
	var sum int64
	rows, err := adbcRead(ctx, c, query, func(r array.RecordReader) {
		for _, n := range r.RecordBatch().Column(0).(*array.Int64).Int64Values() {
			sum += n
		}
	})
	if err == nil && (rows != want || sum != want*(want-1)/2) {
		err = fmt.Errorf("%d rows of sum %d, want %d", rows, sum, want)
	}
	return err
}

func adbcConnections(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		faults := make(chan error, s.Connections)
		for i := range s.Connections {
			go func() {
				faults <- withADBC(ctx, map[string]string{adbc.OptionKeyURI: s.URI}, func(c adbc.Connection) error {
					if _, err := adbcRead(ctx, c, fmt.Sprintf("CREATE TEMP TABLE own AS SELECT %d AS i", i), nil); err != nil {
						return err
					}
					rows, err := adbcRead(ctx, c, "SELECT * FROM own", nil)
					if err == nil && rows != 1 {
						err = fmt.Errorf("%d rows", rows)
					}
					return err
				})
			}()
		}
		var failed []error
		for range s.Connections {
			failed = append(failed, <-faults)
		}
		return errors.Join(failed...)
	}
}
