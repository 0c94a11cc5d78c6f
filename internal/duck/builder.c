#include "builder.h"
#include <stdlib.h>
#include <string.h>

bool ab_scratch_init(ab_scratch *s, const ab_layout *l) {
	size_t n = l->nodes ? l->nodes : 1;
	s->sel = calloc(n, sizeof *s->sel);
	s->sel_cap = calloc(n, sizeof *s->sel_cap);
	s->hint = calloc(3 * n, sizeof *s->hint);
	return s->sel && s->sel_cap && s->hint;
}

void ab_scratch_free(ab_scratch *s, const ab_layout *l) {
	for (uint32_t i = 0; s->sel && i < l->nodes; i++) free(s->sel[i]);
	free(s->sel);
	free(s->sel_cap);
	free(s->hint);
	memset(s, 0, sizeof *s);
}

ab_status ab_builder_open(ab_builder *b) {
	if (b->column) return AB_OK;
	b->column = calloc(b->layout->nodes ? b->layout->nodes : 1, sizeof(ab_column));
	if (!b->column) return AB_NOMEM;
	for (uint32_t i = 0; i < b->layout->nodes; i++) {
		uint8_t kind = b->layout->node[i].kind;
		if (kind != AB_BYTES && kind != AB_LIST) continue;
		ab_buffer *o = &b->column[i].offsets;
		ab_status s = ab_room(b->account, o, sizeof(int32_t));
		if (s != AB_OK) return s;
		memset(o->p, 0, sizeof(int32_t));
		o->n = sizeof(int32_t);
	}
	return AB_OK;
}

int64_t ab_builder_bytes(const ab_builder *b) {
	int64_t sum = 0;
	for (uint32_t i = 0; b->column && i < b->layout->nodes; i++)
		sum += (int64_t)(b->column[i].valid.n + b->column[i].data.n + b->column[i].offsets.n);
	return sum;
}

ab_batch *ab_builder_finish(ab_builder *b, ab_scratch *s, uint32_t partition) {
	if (ab_builder_open(b) != AB_OK) return NULL;
	ab_batch *batch = calloc(1, sizeof *batch);
	if (!batch) return NULL;
	batch->rows = b->rows;
	batch->bytes = ab_builder_bytes(b);
	batch->partition = partition;
	batch->column = b->column;
	for (uint32_t i = 0; i < b->layout->nodes; i++) {
		ab_column *c = &b->column[i];
		s->hint[3 * i] = c->valid.n;
		s->hint[3 * i + 1] = c->data.n;
		s->hint[3 * i + 2] = c->offsets.n;
		ab_trim(b->account, &c->valid);
		ab_trim(b->account, &c->data);
		ab_trim(b->account, &c->offsets);
	}
	b->column = NULL;
	b->rows = 0;
	return batch;
}

static void drop_columns(ab_column *c, const ab_layout *l, ab_account *a) {
	for (uint32_t i = 0; c && i < l->nodes; i++) {
		ab_drop(a, &c[i].valid);
		ab_drop(a, &c[i].data);
		ab_drop(a, &c[i].offsets);
	}
	free(c);
}

void ab_builder_free(ab_builder *b) {
	drop_columns(b->column, b->layout, b->account);
	b->column = NULL;
	b->rows = 0;
}

void ab_batch_drop(ab_batch *batch, const ab_layout *l, ab_account *a) {
	drop_columns(batch->column, l, a);
	free(batch);
}

void ab_batch_free(ab_batch *batch) {
	free(batch->column);
	free(batch);
}
