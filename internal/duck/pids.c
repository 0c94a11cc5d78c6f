#include "pids.h"
#include <stdlib.h>
#include <string.h>

bool ab_pids_init(ab_pids *p, uint32_t partitions) {
	p->partitions = partitions;
	p->start = calloc((size_t)partitions + 1, sizeof *p->start);
	p->at = calloc((size_t)partitions + 1, sizeof *p->at);
	return p->start && p->at;
}

void ab_pids_free(ab_pids *p) {
	free(p->number);
	free(p->rows);
	free(p->start);
	free(p->at);
}

bool ab_pids_type(duckdb_type id, uint8_t *width, bool *is_signed) {
	switch (id) {
	case DUCKDB_TYPE_TINYINT: *width = 1, *is_signed = true; return true;
	case DUCKDB_TYPE_SMALLINT: *width = 2, *is_signed = true; return true;
	case DUCKDB_TYPE_INTEGER: *width = 4, *is_signed = true; return true;
	case DUCKDB_TYPE_BIGINT: *width = 8, *is_signed = true; return true;
	case DUCKDB_TYPE_HUGEINT: *width = 16, *is_signed = true; return true;
	case DUCKDB_TYPE_UTINYINT: *width = 1, *is_signed = false; return true;
	case DUCKDB_TYPE_USMALLINT: *width = 2, *is_signed = false; return true;
	case DUCKDB_TYPE_UINTEGER: *width = 4, *is_signed = false; return true;
	case DUCKDB_TYPE_UBIGINT: *width = 8, *is_signed = false; return true;
	case DUCKDB_TYPE_UHUGEINT: *width = 16, *is_signed = false; return true;
	default: return false;
	}
}

// READ compares in the number's own type: a negative one is out of range, not a huge one.
#define READ(T)                                                                                                                \
	for (uint32_t i = 0; i < n; i++) {                                                                                         \
		T x = ((const T *)data)[i];                                                                                            \
		if (valid && !(valid[i >> 6] >> (i & 63) & 1)) x = 0;                                                                  \
		if (x < 0 || (unsigned __int128)x >= p->partitions) {                                                                  \
			*bad = (int64_t)x;                                                                                                 \
			return AB_PARTITION;                                                                                               \
		}                                                                                                                      \
		p->number[i] = (uint32_t)x;                                                                                            \
	}

ab_status ab_pids_read(ab_pids *p, duckdb_vector v, uint32_t n, uint8_t width, bool is_signed, int64_t *bad) {
	if (p->cap < n) {
		free(p->number);
		free(p->rows);
		p->number = malloc(sizeof(uint32_t) * n);
		p->rows = malloc(sizeof(uint32_t) * n);
		p->cap = p->number && p->rows ? n : 0;
		if (!p->cap) return AB_NOMEM;
	}
	const void *data = duckdb_vector_get_data(v);
	const uint64_t *valid = duckdb_vector_get_validity(v);
	switch (width * 2 + is_signed) {
	case 2: READ(uint8_t) break;
	case 3: READ(int8_t) break;
	case 4: READ(uint16_t) break;
	case 5: READ(int16_t) break;
	case 8: READ(uint32_t) break;
	case 9: READ(int32_t) break;
	case 16: READ(uint64_t) break;
	case 17: READ(int64_t) break;
	case 32: READ(unsigned __int128) break;
	default: READ(__int128)
	}
	return AB_OK;
}

void ab_pids_sort(ab_pids *p, uint32_t start, uint32_t n) {
	memset(p->start, 0, sizeof(uint32_t) * ((size_t)p->partitions + 1));
	for (uint32_t i = start; i < start + n; i++) p->start[p->number[i] + 1]++;
	for (uint32_t k = 0; k < p->partitions; k++) p->start[k + 1] += p->start[k];
	memcpy(p->at, p->start, sizeof(uint32_t) * p->partitions);
	for (uint32_t i = start; i < start + n; i++) p->rows[p->at[p->number[i]]++] = i;
}
