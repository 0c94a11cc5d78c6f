package compat

import (
	"context"
	"errors"

	"github.com/apache/arrow-adbc/go/adbc"
	driver "github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/arbalest-sql/arbalest/integration/scenario"
)

// runADBC performs the plan with the Go ADBC driver.
func runADBC(ctx context.Context, p *scenario.Plan) (err error) {
	options := map[string]string{adbc.OptionKeyURI: p.URI}
	if p.User != "" {
		options[adbc.OptionKeyUsername], options[adbc.OptionKeyPassword] = p.User, p.Password
	}
	db, err := driver.NewDriver(memory.DefaultAllocator).NewDatabase(options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	connection, err := db.Open(ctx)
	if err != nil {
		return p.Refused("adbc-go", err, adbcStatus)
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	return p.Run(ctx, "adbc-go", func(ctx context.Context, s scenario.Step, out *scenario.Result) error {
		return stepADBC(ctx, connection, p, s, out)
	}, adbcStatus)
}

func stepADBC(ctx context.Context, connection adbc.Connection, p *scenario.Plan, s scenario.Step, out *scenario.Result) (err error) {
	statement, err := connection.NewStatement()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, statement.Close()) }()
	if err := statement.SetSqlQuery(s.SQL); err != nil {
		return err
	}
	if s.Kind == "params" {
		if err := statement.Prepare(ctx); err != nil {
			return err
		}
		batch, err := scenario.Bindings(s.Params)
		if err != nil {
			return err
		}
		defer batch.Release()
		if err := statement.Bind(ctx, batch); err != nil {
			return err
		}
	}
	if s.Kind == "partitions" {
		return partitionsADBC(ctx, connection, statement, p, s, out)
	}
	reader, _, err := statement.ExecuteQuery(ctx)
	if err != nil {
		return err
	}
	defer reader.Release()
	return saveADBC(p, s, out, reader)
}

// partitionsADBC reads a distributed result partition by partition, each as another process could.
func partitionsADBC(ctx context.Context, connection adbc.Connection, statement adbc.Statement, p *scenario.Plan, s scenario.Step,
	out *scenario.Result,
) error {
	_, partitions, _, err := statement.ExecutePartitions(ctx)
	if err != nil {
		return err
	}
	out.Endpoints = len(partitions.PartitionIDs)
	s.Count = true // one file holds one stream; the rows' number is enough here
	for _, id := range partitions.PartitionIDs {
		reader, err := connection.ReadPartition(ctx, id)
		if err != nil {
			return err
		}
		err = saveADBC(p, s, out, reader)
		reader.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func saveADBC(p *scenario.Plan, s scenario.Step, out *scenario.Result, reader array.RecordReader) (err error) {
	write, done, err := p.Keep(s, reader.Schema())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	for reader.Next() {
		out.Rows += reader.RecordBatch().NumRows()
		if err := write(reader.RecordBatch()); err != nil {
			return err
		}
	}
	return reader.Err()
}

// adbcStatus gives the gRPC name of an ADBC status.
func adbcStatus(err error) string {
	var fault adbc.Error
	if !errors.As(err, &fault) {
		return grpcStatus(err)
	}
	switch fault.Code {
	case adbc.StatusInvalidArgument:
		return "INVALID_ARGUMENT"
	case adbc.StatusCancelled:
		return "CANCELLED"
	case adbc.StatusNotFound:
		return "NOT_FOUND"
	case adbc.StatusUnauthenticated:
		return "UNAUTHENTICATED"
	case adbc.StatusNotImplemented:
		return "UNIMPLEMENTED"
	case adbc.StatusTimeout:
		return "DEADLINE_EXCEEDED"
	}
	return fault.Code.String()
}
