#include "fill.h"
#include <string.h>

static inline bool bit(const uint8_t *bits, int64_t i) { return bits[i >> 3] >> (i & 7) & 1; }

// set_null makes one row NULL, and all that lies below it: DuckDB's struct_extract and friends read a child without looking
// at its parent.
static void set_null(const ab_layout *l, uint32_t node, duckdb_vector v, idx_t row) {
	duckdb_vector_ensure_validity_writable(v);
	uint64_t *valid = duckdb_vector_get_validity(v);
	valid[row >> 6] &= ~((uint64_t)1 << (row & 63));
	const ab_node *k = &l->node[node];
	uint32_t child = node + 1;
	if (k->kind == AB_STRUCT) {
		for (uint32_t i = 0; i < k->children; i++, child += l->node[child].nodes)
			set_null(l, child, duckdb_struct_vector_get_child(v, i), row);
	} else if (k->kind == AB_ARRAY) {
		duckdb_vector c = duckdb_array_vector_get_child(v);
		for (uint32_t i = 0; i < k->size; i++) set_null(l, child, c, row * k->size + i);
	}
}

// fill_nulls copies validity; children were filled before, so that their rows can be made NULL too.
static void fill_nulls(const ab_layout *l, uint32_t node, const ab_array *a, duckdb_vector v, idx_t to, int64_t at, int64_t n) {
	if (!a->valid) return;
	uint8_t kind = l->node[node].kind;
	if (kind == AB_STRUCT || kind == AB_ARRAY) {
		for (int64_t i = 0; i < n; i++)
			if (!bit(a->valid, at + i)) set_null(l, node, v, to + (idx_t)i);
		return;
	}
	uint64_t *valid = NULL;
	for (int64_t i = 0; i < n; i++) {
		if (bit(a->valid, at + i)) continue;
		if (!valid) {
			duckdb_vector_ensure_validity_writable(v);
			valid = duckdb_vector_get_validity(v);
		}
		idx_t row = to + (idx_t)i;
		valid[row >> 6] &= ~((uint64_t)1 << (row & 63));
	}
}

static void fill_bytes(const ab_array *a, duckdb_vector v, idx_t to, int64_t at, int64_t n) {
	duckdb_string_t *s = (duckdb_string_t *)duckdb_vector_get_data(v) + to;
	const int32_t *off = a->offsets + at;
	for (int64_t i = 0; i < n; i++) {
		uint32_t len = (uint32_t)(off[i + 1] - off[i]);
		const char *p = (const char *)a->data + off[i];
		s[i].value.inlined.length = len;
		if (len <= sizeof s->value.inlined.inlined) {
			memset(s[i].value.inlined.inlined, 0, sizeof s->value.inlined.inlined); // DuckDB compares the padding too
			if (len) memcpy(s[i].value.inlined.inlined, p, len);
		} else {
			memcpy(s[i].value.pointer.prefix, p, sizeof s->value.pointer.prefix);
			s[i].value.pointer.ptr = (char *)p;
		}
	}
}

static void fill_list(const ab_layout *l, const ab_array *arrays, uint32_t node, duckdb_vector v, idx_t to, int64_t at, int64_t n) {
	const int32_t *off = arrays[node].offsets + at;
	int64_t values = off[n] - off[0];
	idx_t base = duckdb_list_vector_get_size(v);
	duckdb_list_vector_reserve(v, base + (idx_t)values);
	duckdb_list_vector_set_size(v, base + (idx_t)values);
	duckdb_list_entry *e = (duckdb_list_entry *)duckdb_vector_get_data(v) + to;
	for (int64_t i = 0; i < n; i++) {
		e[i].offset = base + (idx_t)(off[i] - off[0]);
		e[i].length = (uint64_t)(off[i + 1] - off[i]);
	}
	if (values) ab_fill(l, arrays, node + 1, duckdb_list_vector_get_child(v), base, off[0], values);
}

static void fill_struct(const ab_layout *l, const ab_array *arrays, uint32_t node, duckdb_vector v, idx_t to, int64_t at, int64_t n) {
	uint32_t child = node + 1;
	for (uint32_t i = 0; i < l->node[node].children; i++, child += l->node[child].nodes)
		ab_fill(l, arrays, child, duckdb_struct_vector_get_child(v, i), to, at, n);
}

void ab_fill(const ab_layout *l, const ab_array *arrays, uint32_t node, duckdb_vector v, idx_t to, int64_t from, int64_t n) {
	const ab_node *k = &l->node[node];
	const ab_array *a = &arrays[node];
	int64_t at = from + a->offset;
	switch ((ab_kind)k->kind) {
	case AB_FIXED:
		memcpy((uint8_t *)duckdb_vector_get_data(v) + to * k->width, a->data + (size_t)at * k->width, (size_t)n * k->width);
		break;
	case AB_BOOL: {
		uint8_t *d = (uint8_t *)duckdb_vector_get_data(v) + to;
		for (int64_t i = 0; i < n; i++) d[i] = bit(a->data, at + i);
		break;
	}
	case AB_BYTES:
		fill_bytes(a, v, to, at, n);
		break;
	case AB_LIST:
		fill_list(l, arrays, node, v, to, at, n);
		break;
	case AB_STRUCT:
		fill_struct(l, arrays, node, v, to, at, n);
		break;
	case AB_ARRAY:
		ab_fill(l, arrays, node + 1, duckdb_array_vector_get_child(v), to * k->size, at * k->size, n * k->size);
		break;
	case AB_DECIMAL:
	case AB_INTERVAL:
		break; // clients' layouts never come back in
	}
	fill_nulls(l, node, a, v, to, at, n);
}
