#include "memory.h"
#include <stdlib.h>

// BUFFER_MIN is the first allocation of a buffer, in bytes: a partition of a small result must not cost a page a column.
#define BUFFER_MIN 512
// TRIM_SLACK is the unused share of a finished buffer that is not worth a realloc: one eighth.
#define TRIM_SLACK 8

// charge books delta bytes on the account and its parents, or refuses if a limit would be passed.
static ab_status charge(ab_account *a, int64_t delta) {
	for (ab_account *x = a; x; x = x->parent) {
		int64_t now = atomic_fetch_add_explicit(&x->bytes, delta, memory_order_relaxed) + delta;
		if (delta > 0 && x->bytes_max > 0 && now > x->bytes_max) {
			for (ab_account *y = a;; y = y->parent) {
				atomic_fetch_sub_explicit(&y->bytes, delta, memory_order_relaxed);
				if (y == x) return AB_BUDGET;
			}
		}
	}
	return AB_OK;
}

static ab_status resize(ab_account *a, ab_buffer *b, size_t cap) {
	int64_t delta = (int64_t)cap - (int64_t)b->cap;
	ab_status s = charge(a, delta);
	if (s != AB_OK) return s;
	uint8_t *p = realloc(b->p, cap);
	if (!p) {
		charge(a, -delta);
		return AB_NOMEM;
	}
	b->p = p;
	b->cap = cap;
	return AB_OK;
}

ab_status ab_grow(ab_account *a, ab_buffer *b, size_t need) {
	size_t cap = b->cap < BUFFER_MIN ? BUFFER_MIN : b->cap * 2;
	if (cap < need) cap = need;
	return resize(a, b, (cap + 63) & ~(size_t)63);
}

void ab_trim(ab_account *a, ab_buffer *b) {
	if (!b->p || b->cap - b->n <= b->cap / TRIM_SLACK) return;
	resize(a, b, b->n ? b->n : 1); // shrinking never fails in a way that matters: the larger buffer stays
}

void ab_drop(ab_account *a, ab_buffer *b) {
	ab_release(a, b->p, b->cap);
	*b = (ab_buffer){0};
}

void ab_release(ab_account *a, void *p, size_t cap) {
	free(p);
	charge(a, -(int64_t)cap);
}

void ab_hand_over(ab_account *a, size_t cap) {
	atomic_fetch_sub_explicit(&a->bytes, (int64_t)cap, memory_order_relaxed);
}
