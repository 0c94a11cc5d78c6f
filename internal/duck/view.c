#include "view.h"
#include <stdlib.h>
#include <string.h>

bool ab_views_init(ab_views *v, const ab_layout *l) {
	v->layout = l;
	v->view = calloc(l->nodes ? l->nodes : 1, sizeof(ab_view));
	return v->view != NULL;
}

static void drop_flat(ab_view *w) {
	if (w->flat) duckdb_destroy_vector(&w->flat);
	w->flat = NULL;
}

void ab_views_free(ab_views *v) {
	for (uint32_t i = 0; v->view && i < v->layout->nodes; i++) {
		drop_flat(&v->view[i]);
		free(v->view[i].mask);
	}
	free(v->view);
	v->view = NULL;
}

static uint64_t *own_mask(ab_view *w, size_t words) {
	if (w->mask_cap < words) {
		uint64_t *m = realloc(w->mask, words * sizeof(uint64_t));
		if (!m) return NULL;
		w->mask = m;
		w->mask_cap = words;
	}
	return w->mask;
}

// has_null looks for a NULL in the first rows bits: DuckDB often hands masks that are all ones.
static bool has_null(const uint64_t *valid, idx_t rows) {
	idx_t words = rows / 64;
	for (idx_t i = 0; i < words; i++)
		if (valid[i] != ~(uint64_t)0) return true;
	idx_t rest = rows % 64;
	return rest && (valid[words] | ~(uint64_t)0 << rest) != ~(uint64_t)0;
}

// inherit makes a child NULL wherever its parent is. DuckDB mostly does so itself, but below a NULL its data may be
// uninitialised, and a string there would be a wild pointer. repeat is the number of child values a parent value.
static ab_status inherit(ab_view *w, const uint64_t *parent, idx_t repeat) {
	size_t words = (w->rows + 63) / 64;
	uint64_t *m = own_mask(w, words ? words : 1);
	if (!m) return AB_NOMEM;
	if (repeat == 1) {
		for (size_t i = 0; i < words; i++) m[i] = parent[i] & (w->valid ? w->valid[i] : ~(uint64_t)0);
	} else {
		if (w->valid) memcpy(m, w->valid, words * sizeof *m);
		else memset(m, 0xff, words * sizeof *m);
		for (idx_t i = 0; i < w->rows; i++)
			if (!ab_is_valid(parent, i / repeat)) m[i >> 6] &= ~((uint64_t)1 << (i & 63));
	}
	w->valid = m;
	return AB_OK;
}

// same_entries reports whether all non-NULL lists of a vector are one and the same: what DuckDB's Flatten makes of a
// constant vector. Only then it leaves the child as it was, which may be a dictionary.
static bool same_entries(const ab_view *w) {
	const duckdb_list_entry *e = (const duckdb_list_entry *)w->data, *first = NULL;
	for (idx_t i = 0; i < w->rows; i++) {
		if (!ab_is_valid(w->valid, i)) continue;
		if (!first) first = &e[i];
		else if (e[i].offset != first->offset || e[i].length != first->length) return false;
	}
	return first && first->length > 0;
}

// flatten_child copies a list's child into a flat vector of our own.
static ab_status flatten_child(ab_view *w, duckdb_vector *child, idx_t rows) {
	duckdb_logical_type t = duckdb_vector_get_column_type(*child);
	w->flat = duckdb_create_vector(t, rows);
	duckdb_destroy_logical_type(&t);
	duckdb_selection_vector sel = duckdb_create_selection_vector(rows);
	if (!w->flat || !sel) return AB_NOMEM;
	sel_t *s = duckdb_selection_vector_get_data_ptr(sel);
	for (idx_t i = 0; i < rows; i++) s[i] = (sel_t)i;
	duckdb_vector_copy_sel(*child, w->flat, sel, rows, 0, 0);
	duckdb_destroy_selection_vector(sel);
	*child = w->flat;
	return AB_OK;
}

static ab_status bind(ab_views *v, uint32_t node, duckdb_vector vec, idx_t rows, const uint64_t *parent, idx_t repeat);

static ab_status bind_children(ab_views *v, uint32_t node, duckdb_vector vec) {
	const ab_node *n = &v->layout->node[node];
	ab_view *w = &v->view[node];
	uint32_t child = node + 1;
	if (n->kind == AB_LIST) {
		duckdb_vector c = duckdb_list_vector_get_child(vec);
		idx_t rows = duckdb_list_vector_get_size(vec);
		drop_flat(w);
		if (same_entries(w)) {
			ab_status s = flatten_child(w, &c, rows);
			if (s != AB_OK) return s;
		}
		return bind(v, child, c, rows, NULL, 1);
	}
	if (n->kind == AB_ARRAY) return bind(v, child, duckdb_array_vector_get_child(vec), w->rows * n->size, w->valid, n->size);
	for (uint32_t i = 0; i < n->children; i++, child += v->layout->node[child].nodes) {
		ab_status s = bind(v, child, duckdb_struct_vector_get_child(vec, i), w->rows, w->valid, 1);
		if (s != AB_OK) return s;
	}
	return AB_OK;
}

static ab_status bind(ab_views *v, uint32_t node, duckdb_vector vec, idx_t rows, const uint64_t *parent, idx_t repeat) {
	ab_view *w = &v->view[node];
	w->rows = rows;
	w->data = duckdb_vector_get_data(vec);
	w->valid = duckdb_vector_get_validity(vec);
	if (w->valid && !has_null(w->valid, rows)) w->valid = NULL;
	if (parent) {
		ab_status s = inherit(w, parent, repeat);
		if (s != AB_OK) return s;
	}
	return v->layout->node[node].children ? bind_children(v, node, vec) : AB_OK;
}

ab_status ab_views_bind(ab_views *v, duckdb_data_chunk chunk) {
	idx_t rows = duckdb_data_chunk_get_size(chunk);
	for (uint32_t c = 0; c < v->layout->columns; c++) {
		ab_status s = bind(v, v->layout->root[c], duckdb_data_chunk_get_vector(chunk, c), rows, NULL, 1);
		if (s != AB_OK) return s;
	}
	return AB_OK;
}

static int64_t weigh_bytes(const ab_view *w) {
	const duckdb_string_t *s = (const duckdb_string_t *)w->data;
	int64_t sum = 4 * (int64_t)w->rows;
	if (!w->valid) {
		for (idx_t i = 0; i < w->rows; i++) sum += s[i].value.inlined.length;
		return sum;
	}
	for (idx_t i = 0; i < w->rows; i++)
		if (ab_is_valid(w->valid, i)) sum += s[i].value.inlined.length;
	return sum;
}

int64_t ab_views_weigh(const ab_views *v) {
	int64_t sum = 0;
	for (uint32_t i = 0; i < v->layout->nodes; i++) {
		const ab_view *w = &v->view[i];
		switch (v->layout->node[i].kind) {
		case AB_FIXED:
			sum += (int64_t)w->rows * v->layout->node[i].width;
			break;
		case AB_BYTES:
			sum += weigh_bytes(w);
			break;
		case AB_LIST:
			sum += 4 * (int64_t)w->rows;
			break;
		case AB_DECIMAL:
		case AB_INTERVAL:
			sum += 16 * (int64_t)w->rows;
			break;
		default:
			sum += (int64_t)w->rows / 8;
		}
	}
	return sum;
}
