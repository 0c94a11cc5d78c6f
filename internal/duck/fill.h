// Filling DuckDB vectors from Arrow arrays: the reverse of the builder. Strings are not copied, they point into the buffer.
#pragma once
#include "input.h"

// ab_fill writes the rows [from, from+n) of a node's array to the rows [to, to+n) of a flat vector. from counts rows of the
// array as its parent sees it; the array's own offset is added here.
void ab_fill(const ab_layout *l, const ab_array *arrays, uint32_t node, duckdb_vector v, idx_t to, int64_t from, int64_t n);
