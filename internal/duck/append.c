// The copy loops of the builder, one a kind of layout. Every loop comes in two forms: a run of rows, which is a memcpy where
// the layouts agree, and a gather by a selection.
#include "builder.h"
#include <stdlib.h>
#include <string.h>

// BYTES_SLACK is room behind the bytes of a column, so that short strings can be copied as one block of 16.
#define BYTES_SLACK 16

#define ROW(i) (sel ? sel[i] : start + (i))

static ab_status append(ab_builder *b, ab_scratch *s, const ab_views *v, uint32_t node, const uint32_t *sel, uint32_t start, uint32_t n);

// room is ab_room with the size that the buffer had in the last batch as a first guess, which saves regrowing.
static inline ab_status room(ab_builder *b, ab_scratch *s, uint32_t node, int which, ab_buffer *buf, size_t more) {
	if (buf->n + more <= buf->cap) return AB_OK;
	size_t need = buf->n + more, hint = s->hint[3 * node + which] + BYTES_SLACK;
	if (hint > need && hint > 2 * buf->cap && hint <= need * 64) need = hint;
	return ab_grow(b->account, buf, need);
}

static void set_ones(uint8_t *bits, int64_t from, int64_t n) {
	int64_t i = from, end = from + n;
	for (; i < end && (i & 7); i++) bits[i >> 3] |= (uint8_t)(1 << (i & 7));
	if (end - i >= 8) {
		memset(bits + (i >> 3), 0xff, (size_t)(end - i) >> 3);
		i += (end - i) & ~(int64_t)7;
	}
	for (; i < end; i++) bits[i >> 3] |= (uint8_t)(1 << (i & 7));
}

// bit_room makes room for n bits behind the rows so far, zeroed.
static ab_status bit_room(ab_builder *b, ab_scratch *s, uint32_t node, int which, ab_buffer *buf, int64_t rows, uint32_t n) {
	size_t need = (size_t)(rows + n + 7) / 8;
	if (need <= buf->n) return AB_OK;
	ab_status st = room(b, s, node, which, buf, need - buf->n);
	if (st != AB_OK) return st;
	memset(buf->p + buf->n, 0, need - buf->n);
	buf->n = need;
	return AB_OK;
}

static ab_status append_validity(ab_builder *b, ab_scratch *s, uint32_t node, const ab_view *w, const uint32_t *sel, uint32_t start, uint32_t n) {
	ab_column *c = &b->column[node];
	if (!w->valid && !c->valid.p) return AB_OK;
	bool first = !c->valid.p;
	ab_status st = bit_room(b, s, node, 0, &c->valid, c->rows, n);
	if (st != AB_OK) return st;
	if (first) set_ones(c->valid.p, 0, c->rows);
	if (!w->valid) {
		set_ones(c->valid.p, c->rows, n);
		return AB_OK;
	}
	int64_t at = c->rows, ones = 0;
	for (uint32_t i = 0; i < n; i++, at++) {
		uint8_t bit = ab_is_valid(w->valid, ROW(i));
		ones += bit;
		c->valid.p[at >> 3] |= (uint8_t)(bit << (at & 7));
	}
	c->nulls += n - ones;
	return AB_OK;
}

// zero_nulls clears what lies below NULLs: DuckDB leaves old memory there, which is nobody's to see.
static void zero_nulls(uint8_t *d, size_t width, const ab_view *w, const uint32_t *sel, uint32_t start, uint32_t n) {
	for (uint32_t i = 0; i < n; i++)
		if (!ab_is_valid(w->valid, ROW(i))) memset(d + width * i, 0, width);
}

#define GATHER(T)                                                                                                              \
	do {                                                                                                                       \
		T *restrict d = (T *)(c->data.p + c->data.n);                                                                          \
		const T *restrict x = (const T *)w->data;                                                                              \
		for (uint32_t i = 0; i < n; i++) d[i] = x[sel[i]];                                                                     \
	} while (0)

typedef struct {
	uint64_t lo, hi;
} wide16;

static ab_status append_fixed(ab_builder *b, ab_scratch *s, uint32_t node, const ab_view *w, const uint32_t *sel, uint32_t start, uint32_t n) {
	ab_column *c = &b->column[node];
	size_t width = b->layout->node[node].width, bytes = width * n;
	ab_status st = room(b, s, node, 1, &c->data, bytes);
	if (st != AB_OK) return st;
	if (!sel) {
		memcpy(c->data.p + c->data.n, w->data + width * start, bytes);
	} else {
		switch (width) {
		case 1: GATHER(uint8_t); break;
		case 2: GATHER(uint16_t); break;
		case 4: GATHER(uint32_t); break;
		case 8: GATHER(uint64_t); break;
		default: GATHER(wide16);
		}
	}
	if (w->valid) zero_nulls(c->data.p + c->data.n, width, w, sel, start, n);
	c->data.n += bytes;
	return AB_OK;
}

static ab_status append_bool(ab_builder *b, ab_scratch *s, uint32_t node, const ab_view *w, const uint32_t *sel, uint32_t start, uint32_t n) {
	ab_column *c = &b->column[node];
	ab_status st = bit_room(b, s, node, 1, &c->data, c->rows, n);
	if (st != AB_OK) return st;
	int64_t at = c->rows;
	for (uint32_t i = 0; i < n; i++, at++) {
		uint8_t bit = ab_is_valid(w->valid, ROW(i)) && w->data[ROW(i)]; // below a NULL the byte may be anything
		c->data.p[at >> 3] |= (uint8_t)(bit << (at & 7));
	}
	return AB_OK;
}

// WIDEN sign-extends an integer to the 128 bits that clients get for every decimal.
#define WIDEN(T)                                                                                                               \
	do {                                                                                                                       \
		const T *restrict x = (const T *)w->data;                                                                              \
		if (sel)                                                                                                               \
			for (uint32_t i = 0; i < n; i++) d[2 * i] = x[sel[i]], d[2 * i + 1] = (int64_t)x[sel[i]] >> 63;                    \
		else                                                                                                                   \
			for (uint32_t i = 0; i < n; i++) d[2 * i] = x[start + i], d[2 * i + 1] = (int64_t)x[start + i] >> 63;              \
	} while (0)

static ab_status append_decimal(ab_builder *b, ab_scratch *s, uint32_t node, const ab_view *w, const uint32_t *sel, uint32_t start, uint32_t n) {
	ab_column *c = &b->column[node];
	ab_status st = room(b, s, node, 1, &c->data, 16 * (size_t)n);
	if (st != AB_OK) return st;
	int64_t *restrict d = (int64_t *)(c->data.p + c->data.n);
	switch (b->layout->node[node].width) {
	case 2: WIDEN(int16_t); break;
	case 4: WIDEN(int32_t); break;
	default: WIDEN(int64_t);
	}
	if (w->valid) zero_nulls((uint8_t *)d, 16, w, sel, start, n);
	c->data.n += 16 * (size_t)n;
	return AB_OK;
}

#define DAY_MICROS INT64_C(86400000000)
#define NANO_MICROS_MAX (INT64_MAX / 1000) // microseconds that still fit Arrow's nanoseconds: 292 years

typedef struct {
	int32_t months, days;
	int64_t nanos;
} month_day_nano;

static ab_status append_interval(ab_builder *b, ab_scratch *s, uint32_t node, const ab_view *w, const uint32_t *sel, uint32_t start, uint32_t n) {
	ab_column *c = &b->column[node];
	ab_status st = room(b, s, node, 1, &c->data, 16 * (size_t)n);
	if (st != AB_OK) return st;
	month_day_nano *d = (month_day_nano *)(c->data.p + c->data.n);
	const duckdb_interval *x = (const duckdb_interval *)w->data;
	for (uint32_t i = 0; i < n; i++) {
		if (!ab_is_valid(w->valid, ROW(i))) {
			d[i] = (month_day_nano){0};
			continue;
		}
		duckdb_interval v = x[ROW(i)];
		int64_t days = v.days;
		if (v.micros > NANO_MICROS_MAX || v.micros < -NANO_MICROS_MAX) { // carry whole days, which DuckDB counts equal
			days += v.micros / DAY_MICROS;
			v.micros %= DAY_MICROS;
			if (days > INT32_MAX || days < INT32_MIN) return AB_RANGE;
		}
		d[i] = (month_day_nano){v.months, (int32_t)days, v.micros * 1000};
	}
	c->data.n += 16 * (size_t)n;
	return AB_OK;
}

static ab_status append_bytes(ab_builder *b, ab_scratch *s, uint32_t node, const ab_view *w, const uint32_t *sel, uint32_t start, uint32_t n) {
	ab_column *c = &b->column[node];
	ab_status st = room(b, s, node, 2, &c->offsets, sizeof(int32_t) * (size_t)n);
	if (st != AB_OK) return st;
	const duckdb_string_t *x = (const duckdb_string_t *)w->data;
	int32_t *off = (int32_t *)(c->offsets.p + c->offsets.n);
	uint64_t end = c->data.n;
	if (w->valid) {
		for (uint32_t i = 0; i < n; i++) {
			uint32_t r = ROW(i);
			if (ab_is_valid(w->valid, r)) end += x[r].value.inlined.length;
			off[i] = (int32_t)end;
		}
	} else {
		for (uint32_t i = 0; i < n; i++) {
			end += x[ROW(i)].value.inlined.length;
			off[i] = (int32_t)end;
		}
	}
	if (end > INT32_MAX) return AB_TOO_LARGE;
	st = room(b, s, node, 1, &c->data, end - c->data.n + BYTES_SLACK);
	if (st != AB_OK) return st;
	uint8_t *d = c->data.p + c->data.n;
	for (uint32_t i = 0; i < n; i++) {
		const duckdb_string_t *e = &x[ROW(i)];
		if (w->valid && !ab_is_valid(w->valid, ROW(i))) continue;
		uint32_t len = e->value.inlined.length;
		if (len <= 12) {
			memcpy(d, e->value.inlined.inlined, 12);
		} else if (len <= 32) { // two overlapping blocks, without a call
			const char *p = e->value.pointer.ptr;
			uint64_t head[2], tail[2];
			if (len >= 16) {
				memcpy(head, p, 16);
				memcpy(tail, p + len - 16, 16);
				memcpy(d, head, 16);
				memcpy(d + len - 16, tail, 16);
			} else {
				memcpy(head, p, 8);
				memcpy(tail, p + len - 8, 8);
				memcpy(d, head, 8);
				memcpy(d + len - 8, tail, 8);
			}
		} else {
			memcpy(d, e->value.pointer.ptr, len);
		}
		d += len;
	}
	c->data.n = end;
	c->offsets.n += sizeof(int32_t) * (size_t)n;
	return AB_OK;
}

static uint32_t *child_sel(ab_scratch *s, uint32_t node, size_t n) {
	if (s->sel_cap[node] < n) {
		size_t cap = n < 2048 ? 2048 : n;
		uint32_t *p = realloc(s->sel[node], cap * sizeof *p);
		if (!p) return NULL;
		s->sel[node] = p;
		s->sel_cap[node] = cap;
	}
	return s->sel[node];
}

static ab_status append_list(ab_builder *b, ab_scratch *s, const ab_views *v, uint32_t node, const uint32_t *sel, uint32_t start, uint32_t n) {
	const ab_view *w = &v->view[node];
	ab_column *c = &b->column[node];
	ab_status st = room(b, s, node, 2, &c->offsets, sizeof(int32_t) * (size_t)n);
	if (st != AB_OK) return st;
	const duckdb_list_entry *x = (const duckdb_list_entry *)w->data;
	int32_t *off = (int32_t *)(c->offsets.p + c->offsets.n);
	uint64_t begin = (uint64_t)off[-1], end = begin, follow = 0;
	bool run = true; // as long as each list starts where the last one ended, the child is one run too
	uint64_t first = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t r = ROW(i);
		if (ab_is_valid(w->valid, r) && x[r].length) {
			if (end == begin) first = x[r].offset;
			else if (x[r].offset != follow) run = false;
			follow = x[r].offset + x[r].length;
			end += x[r].length;
		}
		off[i] = (int32_t)end;
		if (end > INT32_MAX) return AB_TOO_LARGE;
	}
	c->offsets.n += sizeof(int32_t) * (size_t)n;
	uint32_t total = (uint32_t)(end - begin);
	if (run) return append(b, s, v, node + 1, NULL, (uint32_t)first, total);
	uint32_t *k = child_sel(s, node, total);
	if (!k) return AB_NOMEM;
	uint32_t at = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t r = ROW(i);
		if (!ab_is_valid(w->valid, r)) continue;
		for (uint64_t j = 0; j < x[r].length; j++) k[at++] = (uint32_t)(x[r].offset + j);
	}
	return append(b, s, v, node + 1, k, 0, total);
}

static ab_status append_array(ab_builder *b, ab_scratch *s, const ab_views *v, uint32_t node, const uint32_t *sel, uint32_t start, uint32_t n) {
	uint32_t size = b->layout->node[node].size;
	if ((uint64_t)n * size > INT32_MAX) return AB_TOO_LARGE;
	if (!sel) return append(b, s, v, node + 1, NULL, start * size, n * size);
	uint32_t *k = child_sel(s, node, (size_t)n * size);
	if (!k) return AB_NOMEM;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < size; j++) k[i * size + j] = sel[i] * size + j;
	return append(b, s, v, node + 1, k, 0, n * size);
}

static ab_status append_struct(ab_builder *b, ab_scratch *s, const ab_views *v, uint32_t node, const uint32_t *sel, uint32_t start, uint32_t n) {
	uint32_t child = node + 1;
	for (uint32_t i = 0; i < b->layout->node[node].children; i++, child += b->layout->node[child].nodes) {
		ab_status st = append(b, s, v, child, sel, start, n);
		if (st != AB_OK) return st;
	}
	return AB_OK;
}

static ab_status append(ab_builder *b, ab_scratch *s, const ab_views *v, uint32_t node, const uint32_t *sel, uint32_t start, uint32_t n) {
	if (n == 0) return AB_OK;
	const ab_view *w = &v->view[node];
	ab_status st = append_validity(b, s, node, w, sel, start, n);
	if (st != AB_OK) return st;
	switch ((ab_kind)b->layout->node[node].kind) {
	case AB_FIXED: st = append_fixed(b, s, node, w, sel, start, n); break;
	case AB_BOOL: st = append_bool(b, s, node, w, sel, start, n); break;
	case AB_BYTES: st = append_bytes(b, s, node, w, sel, start, n); break;
	case AB_LIST: st = append_list(b, s, v, node, sel, start, n); break;
	case AB_STRUCT: st = append_struct(b, s, v, node, sel, start, n); break;
	case AB_ARRAY: st = append_array(b, s, v, node, sel, start, n); break;
	case AB_DECIMAL: st = append_decimal(b, s, node, w, sel, start, n); break;
	case AB_INTERVAL: st = append_interval(b, s, node, w, sel, start, n); break;
	}
	b->column[node].rows += n;
	return st;
}

ab_status ab_append(ab_builder *b, ab_scratch *s, const ab_views *v, uint32_t column, const uint32_t *sel, uint32_t start, uint32_t n) {
	return append(b, s, v, b->layout->root[column], sel, start, n);
}
