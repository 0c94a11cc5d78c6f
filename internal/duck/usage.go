package duck

/*
#include "duckdb.h"
*/
import "C"

import (
	"context"
	"encoding/binary"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Usage is what an engine holds at one moment. Everything but MemoryBytes is zero when no job runs, all outputs are released
// and all inputs removed; MemoryBytes is then what DuckDB keeps of itself, such as footers.
type Usage struct {
	// Connections are those of running jobs.
	Connections int64
	// Inputs are those not yet removed, and those removed that a plan still reads.
	Inputs int64
	// Batches are the record batches made here that are not yet released.
	Batches int64
	// Bytes are allocated for these batches and for those in the making.
	Bytes int64
	// MemoryBytes is what DuckDB's buffer manager holds against its memory limit.
	MemoryBytes int64
	// TempBytes is what is spilled.
	TempBytes int64
}

// Usage measures. It needs the engine for a moment, and gives zeroes for a closed one.
func (e *Engine) Usage() Usage {
	u := Usage{Connections: e.connections.Load(), Batches: e.pool.batches.Load(), Bytes: e.pool.bytes()}
	e.mu.Lock()
	u.Inputs = int64(len(e.inputs) + len(e.stale))
	e.mu.Unlock()
	var c conn
	c.engine = e
	if e.openConnection(&c) != nil {
		return u
	}
	defer c.close()
	numbers, err := c.integers(context.Background(),
		"SELECT sum(memory_usage_bytes)::BIGINT, sum(temporary_storage_bytes)::BIGINT FROM duckdb_memory()")
	if err == nil {
		u.MemoryBytes, u.TempBytes = numbers[0], numbers[1]
	}
	return u
}

// integers runs a statement with one row of BIGINTs, or of UBIGINTs.
func (c *conn) integers(ctx context.Context, sql string) (numbers []int64, err error) {
	err = c.queryContext(ctx, sql, func(r *C.duckdb_result) {
		chunk := C.duckdb_fetch_chunk(*r)
		defer C.duckdb_destroy_data_chunk(&chunk)
		if chunk == nil || C.duckdb_data_chunk_get_size(chunk) != 1 {
			return
		}
		numbers = make([]int64, C.duckdb_data_chunk_get_column_count(chunk))
		for i := range numbers {
			numbers[i] = *(*int64)(C.duckdb_vector_get_data(C.duckdb_data_chunk_get_vector(chunk, C.idx_t(i))))
		}
	})
	if err == nil && numbers == nil {
		err = qerr.New(qerr.Internal, "no row from %s", sql)
	}
	return numbers, err
}

// hashVectorSQL hashes values of the types that exchanges partition by: integers of every width and sign, decimals, floats
// with both zeroes, text short and long, dates, times, a UUID, NULL, and nested values.
const hashVectorSQL = `SELECT hash(true), hash(42::TINYINT), hash(-42::SMALLINT), hash(42::INTEGER), hash(42::BIGINT), hash(42::HUGEINT),
 hash(42::UTINYINT), hash(42::USMALLINT), hash(42::UINTEGER), hash(42::UBIGINT), hash(42::UHUGEINT), hash(0.0::FLOAT), hash(-0.0::DOUBLE),
 hash(1.5::DOUBLE), hash('NaN'::DOUBLE), hash(1.23::DECIMAL(4,2)), hash(1.23::DECIMAL(18,2)), hash(1.23::DECIMAL(38,2)), hash(''), hash('short'),
 hash('a text longer than twelve bytes'), hash('\xAA'::BLOB), hash(DATE '1992-09-20'), hash(TIME '12:34:56.789'),
 hash(TIMESTAMP '1992-09-20 12:34:56.789'), hash(TIMESTAMPTZ '1992-09-20 12:34:56.789+00'), hash(INTERVAL '1 month 2 days 3 seconds'),
 hash('47183823-2574-4bfd-b411-99ed177d3e43'::UUID), hash(NULL::INTEGER), hash([1, NULL, 3]), hash({'a': 1, 'b': 'x'}), hash(1, 'x'), hash('101'::BIT)`

// HashVector hashes a fixed set of values of all types with DuckDB's hash(). Two workers may only share exchanges when their
// vectors are equal, as equal keys must meet in the same partition.
func (e *Engine) HashVector() ([]byte, error) {
	c, err := e.connect("")
	if err != nil {
		return nil, err
	}
	defer c.close()
	hashes, err := c.integers(context.Background(), hashVectorSQL)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, h := range hashes {
		out = binary.LittleEndian.AppendUint64(out, uint64(h))
	}
	return out, nil
}
