// Partition numbers of a chunk, and the counting sort that gives each partition its rows.
#pragma once
#include "duckdb.h"
#include "memory.h"
#include <stdbool.h>

typedef struct {
	uint32_t partitions;
	uint32_t *number; // of each row
	uint32_t *rows;   // row numbers, sorted by partition
	uint32_t cap;     // rows that number and rows have room for
	uint32_t *start;  // of each partition in rows; partitions + 1
	uint32_t *at;
} ab_pids;

bool ab_pids_init(ab_pids *p, uint32_t partitions);
void ab_pids_free(ab_pids *p);
// ab_pids_type tells whether a type can be a partition number: any integer type.
bool ab_pids_type(duckdb_type id, uint8_t *width, bool *is_signed);
// ab_pids_read takes the numbers of n rows from a flat vector. NULL is partition 0: keys that are NULL meet nowhere, so
// where they go does not matter. A number out of range is AB_PARTITION, and bad the number.
ab_status ab_pids_read(ab_pids *p, duckdb_vector v, uint32_t n, uint8_t width, bool is_signed, int64_t *bad);
// ab_pids_sort sorts the rows [start, start+n).
void ab_pids_sort(ab_pids *p, uint32_t start, uint32_t n);

static inline uint32_t ab_pids_count(const ab_pids *p, uint32_t partition) { return p->start[partition + 1] - p->start[partition]; }
static inline const uint32_t *ab_pids_rows(const ab_pids *p, uint32_t partition) { return p->rows + p->start[partition]; }
