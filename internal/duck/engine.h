// What all connections of one engine share with our functions inside DuckDB: the registries that resolve the handles in SQL.
#pragma once
#include "builder.h"
#include <pthread.h>

// ab_object is what a handle in SQL names: an input or a sink. It lives until it was closed and the last plan that bound it
// is gone, so that a plan can never read freed memory.
typedef struct ab_object {
	struct ab_object *next;
	int64_t handle;
	int refs; // guarded by the engine's lock: plans that bound it, plus one until closed
	int kind;
	struct ab_engine *engine;
} ab_object;

enum { AB_SINK = 1, AB_INPUT = 2 };

typedef struct ab_engine {
	pthread_mutex_t lock;
	ab_object *objects; // open ones, by which handles resolve
	int64_t last_handle;
	ab_account *account;
	ab_account making;          // of all sinks' batches in the making; its parent is account
	_Atomic int64_t making_max; // past it, sinks hand over what they have instead of taking more
} ab_engine;

ab_engine *ab_engine_new(ab_account *account);
void ab_engine_free(ab_engine *e);
// ab_engine_install registers our table and copy function on the instance of a connection.
bool ab_engine_install(ab_engine *e, duckdb_connection conn);

void ab_object_open(ab_engine *e, ab_object *o, int kind);     // gives it a handle and one reference
ab_object *ab_object_bind(ab_engine *e, int64_t handle, int kind); // adds a reference; NULL for an unknown handle
void ab_object_close(ab_object *o);                              // the handle no longer resolves
bool ab_object_unref(ab_object *o);                              // true when that was the last reference
int ab_object_refs(ab_object *o);
