// How statements run: at once to their ends, or by the pull loop of a client stream, whose chunks of a streaming result become batches as
// fast as they are asked for.
#pragma once
#include "builder.h"

// ab_query is duckdb_query, after which the thread leaves.
duckdb_state ab_query(duckdb_connection conn, const char *sql, duckdb_result *result);

typedef struct {
	ab_layout layout;
	ab_views views;
	ab_scratch scratch;
	ab_builder builder;
	duckdb_prepared_statement prepared;
	duckdb_pending_result pending;
	duckdb_result result;
	bool has_result, ended; // after its last chunk a result must not be asked again
	duckdb_data_chunk chunk; // fetched and not yet copied to the end
	idx_t at, rows;          // progress in the chunk
	int64_t weight;          // of the whole chunk, bytes
	uint32_t bad_column;     // after AB_LAYOUT
} ab_pull;

// ab_pull_prepare plans a statement and checks its columns against the layout. On AB_ENGINE the text is at ab_pull_error;
// its type is not known, which is the C API's gap.
ab_pull *ab_pull_new(ab_account *account, const ab_node *nodes, uint32_t count);
ab_status ab_pull_prepare(ab_pull *p, duckdb_connection conn, const char *sql);
// ab_pull_start begins the execution. It returns when the first rows are there or the end.
ab_status ab_pull_start(ab_pull *p);
// ab_pull_next gives the next batch: up to rows_max rows, and up to bytes_max bytes unless one row alone is larger. NULL at
// the end.
ab_status ab_pull_next(ab_pull *p, int64_t rows_max, int64_t bytes_max, ab_batch **batch);
const char *ab_pull_error(ab_pull *p);
duckdb_error_type ab_pull_error_type(ab_pull *p);
void ab_pull_free(ab_pull *p);
