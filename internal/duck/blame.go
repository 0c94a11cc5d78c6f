package duck

/*
#include "duckdb.h"
*/
import "C"

import (
	"context"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// blameTimeout bounds the search for the damaged file among those of a failed fragment.
const blameTimeout = 5 * time.Second

// jobError makes an error of DuckDB's for a fragment. Damage within a Parquet page comes as a bare exception that names no
// file; then the fragment's files are read again, one by one, to find it.
func (e *Engine) jobError(sql string, f *engineFault) error {
	err := e.engineError(f)
	if f.kind != C.DUCKDB_ERROR_INVALID || !qerr.Is(err, qerr.Internal) {
		return err
	}
	files := e.filesIn(sql)
	if len(files) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), blameTimeout)
	defer cancel()
	if file := e.unreadable(ctx, files); file != "" {
		return &qerr.Error{Kind: qerr.IO, Op: "read " + file, Msg: f.text}
	}
	return err
}

// filesIn lists the files of data locations that a fragment names, in its order.
func (e *Engine) filesIn(sql string) (files []string) {
	for _, l := range e.cfg.DataLocations {
		for rest := sql; ; {
			_, after, found := strings.Cut(rest, "'"+strings.ReplaceAll(l, "'", "''"))
			if !found {
				break
			}
			name, following, _ := strings.Cut(after, "'")
			for strings.HasPrefix(following, "'") { // a doubled quote is part of the name
				part, more, _ := strings.Cut(following[1:], "'")
				name, following = name+"'"+part, more
			}
			files = append(files, l+name)
			rest = following
		}
	}
	return files
}

// unreadable returns the first file that cannot be read as a whole, or "" when there is none or time is up.
func (e *Engine) unreadable(ctx context.Context, files []string) string {
	c, err := e.connect("")
	if err != nil {
		return ""
	}
	defer c.close()
	for _, f := range files {
		sql := "SELECT max(hash(t)) FROM read_parquet(" + table.Literal(f) + ") AS t"
		err := c.queryContext(ctx, sql, func(*C.duckdb_result) {})
		switch {
		case ctx.Err() != nil:
			return ""
		case err != nil:
			return f
		}
	}
	return ""
}
