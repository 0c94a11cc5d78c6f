// Views: where the values of a DataChunk's vectors lie, resolved once a chunk, whatever number of partitions reads them.
#pragma once
#include "layout.h"

typedef struct {
	const uint8_t *data;
	const uint64_t *valid; // bit mask, NULL = no NULLs
	idx_t rows;
	uint64_t *mask; // own memory for a mask combined with the parent's
	size_t mask_cap;
	duckdb_vector flat; // own flattened copy of a list's child, or NULL
} ab_view;

// ab_views are the views of one chunk, parallel to the layout's nodes. They hold until the chunk is destroyed.
typedef struct {
	const ab_layout *layout;
	ab_view *view;
} ab_views;

bool ab_views_init(ab_views *v, const ab_layout *l);
void ab_views_free(ab_views *v);
// ab_views_bind points the views at the first layout->columns vectors of a chunk whose top-level vectors are flat.
ab_status ab_views_bind(ab_views *v, duckdb_data_chunk chunk);
// ab_views_weigh estimates the bytes that all rows of the chunk take in Arrow; exact but for lists that share elements.
int64_t ab_views_weigh(const ab_views *v);

static inline bool ab_is_valid(const uint64_t *valid, idx_t i) { return !valid || (valid[i >> 6] >> (i & 63) & 1); }
