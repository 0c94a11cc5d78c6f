package duck

/*
#cgo CFLAGS: -O3 -std=gnu11 -fexceptions -Wall -Wno-type-limits -DDUCKDB_STATIC_BUILD -I${SRCDIR}/include
#include "duckdb.h"
*/
import "C"

import (
	// The module brings DuckDB itself: static libraries, and the linker flags for them.
	_ "github.com/duckdb/duckdb-go-bindings"
)

// Version returns the version of DuckDB that is linked, as "v1.5.5".
func Version() string { return C.GoString(C.duckdb_library_version()) }
