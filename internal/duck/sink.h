// The exchange's producer side: a COPY function that DuckDB's own threads call with chunks, each with its own builders.
#pragma once
#include "engine.h"

// ab_sink is one COPY: what it should look like, and who takes the batches that come out.
typedef struct {
	ab_object object; // first: an ab_object is cast to it
	ab_layout layout; // without the partition number
	uint32_t partitions;
	uint8_t number_width; // of the partition number's type, bytes
	bool number_signed;
	uintptr_t taker;    // whom arbalestTake hands the batches to
	int64_t thread_max; // bytes that one thread's builders may hold before they are handed over early; 0 = no limit
	ab_account account; // of what is not yet handed over; its parent is the engine's for that
	pthread_mutex_t lock;
	ab_status status;  // guarded by lock: the first fault
	int64_t bad;       // guarded by lock: the column (AB_LAYOUT) or partition number (AB_PARTITION) at fault
} ab_sink;

bool ab_sink_install(ab_engine *e, duckdb_connection conn);
ab_sink *ab_sink_new(ab_engine *e, const ab_node *nodes, uint32_t count, uint32_t partitions, int64_t bytes_max, int64_t thread_max, uintptr_t taker);
// arbalestTake is Go's: it takes a finished batch over, and returns 0, or 1 to end the COPY. Executor threads call it, several
// at once; it may write to a local disk but waits for nobody else, as the thread is the whole instance's.
int arbalestTake(uintptr_t taker, ab_batch *batch);
// ab_sink_close ends the handle. The memory goes with the last plan that bound it.
void ab_sink_close(ab_sink *s);
