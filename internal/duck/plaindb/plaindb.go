package plaindb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/duck/minidb"
)

// describeBytesMax bounds what DESCRIBE answers: types of deeply nested columns are long.
const describeBytesMax = 16 << 20

// ErrTooLarge is a result of more rows than the caller wants.
var ErrTooLarge = errors.New("the result has too many rows")

// A DB is one instance with one connection.
type DB struct {
	db   *minidb.DB
	conn *minidb.Conn
	temp string // its folder for what does not fit into memory
}

// Open starts an instance of one thread and the given memory, in the time zone that our sessions begin with. It spills into a folder
// of its own: two instances that share one, as processes in the same folder do by default, read each other's blocks.
func Open(memoryBytes int64) (*DB, error) {
	temp, err := os.MkdirTemp("", "plaindb-")
	if err != nil {
		return nil, fmt.Errorf("a folder to spill into: %w", err)
	}
	d, err := openIn(temp, memoryBytes)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(temp))
	}
	return d, nil
}

func openIn(temp string, memoryBytes int64) (*DB, error) {
	db, err := minidb.Open(minidb.Option{Name: "threads", Value: "1"},
		minidb.Option{Name: "temp_directory", Value: temp},
		minidb.Option{Name: "memory_limit", Value: strconv.FormatInt(memoryBytes, 10) + "B"},
		minidb.Option{Name: "autoinstall_known_extensions", Value: "false"},
		minidb.Option{Name: "autoload_known_extensions", Value: "false"})
	if err != nil {
		return nil, err
	}
	conn, err := db.Connect()
	if err != nil {
		db.Close()
		return nil, err
	}
	if err := conn.Exec("SET TimeZone = 'UTC'"); err != nil {
		conn.Close()
		db.Close()
		return nil, err
	}
	return &DB{db: db, conn: conn, temp: temp}, nil
}

// Close ends the instance; results stay valid.
func (d *DB) Close() {
	d.conn.Close()
	d.db.Close()
	_ = os.RemoveAll(d.temp) // what is left of it is the machine's to clear
}

// Exec runs statements, divided by semicolons, whose results nobody reads.
func (d *DB) Exec(sql string) error { return d.conn.Exec(sql) }

// Columns tells the names and DuckDB types of a SELECT's result without running it.
func (d *DB) Columns(sql string) ([]table.Column, error) {
	rows, err := d.conn.Rows("DESCRIBE "+sql, describeBytesMax)
	if err != nil {
		return nil, err
	}
	columns := make([]table.Column, len(rows))
	for i, r := range rows {
		t, err := table.ParseType(*r[1])
		if err != nil {
			return nil, fmt.Errorf("type of column %s: %w", *r[0], err)
		}
		columns[i] = table.Column{Name: *r[0], Type: t}
	}
	return columns, nil
}

// A Result is the answer to a SELECT.
type Result struct {
	Columns []table.Column
	// Schema is what a client sees of Columns.
	Schema  *arrow.Schema
	Batches []arrow.RecordBatch
	Rows    int64
}

// Release gives the batches back.
func (r *Result) Release() {
	for _, b := range r.Batches {
		b.Release()
	}
	r.Batches = nil
}

// Query runs a SELECT to its end. A result of more than rowsMax rows is ErrTooLarge; when ctx ends first, its error.
func (d *DB) Query(ctx context.Context, sql string, rowsMax int64) (*Result, error) {
	columns, err := d.Columns(sql)
	if err != nil {
		return nil, err
	}
	cast := false
	for _, c := range columns {
		cast = cast || arrowtype.NeedsCast(c.Type)
	}
	stop := context.AfterFunc(ctx, d.conn.Interrupt)
	defer stop()
	r := &Result{Columns: columns, Schema: arrowtype.ClientSchema(columns, "UTC")}
	if cast {
		// The statement must be planned as it stands, so the casts come over its finished rows.
		if sql, err = d.keep(sql, columns); err == nil {
			err = d.read(r, sql, rowsMax)
		}
	} else {
		err = d.read(r, sql, rowsMax)
	}
	if err != nil {
		r.Release()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return r, nil
}

// keep stores the rows of a SELECT in order, and returns the SELECT that gives them as clients see them.
func (d *DB) keep(sql string, columns []table.Column) (string, error) {
	names, casts := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = "c" + strconv.Itoa(i)
		casts[i] = names[i]
		if arrowtype.NeedsCast(c.Type) {
			casts[i] = "CAST(" + names[i] + " AS " + arrowtype.ClientCast(c.Type).SQL() + ")"
		}
	}
	err := d.conn.Exec("CREATE OR REPLACE TEMP TABLE plaindb_kept AS SELECT * FROM (" + sql + "\n) AS kept(" + strings.Join(names, ", ") + ")")
	return "SELECT " + strings.Join(casts, ", ") + " FROM plaindb_kept", err
}

func (d *DB) read(r *Result, sql string, rowsMax int64) error {
	var res bindings.Result
	defer bindings.DestroyResult(&res)
	if bindings.Query(d.conn.Handle(), sql, &res) == bindings.StateError {
		return minidb.ParseError(bindings.ResultError(&res))
	}
	var options bindings.ArrowOptions
	bindings.ConnectionGetArrowOptions(d.conn.Handle(), &options)
	defer bindings.DestroyArrowOptions(&options)
	schema, err := arrowSchema(&res, options)
	if err != nil {
		return err
	}
	for {
		chunk := bindings.FetchChunk(res)
		if chunk.Ptr == nil {
			return nil
		}
		r.Rows += int64(bindings.DataChunkGetSize(chunk))
		if r.Rows > rowsMax {
			bindings.DestroyDataChunk(&chunk)
			return ErrTooLarge
		}
		batch, fault := bindings.DataChunkToArrowArray(options, schema, chunk)
		bindings.DestroyDataChunk(&chunk)
		if err := faultOf(fault); err != nil {
			return err
		}
		r.Batches = append(r.Batches, batch)
	}
}

func arrowSchema(res *bindings.Result, options bindings.ArrowOptions) (*arrow.Schema, error) {
	n := int(bindings.ColumnCount(res))
	types, names := make([]bindings.LogicalType, n), make([]string, n)
	defer func() {
		for i := range types {
			bindings.DestroyLogicalType(&types[i])
		}
	}()
	for i := range n {
		types[i] = bindings.ColumnLogicalType(res, bindings.IdxT(i))
		names[i] = bindings.ColumnName(res, bindings.IdxT(i))
	}
	schema, fault := bindings.NewArrowSchema(options, types, names)
	return schema, faultOf(fault)
}

func faultOf(data bindings.ErrorData) error {
	defer bindings.DestroyErrorData(&data)
	if bindings.ErrorDataHasError(data) {
		return minidb.ParseError(bindings.ErrorDataMessage(data))
	}
	return nil
}
