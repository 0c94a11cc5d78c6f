// The column builder: appends rows of views to growing Arrow buffers, either a run of rows or the rows of a selection, so
// that one pass over a chunk fills one batch or any number of partition batches.
#pragma once
#include "view.h"

// ab_column is one node of a batch in the making, and of a finished one.
typedef struct {
	int64_t rows, nulls;
	ab_buffer valid;   // bitmap; empty as long as there is no NULL
	ab_buffer data;    // values, bits or bytes
	ab_buffer offsets; // int32, rows + 1 of them; AB_BYTES and AB_LIST
} ab_column;

// ab_batch is a finished batch: its columns, parallel to the layout's nodes. Whoever takes it off the kernel owns the
// buffers and releases each with ab_release on the account, then the batch itself with ab_batch_free.
typedef struct ab_batch {
	struct ab_batch *next;
	int64_t rows;
	int64_t bytes; // bytes in use in all buffers
	uint32_t partition;
	ab_column *column;
} ab_batch;

// ab_scratch is what appending needs besides: selections of list children, and how large buffers became last time.
typedef struct {
	uint32_t **sel;
	size_t *sel_cap;
	size_t *hint; // three a node: valid, data, offsets
} ab_scratch;

typedef struct {
	const ab_layout *layout;
	ab_account *account;
	int64_t rows;
	ab_column *column; // NULL until the first row
} ab_builder;

bool ab_scratch_init(ab_scratch *s, const ab_layout *l);
void ab_scratch_free(ab_scratch *s, const ab_layout *l);

// ab_append adds n rows of one top-level column: those that sel names, or when sel is NULL those from start on. The caller
// appends every column alike and then adds n to b->rows.
ab_status ab_append(ab_builder *b, ab_scratch *s, const ab_views *v, uint32_t column, const uint32_t *sel, uint32_t start, uint32_t n);
// ab_builder_open makes the columns ready for the first row; no-op when they are.
ab_status ab_builder_open(ab_builder *b);
// ab_builder_bytes adds up the bytes in use.
int64_t ab_builder_bytes(const ab_builder *b);
// ab_builder_finish turns the rows so far into a batch and leaves the builder empty. NULL when memory is out.
ab_batch *ab_builder_finish(ab_builder *b, ab_scratch *s, uint32_t partition);
void ab_builder_free(ab_builder *b);

// ab_batch_drop frees a batch that nobody took, buffers and all; ab_batch_free only the shell.
void ab_batch_drop(ab_batch *batch, const ab_layout *l, ab_account *a);
void ab_batch_free(ab_batch *batch);
