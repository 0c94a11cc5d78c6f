// Accounted C memory: every buffer that becomes part of an Arrow batch is taken from here, so that usage is known exactly.
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// Faults of our own C code. The engine's faults travel as duckdb_error_type beside AB_ENGINE.
typedef enum {
	AB_OK = 0,
	AB_ENGINE,    // DuckDB reported it; the result holds type and text
	AB_NOMEM,     // malloc refused
	AB_BUDGET,    // the job's byte budget is used up
	AB_TOO_LARGE, // one column of one batch would pass 2 GiB, the end of Arrow's 32-bit offsets
	AB_RANGE,     // an INTERVAL that Arrow's month_day_nano cannot hold
	AB_PARTITION, // a partition number outside of [0, partitions)
	AB_LAYOUT,    // a column's type is not the one that the job announced
	AB_TAKER,     // whoever takes the batches refused one, and knows why
} ab_status;

// ab_account counts what is allocated. Each job has one, whose parent is the engine's.
typedef struct ab_account {
	_Atomic int64_t bytes;
	_Atomic int64_t batches;
	int64_t bytes_max; // 0 = no limit
	struct ab_account *parent;
} ab_account;

// ab_buffer is a growing run of bytes. An empty one has no memory.
typedef struct {
	uint8_t *p;
	size_t n, cap; // bytes used, bytes allocated
} ab_buffer;

ab_status ab_grow(ab_account *a, ab_buffer *b, size_t need); // slow path: room for need bytes in all
void ab_trim(ab_account *a, ab_buffer *b);                   // gives back what finished buffers do not use
void ab_drop(ab_account *a, ab_buffer *b);                   // frees
void ab_release(ab_account *a, void *p, size_t cap);         // frees what left the kernel as part of a batch
// ab_give_back returns to the system what neither allocator of the process has in use: the C library's, which these buffers are of,
// and the engine's own.
void ab_give_back(void);
// ab_leave is called by a thread of ours when it has done its part of a job: what the engine's allocator keeps for it alone goes back to
// where every thread is served from.
void ab_leave(void);
void ab_hand_over(ab_account *a, size_t cap);                // takes bytes off the account but not off its parent

// ab_room makes room for more bytes behind those in use.
static inline ab_status ab_room(ab_account *a, ab_buffer *b, size_t more) {
	return b->n + more <= b->cap ? AB_OK : ab_grow(a, b, b->n + more);
}
