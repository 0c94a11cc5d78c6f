// What allocators keep, and when they give it back.
#define _GNU_SOURCE
#include "memory.h"
#ifdef __linux__
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

// The engine's builds for Linux bring an allocator of their own, jemalloc; one without it leaves the symbol null.
extern int duckdb_je_mallctl(const char *name, void *old, size_t *old_bytes, void *new, size_t new_bytes) __attribute__((weak));
#endif

#if defined(__linux__) && defined(__GLIBC__)

// arenas is how many the C library may have.
static int arenas;

// ab_few_arenas runs before any thread begins. The C library gives threads up to eight arenas a processor, and every call from Go may
// come on another thread: what lives long then lies scattered over all of them among what does not, and keeps pages that are nearly
// empty. On two processors workers held 50 MB for 13 MB in use. One arena a processor is enough for as many threads as can run.
__attribute__((constructor)) static void ab_few_arenas(void) {
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	arenas = processors > 2 ? (int)processors : 2;
	mallopt(M_ARENA_MAX, arenas);
}

// Sizes as malloc(3) has them: the least end of an arena that free returns at rest, and what its own rules come to at work, where blocks
// up to MAPPED_MIN are not mapped on their own.
#define END_AT_REST (128 << 10)
#define MAPPED_MIN (32 << 20)
#define END_AT_WORK (2 * MAPPED_MIN)
// PIECE is large enough for free to look at the arena's end (64 KiB), and small enough to lie in an arena.
#define PIECE (96 << 10)
// STACK is enough for a thread that does nothing else, what the process keeps for each thread included.
#define STACK (256 << 10)

// A gathering is threads that wait until all are there, each in another arena.
typedef struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int present, wanted; // guarded by lock
} gathering;

static void *visit(void *arg) {
	gathering *g = arg;
	void *volatile piece = malloc(PIECE);
	pthread_mutex_lock(&g->lock);
	g->present++;
	pthread_cond_broadcast(&g->changed);
	while (g->present < g->wanted) pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
	free(piece);
	return NULL;
}

// trim_ends returns the free ends of all arenas. malloc_trim does so for the first one only; in others free does, for its own arena and
// if the end is larger than a threshold, which grows to 64 MiB. New threads are dealt over the arenas: so one for each arena, all there
// at once, frees a piece, with a small threshold meanwhile.
static void trim_ends(void) {
	gathering g = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .wanted = arenas};
	pthread_t *threads = calloc((size_t)arenas, sizeof *threads);
	pthread_attr_t attr;
	if (!threads || pthread_attr_init(&attr) != 0) {
		free(threads);
		return;
	}
	pthread_attr_setstacksize(&attr, STACK);
	sigset_t every, before;
	sigfillset(&every); // signals are for Go's threads
	pthread_sigmask(SIG_SETMASK, &every, &before);
	mallopt(M_TRIM_THRESHOLD, END_AT_REST);
	int started = 0;
	while (started < arenas && pthread_create(&threads[started], &attr, visit, &g) == 0) started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_mutex_lock(&g.lock);
	g.wanted = started;
	pthread_cond_broadcast(&g.changed);
	pthread_mutex_unlock(&g.lock);
	for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
	mallopt(M_MMAP_THRESHOLD, MAPPED_MIN);
	mallopt(M_TRIM_THRESHOLD, END_AT_WORK);
	pthread_attr_destroy(&attr);
	free(threads);
}
#endif

// Calls from Go may come on any thread, and one that comes no more would keep what it freed last: half a megabyte each, of some fifteen.
// DuckDB's own threads do the same when they have nothing to do.
void ab_leave(void) {
#ifdef __linux__
	if (duckdb_je_mallctl) duckdb_je_mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
#endif
}

void ab_give_back(void) {
#ifdef __linux__
	// 4096 is MALLCTL_ARENAS_ALL of jemalloc's manual. A refusal leaves things as they are.
	if (duckdb_je_mallctl) duckdb_je_mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
#ifdef __GLIBC__
	trim_ends();
	malloc_trim(0);
#endif
#endif
}
