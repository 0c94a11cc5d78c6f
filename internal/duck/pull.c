#include "pull.h"
#include <stdlib.h>

ab_pull *ab_pull_new(ab_account *account, const ab_node *nodes, uint32_t count) {
	ab_pull *p = calloc(1, sizeof *p);
	if (!p) return NULL;
	if (!ab_layout_init(&p->layout, nodes, count) || !ab_views_init(&p->views, &p->layout) || !ab_scratch_init(&p->scratch, &p->layout)) {
		ab_pull_free(p);
		return NULL;
	}
	p->builder = (ab_builder){.layout = &p->layout, .account = account};
	return p;
}

void ab_pull_free(ab_pull *p) {
	if (!p) return;
	if (p->chunk) duckdb_destroy_data_chunk(&p->chunk);
	ab_views_free(&p->views);
	if (p->builder.layout) ab_builder_free(&p->builder);
	ab_scratch_free(&p->scratch, &p->layout);
	if (p->has_result) duckdb_destroy_result(&p->result);
	if (p->pending) duckdb_destroy_pending(&p->pending);
	if (p->prepared) duckdb_destroy_prepare(&p->prepared);
	ab_layout_free(&p->layout);
	free(p);
	ab_leave();
}

ab_status ab_pull_prepare(ab_pull *p, duckdb_connection conn, const char *sql) {
	if (duckdb_prepare(conn, sql, &p->prepared) != DuckDBSuccess) return AB_ENGINE;
	p->bad_column = p->layout.columns;
	if (duckdb_prepared_statement_column_count(p->prepared) != p->layout.columns) return AB_LAYOUT;
	for (uint32_t c = 0; c < p->layout.columns; c++) {
		duckdb_logical_type t = duckdb_prepared_statement_column_logical_type(p->prepared, c);
		bool ok = t && ab_layout_fits(&p->layout, p->layout.root[c], t);
		duckdb_destroy_logical_type(&t);
		if (ok) continue;
		p->bad_column = c;
		return AB_LAYOUT;
	}
	return AB_OK;
}

ab_status ab_pull_start(ab_pull *p) {
	duckdb_pending_prepared_streaming(p->prepared, &p->pending);
	if (!p->pending) return AB_NOMEM;
	// Executing a pending result that failed gives a result with the typed error, which the pending one does not tell.
	p->has_result = true;
	duckdb_state s = duckdb_execute_pending(p->pending, &p->result);
	duckdb_destroy_pending(&p->pending);
	ab_leave();
	return s == DuckDBSuccess ? AB_OK : AB_ENGINE;
}

static bool failed(ab_pull *p) {
	const char *error = duckdb_result_error(&p->result);
	return error && *error;
}

// fetch takes the next chunk off the engine; p->chunk stays NULL at the end.
static ab_status fetch(ab_pull *p) {
	if (p->ended) return AB_OK;
	// The last fetch may have set an error beside giving a chunk. Fetching on would wrap that in one of another type.
	if (failed(p)) return AB_ENGINE;
	p->chunk = duckdb_stream_fetch_chunk(p->result);
	if (!p->chunk) {
		p->ended = true;
		return failed(p) ? AB_ENGINE : AB_OK;
	}
	p->at = 0;
	p->rows = duckdb_data_chunk_get_size(p->chunk);
	if (p->rows == 0) {
		duckdb_destroy_data_chunk(&p->chunk);
		p->chunk = NULL;
		return AB_OK;
	}
	ab_status s = ab_views_bind(&p->views, p->chunk);
	p->weight = s == AB_OK ? ab_views_weigh(&p->views) : 0;
	return s;
}

// copy appends up to the rest of the chunk, less when bytes are scarce.
static ab_status copy(ab_pull *p, int64_t rows_max, int64_t bytes_max) {
	idx_t n = p->rows - p->at;
	if ((int64_t)n > rows_max - p->builder.rows) n = (idx_t)(rows_max - p->builder.rows);
	if (p->weight > bytes_max) {
		idx_t fit = (idx_t)((double)p->rows * (double)bytes_max / (double)p->weight);
		if (n > fit) n = fit ? fit : 1;
	}
	ab_status s = ab_builder_open(&p->builder);
	for (uint32_t c = 0; s == AB_OK && c < p->layout.columns; c++)
		s = ab_append(&p->builder, &p->scratch, &p->views, c, NULL, (uint32_t)p->at, (uint32_t)n);
	if (s != AB_OK) return s;
	p->builder.rows += (int64_t)n;
	p->at += n;
	if (p->at == p->rows) {
		duckdb_destroy_data_chunk(&p->chunk);
		p->chunk = NULL;
	}
	return AB_OK;
}

ab_status ab_pull_next(ab_pull *p, int64_t rows_max, int64_t bytes_max, ab_batch **batch) {
	*batch = NULL;
	for (;;) {
		if (!p->chunk) {
			ab_status s = fetch(p);
			if (s != AB_OK) return s;
			if (!p->chunk) break;
		}
		int64_t rest = (int64_t)((double)p->weight * (double)(p->rows - p->at) / (double)p->rows);
		if (p->builder.rows > 0 && ab_builder_bytes(&p->builder) + rest > bytes_max) break;
		ab_status s = copy(p, rows_max, bytes_max);
		if (s != AB_OK) return s;
		if (p->builder.rows >= rows_max) break;
	}
	if (p->ended) ab_leave();
	if (p->builder.rows == 0) return AB_OK;
	*batch = ab_builder_finish(&p->builder, &p->scratch, 0);
	return *batch ? AB_OK : AB_NOMEM;
}

duckdb_state ab_query(duckdb_connection conn, const char *sql, duckdb_result *result) {
	duckdb_state s = duckdb_query(conn, sql, result);
	ab_leave();
	return s;
}

const char *ab_pull_error(ab_pull *p) {
	return p->has_result ? duckdb_result_error(&p->result) : duckdb_prepare_error(p->prepared);
}

duckdb_error_type ab_pull_error_type(ab_pull *p) {
	return p->has_result ? duckdb_result_error_type(&p->result) : DUCKDB_ERROR_INVALID;
}
