#include "sink.h"
#include "pids.h"
#include <stdlib.h>
#include <string.h>

// An exchange batch ends at 64 k rows, or at 8 MiB for wide rows: large enough that headers and calls cost nothing, small
// enough that a partition starts to travel before the stage ends.
#define BATCH_ROWS 65536
#define BATCH_BYTES (8 << 20)
// RUN_BYTES is the weight above which a chunk is appended in parts, so that no column passes 2 GiB within one batch.
#define RUN_BYTES (256 << 20)
// HELD_MIN is what a thread may hold however scarce memory is: with less, batches for many partitions would be mere headers.
#define HELD_MIN (4 << 20)

// producer is the state of one executor thread.
typedef struct {
	ab_sink *sink;
	ab_views views;
	ab_scratch scratch;
	ab_pids pids;
	ab_builder *builder; // one a partition
	int64_t *bytes;      // in use in each builder
	int64_t held;        // the sum of bytes
} producer;

static void sink_unref(void *p) {
	ab_sink *s = p;
	if (!ab_object_unref(&s->object)) return;
	ab_layout_free(&s->layout);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

ab_sink *ab_sink_new(ab_engine *e, const ab_node *nodes, uint32_t count, uint32_t partitions, int64_t bytes_max, int64_t thread_max, uintptr_t taker) {
	ab_sink *s = calloc(1, sizeof *s);
	if (!s) return NULL;
	if (!ab_layout_init(&s->layout, nodes, count) || pthread_mutex_init(&s->lock, NULL) != 0) {
		ab_layout_free(&s->layout);
		free(s);
		return NULL;
	}
	s->partitions = partitions;
	s->thread_max = thread_max;
	s->taker = taker;
	s->account.bytes_max = bytes_max;
	s->account.parent = &e->making;
	ab_object_open(e, &s->object, AB_SINK);
	return s;
}

void ab_sink_close(ab_sink *s) {
	ab_object_close(&s->object);
	sink_unref(s);
}

static void fail(ab_sink *s, ab_status status, int64_t bad) {
	pthread_mutex_lock(&s->lock);
	if (s->status == AB_OK) {
		s->status = status;
		s->bad = bad;
	}
	pthread_mutex_unlock(&s->lock);
}

// option_handle finds HANDLE among the options of the COPY; 0 when there is none.
static int64_t option_handle(duckdb_copy_function_bind_info info) {
	int64_t handle = 0;
	duckdb_value options = duckdb_copy_function_bind_get_options(info);
	duckdb_logical_type t = options ? duckdb_get_value_type(options) : NULL; // borrowed from the value
	if (t && duckdb_get_type_id(t) == DUCKDB_TYPE_STRUCT) {
		for (idx_t i = 0; i < duckdb_struct_type_child_count(t); i++) {
			char *name = duckdb_struct_type_child_name(t, i);
			if (name && strcmp(name, "HANDLE") == 0) {
				duckdb_value v = duckdb_get_struct_child(options, i);
				if (!duckdb_is_null_value(v)) handle = duckdb_get_int64(v);
				duckdb_destroy_value(&v);
			}
			duckdb_free(name);
		}
	}
	duckdb_destroy_value(&options);
	return handle;
}

// check_columns compares the COPY's columns with the sink's layout, and takes the type of the partition number.
static ab_status check_columns(ab_sink *s, duckdb_copy_function_bind_info info, int64_t *bad) {
	idx_t columns = duckdb_copy_function_bind_get_column_count(info);
	*bad = (int64_t)s->layout.columns;
	if (columns != s->layout.columns + (s->partitions > 1)) return AB_LAYOUT;
	for (uint32_t c = 0; c < columns; c++) {
		duckdb_logical_type t = duckdb_copy_function_bind_get_column_type(info, c);
		bool ok = c < s->layout.columns ? ab_layout_fits(&s->layout, s->layout.root[c], t)
		                                : ab_pids_type(duckdb_get_type_id(t), &s->number_width, &s->number_signed);
		duckdb_destroy_logical_type(&t);
		*bad = c;
		if (!ok) return AB_LAYOUT;
	}
	return AB_OK;
}

static void bind(duckdb_copy_function_bind_info info) {
	ab_engine *e = duckdb_copy_function_bind_get_extra_info(info);
	ab_sink *s = (ab_sink *)ab_object_bind(e, option_handle(info), AB_SINK);
	if (!s) {
		duckdb_copy_function_bind_set_error(info, "arbalest_sink: no such handle");
		return;
	}
	duckdb_copy_function_bind_set_bind_data(info, s, sink_unref);
	int64_t bad = 0;
	ab_status status = check_columns(s, info, &bad);
	if (status == AB_OK) return;
	fail(s, status, bad);
	duckdb_copy_function_bind_set_error(info, "arbalest_sink: columns are not as announced");
}

static void producer_free(void *p) {
	producer *t = p;
	for (uint32_t i = 0; t->builder && i < t->sink->partitions; i++) ab_builder_free(&t->builder[i]);
	free(t->builder);
	free(t->bytes);
	ab_views_free(&t->views);
	ab_scratch_free(&t->scratch, &t->sink->layout);
	ab_pids_free(&t->pids);
	free(t);
}

static void global_init(duckdb_copy_function_global_init_info info) {
	ab_sink *s = duckdb_copy_function_global_init_get_bind_data(info);
	producer *t = calloc(1, sizeof *t);
	if (t) {
		t->sink = s;
		t->builder = calloc(s->partitions, sizeof *t->builder);
		t->bytes = calloc(s->partitions, sizeof *t->bytes);
		if (t->builder)
			for (uint32_t i = 0; i < s->partitions; i++) t->builder[i] = (ab_builder){.layout = &s->layout, .account = &s->account};
		if (t->builder && t->bytes && ab_views_init(&t->views, &s->layout) && ab_scratch_init(&t->scratch, &s->layout) && ab_pids_init(&t->pids, s->partitions)) {
			duckdb_copy_function_global_init_set_global_state(info, t, producer_free);
			return;
		}
		producer_free(t);
	}
	fail(s, AB_NOMEM, 0);
	duckdb_copy_function_global_init_set_error(info, "arbalest_sink: out of memory");
}

// flush turns a builder's rows into a batch and hands it over.
static ab_status flush(producer *t, uint32_t partition) {
	ab_sink *s = t->sink;
	ab_batch *b = ab_builder_finish(&t->builder[partition], &t->scratch, partition);
	if (!b) return AB_NOMEM;
	t->held -= t->bytes[partition];
	t->bytes[partition] = 0;
	size_t bytes = 0;
	for (uint32_t i = 0; i < s->layout.nodes; i++) bytes += b->column[i].valid.cap + b->column[i].data.cap + b->column[i].offsets.cap;
	ab_hand_over(&s->account, bytes);
	ab_hand_over(&s->object.engine->making, bytes);
	return arbalestTake(s->taker, b) == 0 ? AB_OK : AB_TAKER;
}

// enough reports whether a thread should hand over what it has, though its batches are small: it has its share, or all threads
// together have what there is.
static bool enough(const producer *t) {
	const ab_sink *s = t->sink;
	if (s->thread_max && t->held > s->thread_max) return true;
	ab_engine *e = s->object.engine;
	return t->held > HELD_MIN && atomic_load_explicit(&e->making.bytes, memory_order_relaxed) > atomic_load_explicit(&e->making_max, memory_order_relaxed);
}

// scatter appends the rows [start, start+n) to the partitions' builders, column by column: the vector stays in the cache
// while all partitions read it.
static ab_status scatter(producer *t, uint32_t start, uint32_t n) {
	ab_sink *s = t->sink;
	ab_status st = AB_OK;
	if (s->partitions > 1) ab_pids_sort(&t->pids, start, n);
	for (uint32_t p = 0; st == AB_OK && p < s->partitions; p++)
		if (s->partitions == 1 || ab_pids_count(&t->pids, p)) st = ab_builder_open(&t->builder[p]);
	for (uint32_t c = 0; st == AB_OK && c < s->layout.columns; c++) {
		if (s->partitions == 1) {
			st = ab_append(&t->builder[0], &t->scratch, &t->views, c, NULL, start, n);
			continue;
		}
		for (uint32_t p = 0; st == AB_OK && p < s->partitions; p++) {
			uint32_t k = ab_pids_count(&t->pids, p);
			if (k) st = ab_append(&t->builder[p], &t->scratch, &t->views, c, ab_pids_rows(&t->pids, p), 0, k);
		}
	}
	for (uint32_t p = 0; st == AB_OK && p < s->partitions; p++) {
		ab_builder *b = &t->builder[p];
		uint32_t k = s->partitions == 1 ? n : ab_pids_count(&t->pids, p);
		if (!k) continue;
		b->rows += k;
		int64_t bytes = ab_builder_bytes(b);
		t->held += bytes - t->bytes[p];
		t->bytes[p] = bytes;
		if (b->rows >= BATCH_ROWS || bytes >= BATCH_BYTES) st = flush(t, p);
	}
	if (!enough(t)) return st;
	for (uint32_t p = 0; st == AB_OK && p < s->partitions; p++)
		if (t->builder[p].rows) st = flush(t, p);
	return st;
}

static ab_status sink_chunk(producer *t, duckdb_data_chunk chunk, int64_t *bad) {
	uint32_t n = (uint32_t)duckdb_data_chunk_get_size(chunk);
	if (n == 0) return AB_OK;
	ab_sink *s = t->sink;
	ab_status st = ab_views_bind(&t->views, chunk);
	if (st == AB_OK && s->partitions > 1) {
		duckdb_vector numbers = duckdb_data_chunk_get_vector(chunk, s->layout.columns);
		st = ab_pids_read(&t->pids, numbers, n, s->number_width, s->number_signed, bad);
	}
	if (st != AB_OK) return st;
	int64_t weight = ab_views_weigh(&t->views);
	uint32_t run = n;
	if (weight > RUN_BYTES) {
		run = (uint32_t)((double)n * RUN_BYTES / (double)weight);
		if (run == 0) run = 1;
	}
	for (uint32_t at = 0; st == AB_OK && at < n; at += run) st = scatter(t, at, n - at < run ? n - at : run);
	return st;
}

static void sink(duckdb_copy_function_sink_info info, duckdb_data_chunk chunk) {
	producer *t = duckdb_copy_function_sink_get_global_state(info);
	int64_t bad = 0;
	ab_status st = sink_chunk(t, chunk, &bad);
	if (st == AB_OK) return;
	fail(t->sink, st, bad);
	duckdb_copy_function_sink_set_error(info, "arbalest_sink: stopped");
}

static void finalize(duckdb_copy_function_finalize_info info) {
	producer *t = duckdb_copy_function_finalize_get_global_state(info);
	for (uint32_t p = 0; t && p < t->sink->partitions; p++) {
		ab_status st = t->builder[p].rows ? flush(t, p) : AB_OK;
		if (st == AB_OK) continue;
		fail(t->sink, st, 0);
		duckdb_copy_function_finalize_set_error(info, "arbalest_sink: stopped");
		return;
	}
}

bool ab_sink_install(ab_engine *e, duckdb_connection conn) {
	duckdb_copy_function f = duckdb_create_copy_function();
	duckdb_copy_function_set_name(f, "arbalest_sink");
	duckdb_copy_function_set_extra_info(f, e, NULL);
	duckdb_copy_function_set_bind(f, bind);
	duckdb_copy_function_set_global_init(f, global_init);
	duckdb_copy_function_set_sink(f, sink);
	duckdb_copy_function_set_finalize(f, finalize);
	duckdb_state s = duckdb_register_copy_function(conn, f);
	duckdb_destroy_copy_function(&f);
	return s == DuckDBSuccess;
}
