#include "supervise/watch.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"

#define MAX_ENTRIES 4096 /* a process that never calls again stays until its number is used anew   \
			  */

struct watch {
	pthread_mutex_t lock;
	_Atomic size_t n;
	size_t next;
	struct watch_entry entries[MAX_ENTRIES];
};

struct watch *watch_new(void)
{
	struct watch *w = xnew(struct watch);

	(void)pthread_mutex_init(&w->lock, NULL);
	return w;
}

static struct watch_entry *find(struct watch *w, pid_t tgid, enum watch_kind kind)
{
	for (size_t i = 0; i < MAX_ENTRIES; i++)
		if (w->entries[i].tgid == tgid && w->entries[i].kind == kind)
			return &w->entries[i];
	return NULL;
}

bool watch_add(struct watch *w, const struct watch_entry *e)
{
	struct watch_entry *slot;

	(void)pthread_mutex_lock(&w->lock);
	slot = find(w, e->tgid, e->kind);
	for (size_t i = 0; !slot && i < MAX_ENTRIES; i++) {
		struct watch_entry *one = &w->entries[w->next++ % MAX_ENTRIES];

		if (one->tgid)
			continue;
		slot = one;
		atomic_fetch_add(&w->n, 1);
	}
	if (slot)
		*slot = *e;
	(void)pthread_mutex_unlock(&w->lock);
	return slot;
}

bool watch_find(struct watch *w, pid_t tgid, enum watch_kind kind, struct watch_entry *ret)
{
	const struct watch_entry *e;

	if (atomic_load(&w->n) == 0)
		return false;
	(void)pthread_mutex_lock(&w->lock);
	e = find(w, tgid, kind);
	if (e)
		*ret = *e;
	(void)pthread_mutex_unlock(&w->lock);
	return e;
}

void watch_remove(struct watch *w, pid_t tgid, enum watch_kind kind)
{
	struct watch_entry *e;

	if (atomic_load(&w->n) == 0)
		return;
	(void)pthread_mutex_lock(&w->lock);
	e = find(w, tgid, kind);
	if (e) {
		e->tgid = 0;
		atomic_fetch_sub(&w->n, 1);
	}
	(void)pthread_mutex_unlock(&w->lock);
}
