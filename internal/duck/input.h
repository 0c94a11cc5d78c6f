// The exchange's consumer side: a table function over the buffers of Arrow batches.
#pragma once
#include "engine.h"

// ab_array is one node of one batch: where its values lie. Offset counts the node's own values before the first.
typedef struct {
	int64_t offset;
	const uint8_t *valid; // Arrow's bitmap, NULL = no NULLs
	const uint8_t *data;
	const int32_t *offsets;
} ab_array;

// ab_input is a set of batches with one layout. The buffers belong to whoever added it, and stay until it is freed.
typedef struct {
	ab_object object; // first: an ab_object is cast to it
	ab_layout layout;
	duckdb_logical_type *types; // of the columns
	int64_t batches;
	ab_array *array; // batches × layout.nodes
	int64_t *first;  // row number of each batch's first row; batches + 1, the last is the number of rows
} ab_input;

bool ab_input_install(ab_engine *e, duckdb_connection conn);
// ab_input_new copies nodes, rows (one number a batch) and arrays, and owns types from then on. It returns NULL when memory
// is out, or, with bad set to the column, when a type does not fit its layout; the types are destroyed then too.
ab_input *ab_input_new(ab_engine *e, const ab_node *nodes, uint32_t count, duckdb_logical_type *types, int64_t batches, const int64_t *rows, const ab_array *arrays, int64_t *bad);
// ab_input_close ends the handle. ab_input_free frees and reports true once no plan reads it any more; until then the caller
// keeps the buffers and tries again.
void ab_input_close(ab_input *in);
bool ab_input_free(ab_input *in);
