package compat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-adbc/go/adbc"
	driver "github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// adbcWith runs a check over a connection of its own.
func adbcWith(s setting, check func(context.Context, setting, adbc.Connection) error) func(context.Context) error {
	return func(ctx context.Context) error {
		return withADBC(ctx, map[string]string{adbc.OptionKeyURI: s.URI}, func(c adbc.Connection) error { return check(ctx, s, c) })
	}
}

// adbcStatement runs a check with a statement of a text; "" for none.
func adbcStatement(c adbc.Connection, query string, use func(adbc.Statement) error) (err error) {
	statement, err := c.NewStatement()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, statement.Close()) }()
	if query != "" {
		if err := statement.SetSqlQuery(query); err != nil {
			return err
		}
	}
	return use(statement)
}

// adbcTexts reads what a statement gives as one text a row.
func adbcTexts(ctx context.Context, s adbc.Statement) ([]string, error) {
	reader, _, err := s.ExecuteQuery(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	return readerTexts(reader)
}

func readerTexts(reader array.RecordReader) (all []string, err error) {
	for reader.Next() {
		batch := reader.RecordBatch()
		for row := range int(batch.NumRows()) {
			var cells []string
			for _, column := range batch.Columns() {
				cells = append(cells, column.ValueStr(row))
			}
			all = append(all, strings.Join(cells, "|"))
		}
	}
	return all, reader.Err()
}

// adbcQuery fails unless a statement's result has these rows.
func adbcQuery(ctx context.Context, c adbc.Connection, query string, want ...string) error {
	return adbcStatement(c, query, func(s adbc.Statement) error {
		got, err := adbcTexts(ctx, s)
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("%s: got %q, want %q", query, got, want)
		}
		return err
	})
}

// adbcUpdate fails unless a statement changes so many rows; -1: it is no matter.
func adbcUpdate(ctx context.Context, c adbc.Connection, query string, want int64) error {
	return adbcStatement(c, query, func(s adbc.Statement) error {
		n, err := s.ExecuteUpdate(ctx)
		if err == nil && want >= 0 && n != want {
			err = fmt.Errorf("%s: %d rows, want %d", query, n, want)
		}
		return err
	})
}

// adbcFails wants an ADBC error of a status that holds a word.
func adbcFails(err error, status adbc.Status, word string) error {
	var fault adbc.Error
	if !errors.As(err, &fault) || fault.Code != status || !strings.Contains(fault.Error(), word) {
		return fmt.Errorf("refused as %w, want %s and %q", err, status, word)
	}
	return nil
}

func adbcToken(s setting) func(context.Context) error {
	return func(ctx context.Context) error {
		root, err := readRoot(s)
		if err != nil {
			return err
		}
		inside, first, err := dialGoSecure(ctx, s, s.Secure.CA, s.Secure.User, s.Secure.Password)
		if err != nil {
			return err
		}
		defer first.Close()
		bearer := bearerOf(inside)
		try := func(token string) error {
			options := map[string]string{adbc.OptionKeyURI: s.Secure.URI, driver.OptionSSLRootCerts: root, driver.OptionAuthorizationHeader: token}
			return withADBC(ctx, options, func(c adbc.Connection) error { return adbcQuery(ctx, c, "SELECT 42", "42") })
		}
		if err := try(bearer); err != nil {
			return err
		}
		err = try(bearer[:len(bearer)-2] + "xx")
		// The driver tries the token before the statement, and tells nobody; after the guesses of the other clients, the statement's own
		// call has to wait then.
		if adbcFails(err, adbc.StatusIO, "too many failed logins") == nil {
			return nil
		}
		return adbcFails(err, adbc.StatusUnauthenticated, "")
	}
}

func adbcSession(ctx context.Context, s setting, c adbc.Connection) error {
	return withADBC(ctx, map[string]string{adbc.OptionKeyURI: s.URI}, func(other adbc.Connection) error {
		return all(
			func() error { return adbcUpdate(ctx, c, "SET arbalest.partitions = 7", -1) },
			func() error { return adbcQuery(ctx, c, sessionValue, "7") },
			func() error { return adbcQuery(ctx, other, sessionValue, "0") },
			func() error { return adbcUpdate(ctx, c, "RESET arbalest.partitions", -1) },
		)
	})
}

func adbcSessionOptions(ctx context.Context, s setting, c adbc.Connection) error {
	options, ok := c.(adbc.GetSetOptions)
	if !ok {
		return errors.New("the connection has no options")
	}
	name := driver.OptionSessionOptionPrefix + "arbalest.partitions"
	if err := options.SetOptionInt(name, 5); err != nil {
		return err
	}
	if err := options.SetOption(driver.OptionBoolSessionOptionPrefix+"arbalest.ordered_endpoints", adbc.OptionValueEnabled); err != nil {
		return err
	}
	text, err := options.GetOption(driver.OptionSessionOptions)
	if err != nil {
		return err
	}
	var every map[string]any
	if err := json.Unmarshal([]byte(text), &every); err != nil || every["arbalest.ordered_endpoints"] != true {
		return fmt.Errorf("all options are %s, %w", text, err)
	}
	if n, err := options.GetOptionInt(name); err != nil || n != 5 {
		return fmt.Errorf("partitions are %d, %w", n, err)
	}
	if err := options.SetOption(driver.OptionEraseSessionOptionPrefix+"arbalest.partitions", ""); err != nil {
		return err
	}
	if n, err := options.GetOptionInt(name); err != nil || n != 0 {
		return fmt.Errorf("erased partitions are %d, %w", n, err)
	}
	if err := options.SetOption(driver.OptionSessionOptionPrefix+"no.such.option", "1"); err == nil {
		return errors.New("an option that is none was set")
	}
	if catalog, err := options.GetOption(adbc.OptionKeyCurrentCatalog); err != nil || catalog != "arbalest" {
		return fmt.Errorf("the catalog is %q, %w", catalog, err)
	}
	// From the start, by a header.
	start := map[string]string{adbc.OptionKeyURI: s.URI, driver.OptionRPCCallHeaderPrefix + "arbalest.partitions": "9"}
	return withADBC(ctx, start, func(begun adbc.Connection) error { return adbcQuery(ctx, begun, sessionValue, "9") })
}

func adbcPrepared(ctx context.Context, _ setting, c adbc.Connection) error {
	return adbcStatement(c, "SELECT n, s FROM numbers WHERE n < ? ORDER BY n", func(s adbc.Statement) error {
		if err := s.Prepare(ctx); err != nil {
			return err
		}
		if parameters, err := s.GetParameterSchema(); err != nil || parameters.NumFields() != 1 {
			return fmt.Errorf("parameters %v, %w", parameters, err)
		}
		described, ok := s.(adbc.StatementExecuteSchema)
		if !ok {
			return errors.New("the statement has no ExecuteSchema")
		}
		if schema, err := described.ExecuteSchema(ctx); err != nil || schema.NumFields() != 2 || schema.Field(0).Name != "n" {
			return fmt.Errorf("schema %v, %w", schema, err)
		}
		for _, limit := range []int64{3, 1} {
			if err := bindADBC(ctx, s, integers(limit)); err != nil {
				return err
			}
			if got, err := adbcTexts(ctx, s); err != nil || !slices.Equal(got, []string{"0|0", "1|1", "2|2"}[:limit]) {
				return fmt.Errorf("got %q, %w", got, err)
			}
		}
		return nil
	})
}

// bindADBC binds a batch and lets go of it.
func bindADBC(ctx context.Context, s adbc.Statement, batch arrow.RecordBatch) error {
	defer batch.Release()
	return s.Bind(ctx, batch)
}

func adbcManyRows(ctx context.Context, _ setting, c adbc.Connection) error {
	if err := adbcUpdate(ctx, c, "CREATE TEMP TABLE many (a BIGINT)", -1); err != nil {
		return err
	}
	err := adbcStatement(c, "INSERT INTO many VALUES (?)", func(s adbc.Statement) error {
		if err := errors.Join(s.Prepare(ctx), bindADBC(ctx, s, integers(1, 2, 3))); err != nil {
			return err
		}
		n, err := s.ExecuteUpdate(ctx)
		if err == nil && n != 3 {
			err = fmt.Errorf("%d rows inserted", n)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := adbcQuery(ctx, c, "SELECT count(*), sum(a) FROM many", "3|6"); err != nil {
		return err
	}
	return adbcStatement(c, "SELECT s FROM numbers WHERE n = ?", func(s adbc.Statement) error {
		if err := errors.Join(s.Prepare(ctx), bindADBC(ctx, s, integers(4, 2, 9))); err != nil {
			return err
		}
		got, err := adbcTexts(ctx, s)
		if err == nil && !slices.Equal(got, []string{"4", "2", "9"}) {
			err = fmt.Errorf("of the rows bound: %q", got)
		}
		return err
	})
}

func adbcTemporary(ctx context.Context, s setting, c adbc.Connection) error {
	for _, step := range []struct {
		sql  string
		rows int64
	}{
		{"CREATE TEMP TABLE notes (id INTEGER, note VARCHAR)", -1}, {"INSERT INTO notes VALUES (1, 'one'), (2, 'two'), (3, 'three')", 3},
		{"UPDATE notes SET note = upper(note) WHERE id < 3", 2}, {"DELETE FROM notes WHERE id = 2", 1},
	} {
		if err := adbcUpdate(ctx, c, step.sql, step.rows); err != nil {
			return err
		}
	}
	if err := adbcQuery(ctx, c, "SELECT id, note FROM notes ORDER BY id", "1|ONE", "3|three"); err != nil {
		return err
	}
	return all(
		func() error {
			return withADBC(ctx, map[string]string{adbc.OptionKeyURI: s.URI}, func(other adbc.Connection) error {
				return adbcFails(adbcQuery(ctx, other, "SELECT * FROM notes"), adbc.StatusNotFound, "notes")
			})
		},
		func() error { return adbcUpdate(ctx, c, "DROP TABLE notes", -1) },
		func() error { return adbcFails(adbcQuery(ctx, c, "SELECT * FROM notes"), adbc.StatusNotFound, "notes") },
	)
}

func adbcIngest(ctx context.Context, _ setting, c adbc.Connection) error {
	load := func(mode string, values ...int64) (n int64, err error) {
		err = adbcStatement(c, "", func(s adbc.Statement) error {
			for key, value := range map[string]string{adbc.OptionKeyIngestTargetTable: "loaded", adbc.OptionKeyIngestMode: mode,
				adbc.OptionValueIngestTemporary: adbc.OptionValueEnabled} {
				if err := s.SetOption(key, value); err != nil {
					return err
				}
			}
			if err := bindADBC(ctx, s, integers(values...)); err != nil {
				return err
			}
			n, err = s.ExecuteUpdate(ctx)
			return err
		})
		return n, err
	}
	for _, step := range []struct {
		mode   string
		status adbc.Status
		after  string
	}{
		{adbc.OptionValueIngestModeAppend, adbc.StatusNotFound, ""}, {adbc.OptionValueIngestModeCreate, 0, "2|5"},
		{adbc.OptionValueIngestModeCreate, adbc.StatusAlreadyExists, "2|5"}, {adbc.OptionValueIngestModeAppend, 0, "4|10"},
		{adbc.OptionValueIngestModeCreateAppend, 0, "6|15"}, {adbc.OptionValueIngestModeReplace, 0, "2|5"},
	} {
		n, err := load(step.mode, 2, 3)
		if step.status != 0 {
			err = adbcFails(err, step.status, "loaded")
		} else if err == nil && n != 2 {
			err = fmt.Errorf("%d rows", n)
		}
		if err == nil && step.after != "" {
			err = adbcQuery(ctx, c, "SELECT count(*), sum(p) FROM loaded", step.after)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", step.mode, err)
		}
	}
	return nil
}

func adbcTransactions(ctx context.Context, _ setting, c adbc.Connection) error {
	options, ok := c.(adbc.PostInitOptions)
	if !ok {
		return errors.New("the connection has no options")
	}
	if err := adbcUpdate(ctx, c, "CREATE TEMP TABLE kept (a INTEGER)", -1); err != nil {
		return err
	}
	if err := options.SetOption(adbc.OptionKeyAutoCommit, adbc.OptionValueDisabled); err != nil {
		return err
	}
	insert := func() error { return adbcUpdate(ctx, c, "INSERT INTO kept VALUES (1), (2)", 2) }
	count := func(want string) func() error {
		return func() error { return adbcQuery(ctx, c, "SELECT count(*) FROM kept", want) }
	}
	return all(insert, count("2"), func() error { return c.Rollback(ctx) }, count("0"), insert, func() error { return c.Commit(ctx) },
		func() error { return c.Rollback(ctx) }, count("2"))
}

func adbcCatalogs(ctx context.Context, _ setting, c adbc.Connection) error {
	schema, name := "main", "n%"
	reader, err := c.GetObjects(ctx, adbc.ObjectDepthTables, nil, &schema, &name, nil, nil)
	if err != nil {
		return err
	}
	found, err := readerTexts(reader)
	reader.Release()
	if err != nil || len(found) != 1 || !strings.Contains(found[0], `"nation"`) || !strings.Contains(found[0], `"numbers"`) || strings.Contains(found[0], "lineitem") {
		return fmt.Errorf("tables %q, %w", found, err)
	}
	if reader, err = c.GetTableTypes(ctx); err != nil {
		return err
	}
	defer reader.Release()
	types, err := readerTexts(reader)
	slices.Sort(types)
	if err == nil && !slices.Equal(types, []string{"LOCAL TEMPORARY", "SYSTEM TABLE", "TABLE"}) {
		err = fmt.Errorf("table types %q", types)
	}
	return err
}

func adbcTableSchema(ctx context.Context, _ setting, c adbc.Connection) error {
	schema, err := c.GetTableSchema(ctx, nil, nil, "numbers")
	if err != nil {
		return err
	}
	var got []string
	for _, f := range schema.Fields() {
		got = append(got, f.Name+" "+f.Type.String())
	}
	if !slices.Equal(got, []string{"n int64", "x float64", "s utf8"}) {
		return fmt.Errorf("columns %q", got)
	}
	_, err = c.GetTableSchema(ctx, nil, nil, "no_such_table")
	return adbcFails(err, adbc.StatusNotFound, "")
}

func adbcKeys(ctx context.Context, _ setting, c adbc.Connection) error {
	name := "numbers"
	reader, err := c.GetObjects(ctx, adbc.ObjectDepthAll, nil, nil, &name, nil, nil)
	if err != nil {
		return err
	}
	defer reader.Release()
	found, err := readerTexts(reader)
	if err == nil && (len(found) != 1 || strings.Contains(found[0], "constraint_type")) {
		err = fmt.Errorf("objects %q", found)
	}
	return err
}

func adbcServerInfo(ctx context.Context, _ setting, c adbc.Connection) error {
	reader, err := c.GetInfo(ctx, []adbc.InfoCode{adbc.InfoVendorName, adbc.InfoVendorVersion, adbc.InfoVendorArrowVersion})
	if err != nil {
		return err
	}
	defer reader.Release()
	got, err := readerTexts(reader)
	if err == nil && (len(got) != 3 || !strings.Contains(strings.Join(got, "\n"), "Arbalest")) {
		err = fmt.Errorf("got %q", got)
	}
	return err
}
