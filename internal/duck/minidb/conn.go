package minidb

import (
	"strings"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A DB is one instance.
type DB struct {
	db bindings.Database
}

// An Option is a setting that must stand before the instance starts.
type Option struct{ Name, Value string }

// Open starts an instance.
func Open(options ...Option) (*DB, error) {
	var cfg bindings.Config
	if bindings.CreateConfig(&cfg) == bindings.StateError {
		return nil, qerr.New(qerr.Internal, "create the configuration of a database")
	}
	defer bindings.DestroyConfig(&cfg)
	for _, o := range options {
		if bindings.SetConfig(cfg, o.Name, o.Value) == bindings.StateError {
			return nil, qerr.New(qerr.Internal, "open a database: option %s was refused", o.Name)
		}
	}
	d := &DB{}
	var msg string
	if bindings.OpenExt(":memory:", &d.db, cfg, &msg) == bindings.StateError {
		return nil, qerr.New(qerr.Internal, "open a database: %s", msg)
	}
	return d, nil
}

// Connect opens a connection, which the caller closes.
func (d *DB) Connect() (*Conn, error) {
	c := &Conn{}
	if bindings.Connect(d.db, &c.conn) == bindings.StateError {
		return nil, qerr.New(qerr.Internal, "connect to a database")
	}
	if err := c.Exec("SET errors_as_json=true"); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the instance.
func (d *DB) Close() { bindings.Close(&d.db) }

// A Conn is one connection; one statement at a time.
type Conn struct {
	conn bindings.Connection
}

// Close ends the connection.
func (c *Conn) Close() { bindings.Disconnect(&c.conn) }

// Interrupt asks the running statement to stop. The only method that may be called while another runs.
func (c *Conn) Interrupt() { bindings.Interrupt(c.conn) }

// Handle is the connection for calls of the C API; it stays the Conn's.
func (c *Conn) Handle() bindings.Connection { return c.conn }

// Exec runs a statement whose result nobody reads.
func (c *Conn) Exec(sql string) error {
	var res bindings.Result
	defer bindings.DestroyResult(&res)
	if bindings.Query(c.conn, sql, &res) == bindings.StateError {
		return ParseError(bindings.ResultError(&res))
	}
	return nil
}

// Rows runs a statement of VARCHAR columns and returns its rows; a nil entry is NULL. More than bytesMax bytes are a
// Resource error.
func (c *Conn) Rows(sql string, bytesMax int) ([][]*string, error) {
	var res bindings.Result
	defer bindings.DestroyResult(&res)
	if bindings.Query(c.conn, sql, &res) == bindings.StateError {
		return nil, ParseError(bindings.ResultError(&res))
	}
	if bindings.ResultReturnType(res) != bindings.ResultTypeQueryResult {
		return nil, nil // It gave no rows, only a count.
	}
	columns := int(bindings.ColumnCount(&res))
	for i := range columns {
		if bindings.ColumnType(&res, bindings.IdxT(i)) != bindings.TypeVarchar {
			return nil, qerr.New(qerr.Internal, "column %d is not VARCHAR", i)
		}
	}
	var rows [][]*string
	total := 0
	for {
		chunk := bindings.FetchChunk(res)
		if chunk.Ptr == nil {
			return rows, nil
		}
		rows, total = appendRows(rows, chunk, columns, total)
		bindings.DestroyDataChunk(&chunk)
		if total > bytesMax {
			return nil, qerr.New(qerr.Resource, "the answer has more than %d bytes", bytesMax)
		}
	}
}

func appendRows(rows [][]*string, chunk bindings.DataChunk, columns, total int) ([][]*string, int) {
	n, base := int(bindings.DataChunkGetSize(chunk)), len(rows)
	for range n {
		rows = append(rows, make([]*string, columns))
	}
	for c := range columns {
		vec := bindings.DataChunkGetVector(chunk, bindings.IdxT(c))
		valid, data := bindings.VectorGetValidity(vec), bindings.VectorGetData(vec)
		texts := unsafe.Slice((*bindings.StringT)(data), n)
		for r := range n {
			if valid != nil && !bindings.ValidityRowIsValid(valid, bindings.IdxT(r)) {
				continue
			}
			s := strings.Clone(bindings.StringTData(&texts[r]))
			rows[base+r][c] = &s
			total += len(s)
		}
	}
	return rows, total
}

// Value runs a statement with one VARCHAR value, not NULL.
func (c *Conn) Value(sql string, bytesMax int) (string, error) {
	rows, err := c.Rows(sql, bytesMax)
	if err != nil {
		return "", err
	}
	if len(rows) != 1 || len(rows[0]) != 1 || rows[0][0] == nil {
		return "", qerr.New(qerr.Internal, "expected one value, got %d rows", len(rows))
	}
	return *rows[0][0], nil
}
