#include "supervise/affinity.h"

#include <string.h>

#include "base/attributes.h"

static bool get(pid_t tid, cpu_set_t *ret)
{
	return sched_getaffinity(tid, sizeof(*ret), ret) == 0;
}

static bool set(pid_t tid, const cpu_set_t *mask)
{
	return sched_setaffinity(tid, sizeof(*mask), mask) == 0;
}

static void set_all(cpu_set_t *mask)
{
	memset(mask, 0xff, sizeof(*mask));
}

void affinity_init(struct affinity *a, struct affinity_left *left)
{
	cpu_set_t all;

	set_all(&all);
	*a = (struct affinity){ .left = left };
	/* More processors than a set has room for: EINVAL. */
	a->is_known = get(0, &a->own) && set(0, &all) && get(0, &a->everywhere) && set(0, &a->own);
}

void affinity_take(struct affinity *a, pid_t tid)
{
	struct affinity_hold *h = &a->hold;
	int here = sched_getcpu();

	h->tid = 0;
	if (!a->is_known || here < 0 || here >= CPU_SETSIZE || !get(tid, &h->callers) ||
	    !CPU_ISSET(here, &h->callers))
		return;
	CPU_ZERO(&h->here);
	CPU_SET(here, &h->here);
	if (!set(tid, &h->here))
		return;
	h->tid = tid;
	(void)set(0, &h->here);
}

void affinity_free_self(struct affinity *a)
{
	if (a->hold.tid)
		(void)set(0, &a->own);
}

void affinity_drop(struct affinity *a)
{
	affinity_free_self(a);
	a->hold.tid = 0;
}

static void release(const struct affinity *a, const struct affinity_hold *h)
{
	cpu_set_t now, all;

	if (!get(h->tid, &now) || !CPU_EQUAL(&now, &h->here))
		return;
	/* Who had all that there is has what is added later, too. */
	set_all(&all);
	(void)set(h->tid, CPU_EQUAL(&h->callers, &a->everywhere) ? &all : &h->callers);
}

void affinity_free_caller(struct affinity *a, pid_t tid)
{
	struct affinity_hold *h = &a->hold;

	if (!h->tid)
		return;
	h->tid = tid;
	release(a, h);
	h->tid = 0;
}

bool affinity_leave(struct affinity *a, pid_t tid)
{
	struct affinity_left *left = a->left;
	struct affinity_hold *free = NULL;

	if (!a->hold.tid)
		return false;
	(void)pthread_mutex_lock(&left->lock);
	for (size_t i = 0; i < AFFINITY_LEFT && !free; i++)
		if (!left->holds[i].tid)
			free = &left->holds[i];
	if (free) {
		*free = a->hold;
		free->tid = tid;
		a->hold.tid = 0;
		atomic_fetch_add(&left->n, 1);
	}
	(void)pthread_mutex_unlock(&left->lock);
	return free;
}

void affinity_free_left(struct affinity *a, pid_t tid)
{
	struct affinity_left *left = a->left;

	if (!left || atomic_load(&left->n) == 0)
		return;
	/* Whoever comes second waits until it is done. */
	(void)pthread_mutex_lock(&left->lock);
	for (size_t i = 0; i < AFFINITY_LEFT; i++) {
		struct affinity_hold *h = &left->holds[i];

		if (h->tid != tid)
			continue;
		release(a, h);
		h->tid = 0;
		atomic_fetch_sub(&left->n, 1);
	}
	(void)pthread_mutex_unlock(&left->lock);
}
