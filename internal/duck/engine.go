package duck

/*
#include <stdlib.h>
#include "engine.h"
*/
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/buffers"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Engine is one DuckDB instance and the C objects that jobs in it name by handle. It is safe for concurrent use. Close it
// after the last job.
type Engine struct {
	cfg     Config
	tempOwn bool // TempDir is ours to remove
	sinkDir string
	pool    *pool
	shared  *C.ab_engine

	connections atomic.Int64
	buffers     buffers.Pool // of db

	mu     sync.Mutex
	db     C.duckdb_database // guarded by mu for opening connections and closing
	closed bool
	inputs map[*Input]struct{} // live ones; guarded by mu
	stale  []*Input            // removed, but a plan still reads them; guarded by mu
}

// Open starts an instance: it sets the limits, registers our functions, and locks the configuration. A wrong configuration
// is a User error; a directory that cannot be made, an IO error.
func Open(cfg Config) (*Engine, error) {
	cfg.EnsureDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, pool: newPool(), inputs: map[*Input]struct{}{}}
	if err := e.open(); err != nil {
		e.Close()
		return nil, qerr.Wrap(qerr.Internal, "open the engine", err)
	}
	return e, nil
}

func (e *Engine) open() error {
	if err := e.makeDirs(); err != nil {
		return &qerr.Error{Kind: qerr.IO, Err: err}
	}
	if e.shared = C.ab_engine_new(e.pool.account); e.shared == nil {
		return qerr.New(qerr.Resource, "out of memory")
	}
	// A stream may be closed after its engine, so this goes when nothing points to the engine any more.
	runtime.AddCleanup(e, func(shared *C.ab_engine) { C.ab_engine_free(shared) }, e.shared)
	if err := e.openDatabase(); err != nil {
		return err
	}
	c, err := e.connect("")
	if err != nil {
		return err
	}
	defer c.close()
	e.buffers = buffers.Of(unsafe.Pointer(c.handle))
	if !C.ab_engine_install(e.shared, c.handle) {
		return qerr.New(qerr.Internal, "DuckDB refused our functions")
	}
	for _, statement := range e.lockdown() {
		if err := c.exec(statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// makeDirs makes the temporary directory, and in it the directory that COPY insists on though our sink writes no file.
func (e *Engine) makeDirs() (err error) {
	if e.cfg.TempDir == "" {
		if e.cfg.TempDir, err = os.MkdirTemp("", "arbalest-"); err != nil {
			return err
		}
		e.tempOwn = true
	}
	if e.cfg.TempDir, err = filepath.Abs(e.cfg.TempDir); err != nil {
		return err
	}
	e.sinkDir = filepath.Join(e.cfg.TempDir, "sink")
	return os.MkdirAll(e.sinkDir, 0o700)
}

func (e *Engine) openDatabase() error {
	var config C.duckdb_config
	if C.duckdb_create_config(&config) != C.DuckDBSuccess {
		return qerr.New(qerr.Resource, "out of memory")
	}
	defer C.duckdb_destroy_config(&config)
	for name, value := range map[string]string{
		"threads":                      strconv.Itoa(e.cfg.Threads),
		"memory_limit":                 bytesText(e.cfg.MemoryBytes),
		"temp_directory":               e.cfg.TempDir,
		"max_temp_directory_size":      bytesText(e.cfg.TempBytesMax),
		"preserve_insertion_order":     "false", // fragments that need an order say ORDER BY
		"autoinstall_known_extensions": "false",
		"autoload_known_extensions":    "false",
		"allow_community_extensions":   "false",
		"allow_persistent_secrets":     "false",
		// An internal error of DuckDB's fails its own job. By default it would also shut the instance for all later ones,
		// to save data; there is none here.
		"disable_database_invalidation": "true",
		// The page cache holds local files already; a second copy in the engine only takes memory from operators.
		"enable_external_file_cache": "false",
	} {
		if err := setConfig(config, name, value); err != nil {
			return err
		}
	}
	path := C.CString("")
	defer C.free(unsafe.Pointer(path))
	var text *C.char
	if C.duckdb_open_ext(path, &e.db, config, &text) != C.DuckDBSuccess {
		defer C.duckdb_free(unsafe.Pointer(text))
		return qerr.New(qerr.Internal, "open DuckDB: %s", C.GoString(text))
	}
	return nil
}

func setConfig(config C.duckdb_config, name, value string) error {
	n, v := C.CString(name), C.CString(value)
	defer C.free(unsafe.Pointer(n))
	defer C.free(unsafe.Pointer(v))
	if C.duckdb_set_config(config, n, v) != C.DuckDBSuccess {
		return qerr.New(qerr.Internal, "DuckDB refuses %s = %s", name, value)
	}
	return nil
}

func bytesText(n int64) string { return strconv.FormatInt(n, 10) + "B" }

// lockdown returns the statements that shut the instance, in their order: what may be read, that nothing else may, and that
// no later statement changes that.
func (e *Engine) lockdown() []string {
	dirs, files := []string{table.Literal(e.sinkDir)}, []string{}
	for _, l := range e.cfg.DataLocations {
		if info, err := os.Stat(l); err == nil && !info.IsDir() {
			files = append(files, table.Literal(l))
		} else {
			dirs = append(dirs, table.Literal(l))
		}
	}
	return []string{
		"SET GLOBAL TimeZone = " + table.Literal(e.cfg.TimeZone),
		// Footers are kept, and read again when a file's time of change differs or is younger than ten seconds.
		"SET GLOBAL parquet_metadata_cache = true",
		"SET allowed_directories = [" + strings.Join(dirs, ", ") + "]",
		"SET allowed_paths = [" + strings.Join(files, ", ") + "]",
		"SET enable_external_access = false",
		"SET allowed_configs = ['TimeZone', 'enable_progress_bar', 'enable_progress_bar_print']",
		"SET lock_configuration = true",
	}
}

// Close ends the instance. Streams must be closed and outputs released before; batches that were retained stay valid.
// Idempotent.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	open := make([]*Input, 0, len(e.inputs))
	for in := range e.inputs {
		open = append(open, in)
	}
	C.duckdb_close(&e.db)
	e.mu.Unlock()
	for _, in := range open {
		in.Remove()
	}
	e.sweep()
	if e.tempOwn {
		return os.RemoveAll(e.cfg.TempDir)
	}
	if e.sinkDir != "" {
		return os.RemoveAll(e.sinkDir)
	}
	return nil
}
