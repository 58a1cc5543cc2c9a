#include "supervise/blocking.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "supervise/notify.h"
#include "supervise/worker.h"

#define MAX_WORKERS 512
#define TICK_NS (20 * NS_PER_MS)
#define STUCK_NS (50 * NS_PER_MS)
#define SETTLE_TICK_MS 1
#define STACK_SIZE ((size_t)512 * 1024)
#define ERESTARTSYS                                                                                \
	512 /* the kernel's own: restart the call, or EINTR, as the handler's flags say */

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t spare;	/* a resting worker is wanted */
	pthread_cond_t monitor; /* the first worker blocks */
	struct worker *workers; /* all of them; they live as long as the process */
	size_t n_workers, n_serving, n_resting, n_called, n_blocked, n_wanted;
};

static void *run(void *arg)
{
	worker_run(arg);
	return NULL;
}

static void on_interrupt(int number)
{
	(void)number; /* exists so that a system call ends with EINTR */
}

/* With the lock held. */
static int add_worker(struct supervisor *s)
{
	struct pool *p = s->pool;
	pthread_attr_t attributes;
	struct worker *w;
	int r;

	if (p->n_workers >= MAX_WORKERS)
		return -EAGAIN;
	w = worker_new(s);
	if (pthread_attr_init(&attributes) != 0)
		abort();
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	r = pthread_create(&w->thread, &attributes, run, w);
	(void)pthread_attr_destroy(&attributes);
	if (r != 0) {
		worker_free(w);
		return -r;
	}
	w->next = p->workers;
	p->workers = w;
	p->n_workers++;
	p->n_serving++;
	return 0;
}

/* With the lock held: another worker serves. */
static int replace(struct supervisor *s)
{
	struct pool *p = s->pool;

	if (p->n_serving >= MAX(p->n_wanted, 2) - 1)
		return 0; /* one that is busy for long need not be replaced while others serve */
	if (p->n_resting == 0)
		return add_worker(s);
	p->n_resting--;
	p->n_called++;
	p->n_serving++;
	(void)pthread_cond_signal(&p->spare);
	return 0;
}

int blocking_begin(struct worker *w)
{
	struct pool *p = w->s->pool;
	int r;

	(void)pthread_mutex_lock(&p->lock);
	/* if it was replaced already, it does not count among those that serve */
	if (atomic_exchange(&w->busy_ns, w->started_ns) != WORKER_WAS_REPLACED)
		p->n_serving--;
	r = replace(w->s);
	if (r < 0) {
		p->n_serving++;
	} else {
		w->is_blocked = true;
		atomic_store(&w->is_interrupted, false);
		if (p->n_blocked++ == 0)
			(void)pthread_cond_signal(&p->monitor);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return r;
}

void blocking_end(struct worker *w)
{
	struct pool *p = w->s->pool;

	(void)pthread_mutex_lock(&p->lock);
	w->is_blocked = false;
	w->may_rest = true;
	p->n_blocked--;
	p->n_serving++;
	(void)pthread_mutex_unlock(&p->lock);
}

int blocking_error(struct worker *w, int error)
{
	return error == -EINTR && atomic_load(&w->is_interrupted) ? -ERESTARTSYS : error;
}

void pool_rest(struct worker *w)
{
	struct pool *p = w->s->pool;

	(void)pthread_mutex_lock(&p->lock);
	if (p->n_serving > p->n_wanted) {
		p->n_serving--;
		p->n_resting++;
		while (p->n_called == 0)
			(void)pthread_cond_wait(&p->spare, &p->lock);
		p->n_called--;
	}
	(void)pthread_mutex_unlock(&p->lock);
}

/* Has the caller a signal that it would handle if it were not held? */
static bool has_signal(const struct worker *w)
{
	static const char *const names[] = { "SigPnd", "ShdPnd", "SigBlk", "SigIgn" };
	unsigned long long sets[ARRAY_SIZE(names)];
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (process_status_field(w->process->dir_fd, names[i], text, sizeof(text)) < 0)
			return false;
		sets[i] = strtoull(text, NULL, 16);
	}
	return ((sets[0] | sets[1]) & ~sets[2] & ~sets[3]) != 0;
}

/* Each tick anew, because the worker may not have reached its system call yet. */
static void check_blocked(struct worker *w)
{
	if (notify_is_valid(w->s->listener_fd, w->call->id) && !has_signal(w))
		return;
	atomic_store(&w->is_interrupted, true);
	(void)pthread_kill(w->thread, SIGUSR1);
}

static void *watch_blocked(void *arg)
{
	struct supervisor *s = arg;
	struct pool *p = s->pool;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		struct timespec until;
		uint64_t at = clock_real_ns() + TICK_NS;

		while (p->n_blocked == 0)
			(void)pthread_cond_wait(&p->monitor, &p->lock);
		until.tv_sec = (time_t)(at / NS_PER_SEC);
		until.tv_nsec = (long)(at % NS_PER_SEC);
		(void)pthread_cond_timedwait(&p->monitor, &p->lock, &until);
		for (struct worker *w = p->workers; w; w = w->next)
			if (w->is_blocked)
				check_blocked(w);
	}
	return NULL;
}

void pool_check(struct supervisor *s)
{
	struct pool *p = s->pool;
	uint64_t now = clock_monotonic_ns();

	(void)pthread_mutex_lock(&p->lock);
	for (struct worker *w = p->workers; w; w = w->next) {
		uint64_t since = atomic_load(&w->busy_ns);

		if (w->is_blocked || since == 0 || since == WORKER_WAS_REPLACED ||
		    now < since + STUCK_NS)
			continue;
		if (!atomic_compare_exchange_strong(&w->busy_ns, &since, WORKER_WAS_REPLACED))
			continue;
		p->n_serving--;
		(void)replace(s); /* where no more are to be had, those there are must do */
	}
	(void)pthread_mutex_unlock(&p->lock);
}

void pool_unstick(struct worker *w)
{
	struct pool *p = w->s->pool;

	(void)pthread_mutex_lock(&p->lock);
	p->n_serving++;
	w->may_rest = true;
	(void)pthread_mutex_unlock(&p->lock);
}

static void see_busy(struct worker *w, void *ret)
{
	*(bool *)ret |= atomic_load(&w->busy_ns) != 0;
}

void pool_settle(struct supervisor *s, uint64_t timeout_ms)
{
	uint64_t until = clock_monotonic_ns() + timeout_ms * NS_PER_MS;

	while (clock_monotonic_ns() < until) {
		bool is_busy = false;

		pool_each(s, see_busy, &is_busy);
		if (!is_busy)
			return;
		/* A worker that told of itself would do so at every call. */
		(void)poll(NULL, 0, SETTLE_TICK_MS);
	}
}

void pool_each(struct supervisor *s, void (*fn)(struct worker *w, void *ctx), void *ctx)
{
	(void)pthread_mutex_lock(&s->pool->lock);
	for (struct worker *w = s->pool->workers; w; w = w->next)
		fn(w, ctx);
	(void)pthread_mutex_unlock(&s->pool->lock);
}

int pool_start(struct supervisor *s, size_t n)
{
	struct sigaction action = { .sa_handler = on_interrupt }; /* without SA_RESTART */
	struct pool *p = xnew(struct pool);
	pthread_t monitor;
	int r;

	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->spare, NULL);
	(void)pthread_cond_init(&p->monitor, NULL);
	p->n_wanted = n;
	s->pool = p;
	if (sigaction(SIGUSR1, &action, NULL) < 0)
		return -errno;
	r = pthread_create(&monitor, NULL, watch_blocked, s);
	if (r != 0)
		return -r;
	(void)pthread_detach(monitor);
	(void)pthread_mutex_lock(&p->lock);
	for (r = 0; n > 0 && r == 0; n--)
		r = add_worker(s);
	(void)pthread_mutex_unlock(&p->lock);
	return r;
}
