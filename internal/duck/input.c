#include "input.h"
#include "fill.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// MORSEL_ROWS is what one thread takes at a time: ten vectors, so that even a partition of some ten thousand rows keeps
// several threads busy.
#define MORSEL_ROWS (10 * 2048)

typedef struct {
	_Atomic int64_t next; // first row of the next morsel
	idx_t columns;
	idx_t *column; // which column each output vector is; past the layout's end for virtual ones
} scan;

typedef struct {
	int64_t at, end;
	int64_t batch; // the one that at is in
} reader;

static void unref(void *p) { ab_object_unref(p); }

static void input_destroy(ab_input *in) {
	for (uint32_t c = 0; in->types && c < in->layout.columns; c++) duckdb_destroy_logical_type(&in->types[c]);
	free(in->types);
	free(in->array);
	free(in->first);
	ab_layout_free(&in->layout);
	free(in);
}

ab_input *ab_input_new(ab_engine *e, const ab_node *nodes, uint32_t count, duckdb_logical_type *types, int64_t batches, const int64_t *rows, const ab_array *arrays, int64_t *bad) {
	*bad = -1;
	ab_input *in = calloc(1, sizeof *in);
	if (!in) return NULL;
	size_t n = (size_t)batches * count;
	in->array = malloc(sizeof(ab_array) * (n ? n : 1));
	in->first = calloc((size_t)batches + 1, sizeof(int64_t));
	bool ok = ab_layout_init(&in->layout, nodes, count);
	in->types = calloc(in->layout.columns + 1, sizeof *in->types);
	if (!ok || !in->array || !in->first || !in->types) {
		input_destroy(in);
		return NULL;
	}
	memcpy(in->types, types, sizeof *types * in->layout.columns);
	memcpy(in->array, arrays, sizeof(ab_array) * n);
	in->batches = batches;
	for (int64_t b = 0; b < batches; b++) in->first[b + 1] = in->first[b] + rows[b];
	for (uint32_t c = 0; c < in->layout.columns; c++) {
		if (in->types[c] && ab_layout_fits(&in->layout, in->layout.root[c], in->types[c])) continue;
		*bad = c;
		input_destroy(in);
		return NULL;
	}
	ab_object_open(e, &in->object, AB_INPUT);
	return in;
}

void ab_input_close(ab_input *in) { ab_object_close(&in->object); }

bool ab_input_free(ab_input *in) {
	if (ab_object_refs(&in->object) > 1) return false;
	input_destroy(in);
	return true;
}

static void bind(duckdb_bind_info info) {
	duckdb_value v = duckdb_bind_get_parameter(info, 0);
	int64_t handle = duckdb_is_null_value(v) ? 0 : duckdb_get_int64(v); // no handle is 0
	duckdb_destroy_value(&v);
	ab_input *in = (ab_input *)ab_object_bind(duckdb_bind_get_extra_info(info), handle, AB_INPUT);
	if (!in) {
		char text[64];
		snprintf(text, sizeof text, "arbalest_input: no input %lld", (long long)handle);
		duckdb_bind_set_error(info, text);
		return;
	}
	duckdb_bind_set_bind_data(info, in, unref);
	for (uint32_t c = 0; c < in->layout.columns; c++) {
		char name[16];
		snprintf(name, sizeof name, "c%u", c);
		duckdb_bind_add_result_column(info, name, in->types[c]);
	}
	duckdb_bind_set_cardinality(info, (idx_t)in->first[in->batches], true);
}

static void scan_free(void *p) {
	free(((scan *)p)->column);
	free(p);
}

static void init(duckdb_init_info info) {
	ab_input *in = duckdb_init_get_bind_data(info);
	scan *s = calloc(1, sizeof *s);
	if (s) {
		s->columns = duckdb_init_get_column_count(info);
		s->column = calloc(s->columns + 1, sizeof *s->column);
	}
	if (!s || !s->column) {
		free(s);
		duckdb_init_set_error(info, "arbalest_input: out of memory");
		return;
	}
	for (idx_t i = 0; i < s->columns; i++) s->column[i] = duckdb_init_get_column_index(info, i);
	duckdb_init_set_init_data(info, s, scan_free);
	duckdb_init_set_max_threads(info, (idx_t)(in->first[in->batches] / MORSEL_ROWS + 1));
}

static void local_init(duckdb_init_info info) {
	reader *r = calloc(1, sizeof *r);
	if (!r) {
		duckdb_init_set_error(info, "arbalest_input: out of memory");
		return;
	}
	duckdb_init_set_init_data(info, r, free);
}

// batch_of finds the batch of a row.
static int64_t batch_of(const ab_input *in, int64_t row) {
	int64_t lo = 0, hi = in->batches;
	while (hi - lo > 1) {
		int64_t mid = (lo + hi) / 2;
		if (in->first[mid] <= row) lo = mid;
		else hi = mid;
	}
	return lo;
}

static bool claim(const ab_input *in, scan *s, reader *r) {
	int64_t rows = in->first[in->batches];
	r->at = atomic_fetch_add_explicit(&s->next, MORSEL_ROWS, memory_order_relaxed);
	r->end = r->at + MORSEL_ROWS < rows ? r->at + MORSEL_ROWS : rows;
	if (r->at >= rows) {
		r->at = r->end = rows;
		return false;
	}
	r->batch = batch_of(in, r->at);
	return true;
}

static void read(duckdb_function_info info, duckdb_data_chunk out) {
	ab_input *in = duckdb_function_get_bind_data(info);
	scan *s = duckdb_function_get_init_data(info);
	reader *r = duckdb_function_get_local_init_data(info);
	idx_t done = 0, vector_size = duckdb_vector_size();
	if (r->at >= r->end && !claim(in, s, r)) {
		duckdb_data_chunk_set_size(out, 0);
		return;
	}
	// A chunk takes rows from as many batches as it needs: producers with many threads leave small ones.
	while (done < vector_size && r->at < r->end) {
		while (in->first[r->batch + 1] <= r->at) r->batch++;
		int64_t from = r->at - in->first[r->batch], n = in->first[r->batch + 1] - r->at;
		if (n > r->end - r->at) n = r->end - r->at;
		if (n > (int64_t)(vector_size - done)) n = (int64_t)(vector_size - done);
		const ab_array *arrays = in->array + (size_t)r->batch * in->layout.nodes;
		for (idx_t i = 0; i < s->columns; i++) {
			if (s->column[i] >= in->layout.columns) continue; // a virtual column: count(*) reads nothing
			ab_fill(&in->layout, arrays, in->layout.root[s->column[i]], duckdb_data_chunk_get_vector(out, i), done, from, n);
		}
		r->at += n;
		done += (idx_t)n;
	}
	duckdb_data_chunk_set_size(out, done);
}

bool ab_input_install(ab_engine *e, duckdb_connection conn) {
	duckdb_table_function f = duckdb_create_table_function();
	duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
	duckdb_table_function_set_name(f, "arbalest_input");
	duckdb_table_function_add_parameter(f, bigint);
	duckdb_table_function_set_extra_info(f, e, NULL);
	duckdb_table_function_set_bind(f, bind);
	duckdb_table_function_set_init(f, init);
	duckdb_table_function_set_local_init(f, local_init);
	duckdb_table_function_set_function(f, read);
	duckdb_table_function_supports_projection_pushdown(f, true);
	duckdb_state st = duckdb_register_table_function(conn, f);
	duckdb_destroy_logical_type(&bigint);
	duckdb_destroy_table_function(&f);
	return st == DuckDBSuccess;
}
