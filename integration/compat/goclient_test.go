package compat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// A goClient is arrow-go's Flight SQL client of one session, which keeps the server's cookie.
type goClient struct {
	*flightsql.Client
	setting setting
}

// dialGo opens a session at the door without login.
func dialGo(ctx context.Context, s setting) (*goClient, error) {
	client, err := flightsql.NewClientCtx(ctx, strings.TrimPrefix(s.URI, "grpc://"), nil, []flight.ClientMiddleware{flight.NewClientCookieMiddleware()},
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	c := &goClient{client, s}
	// The middleware reads a reply's headers when its stream ends, and ExecuteUpdate leaves before that: as the first call of a
	// session it would lose the cookie.
	return c, c.set(ctx, "SELECT 1")
}

// dialGoSecure opens a session at the door with TLS; the context it gives carries the login. A root of "" is the system's.
func dialGoSecure(ctx context.Context, s setting, root, user, password string) (context.Context, *goClient, error) {
	creds := credentials.NewTLS(nil)
	if root != "" {
		var err error
		if creds, err = credentials.NewClientTLSFromFile(root, ""); err != nil {
			return ctx, nil, err
		}
	}
	client, err := flightsql.NewClientCtx(ctx, s.Secure.Address, nil, []flight.ClientMiddleware{flight.NewClientCookieMiddleware()}, grpc.WithTransportCredentials(creds))
	if err != nil {
		return ctx, nil, err
	}
	if user != "" {
		login, err := client.Client.AuthenticateBasicToken(ctx, user, password)
		if err != nil {
			return ctx, nil, errors.Join(err, client.Close())
		}
		ctx = login
	}
	return ctx, &goClient{client, s}, nil
}

// with runs a check in a session of its own.
func (s setting) with(check func(context.Context, *goClient) error) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		c, err := dialGo(ctx, s)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.leave(ctx)) }()
		return check(ctx, c)
	}
}

// each reads every endpoint through the door.
func (c *goClient) each(ctx context.Context, info *flight.FlightInfo, use func(arrow.RecordBatch) error) error {
	for i, endpoint := range info.GetEndpoint() {
		reader, err := c.DoGet(ctx, endpoint.GetTicket())
		if err != nil {
			return fmt.Errorf("endpoint %d: %w", i, err)
		}
		for reader.Next() {
			if err := use(reader.RecordBatch()); err != nil {
				reader.Release()
				return err
			}
		}
		err = reader.Err()
		reader.Release()
		if err != nil {
			return fmt.Errorf("endpoint %d: %w", i, err)
		}
	}
	return nil
}

// texts reads a result as one text a row.
func (c *goClient) texts(ctx context.Context, info *flight.FlightInfo, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	var all []string
	err = c.each(ctx, info, func(batch arrow.RecordBatch) error {
		for row := range int(batch.NumRows()) {
			var cells []string
			for _, column := range batch.Columns() {
				cells = append(cells, column.ValueStr(row))
			}
			all = append(all, strings.Join(cells, "|"))
		}
		return nil
	})
	return all, err
}

// rows fails unless a result has these rows.
func (c *goClient) rows(ctx context.Context, info *flight.FlightInfo, err error, want ...string) error {
	got, err := c.texts(ctx, info, err)
	if err == nil && !slices.Equal(got, want) {
		err = fmt.Errorf("got %q, want %q", got, want)
	}
	return err
}

// query fails unless the statement's result has these rows.
func (c *goClient) query(ctx context.Context, sql string, want ...string) error {
	info, err := c.Execute(ctx, sql)
	if err := c.rows(ctx, info, err, want...); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// set runs a statement of which only the effect counts.
func (c *goClient) set(ctx context.Context, sql string) error {
	info, err := c.Execute(ctx, sql)
	_, err = c.texts(ctx, info, err)
	return err
}

// whole fails unless a result has the columns n and s of so many rows, in so many endpoints.
func (c *goClient) whole(ctx context.Context, sql string, rows int64, endpoints int) error {
	info, err := c.Execute(ctx, sql)
	if err != nil {
		return err
	}
	if n := len(info.GetEndpoint()); n != endpoints {
		return fmt.Errorf("%d endpoints, want %d", n, endpoints)
	}
	return c.wholeInfo(ctx, info, rows)
}

func (c *goClient) wholeInfo(ctx context.Context, info *flight.FlightInfo, rows int64) error {
	var count, sum int64
	err := c.each(ctx, info, func(batch arrow.RecordBatch) error {
		count += batch.NumRows()
		n, s := batch.Column(0).(*array.Int64), batch.Column(int(batch.NumCols())-1).(*array.String)
		for i, value := range n.Int64Values() {
			sum += value
			if i%1000 == 0 && s.Value(i) != fmt.Sprint(value) {
				return fmt.Errorf("the row %d has the text %q", value, s.Value(i))
			}
		}
		return nil
	})
	if err == nil && (count != rows || sum != rows*(rows-1)/2) {
		err = fmt.Errorf("%d rows of sum %d, want %d", count, sum, rows)
	}
	return err
}

// fails wants an error of this status that holds a word.
func fails(err error, code codes.Code, word string) error {
	if err == nil {
		return fmt.Errorf("was not refused, want %s", code)
	}
	if got := status.Code(unjoin(err)); got != code || !strings.Contains(err.Error(), word) {
		return fmt.Errorf("refused as %s, want %s and %q: %w", got, code, word, err)
	}
	return nil
}

// unjoin finds the error that carries a status.
func unjoin(err error) error {
	var carrier interface{ GRPCStatus() *status.Status }
	if errors.As(err, &carrier) {
		return carrier.GRPCStatus().Err()
	}
	return err
}

func all(faults ...func() error) error {
	for _, f := range faults {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}
