#include "engine.h"
#include "input.h"
#include "sink.h"
#include <stdlib.h>

ab_engine *ab_engine_new(ab_account *account) {
	ab_engine *e = calloc(1, sizeof *e);
	if (!e) return NULL;
	if (pthread_mutex_init(&e->lock, NULL) != 0) {
		free(e);
		return NULL;
	}
	e->account = account;
	e->making.parent = account;
	e->making_max = INT64_MAX;
	return e;
}

void ab_engine_free(ab_engine *e) {
	if (!e) return;
	pthread_mutex_destroy(&e->lock);
	free(e);
}

bool ab_engine_install(ab_engine *e, duckdb_connection conn) {
	return ab_sink_install(e, conn) && ab_input_install(e, conn);
}

void ab_object_open(ab_engine *e, ab_object *o, int kind) {
	pthread_mutex_lock(&e->lock);
	o->engine = e;
	o->kind = kind;
	o->refs = 1;
	o->handle = ++e->last_handle;
	o->next = e->objects;
	e->objects = o;
	pthread_mutex_unlock(&e->lock);
}

ab_object *ab_object_bind(ab_engine *e, int64_t handle, int kind) {
	pthread_mutex_lock(&e->lock);
	ab_object *o = e->objects;
	while (o && !(o->handle == handle && o->kind == kind)) o = o->next;
	if (o) o->refs++;
	pthread_mutex_unlock(&e->lock);
	return o;
}

void ab_object_close(ab_object *o) {
	pthread_mutex_lock(&o->engine->lock);
	ab_object **at = &o->engine->objects;
	while (*at && *at != o) at = &(*at)->next;
	if (*at) *at = o->next;
	pthread_mutex_unlock(&o->engine->lock);
}

bool ab_object_unref(ab_object *o) {
	pthread_mutex_lock(&o->engine->lock);
	bool last = --o->refs == 0;
	pthread_mutex_unlock(&o->engine->lock);
	return last;
}

int ab_object_refs(ab_object *o) {
	pthread_mutex_lock(&o->engine->lock);
	int refs = o->refs;
	pthread_mutex_unlock(&o->engine->lock);
	return refs;
}
