#include "event/checkpoint.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "event/store-private.h"

/* A writer with nothing to write does not answer, and is not in a transaction either. */
#define PAUSE_WAIT_NS (100 * NS_PER_MS)

struct checkpoint {
	pthread_t thread;
	char *path;
	sem_t paused;
	atomic_bool wants_pause, is_done;
	int result;
};

/* Readers and the writer go on meanwhile; being busy is no failure, there will be another time. */
static int move(sqlite3 *db)
{
	int r = sql_errno(db, sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
							NULL));

	return r == -EBUSY ? 0 : r;
}

static void await_pause(struct checkpoint *c)
{
	const uint64_t until = clock_real_ns() + PAUSE_WAIT_NS;
	const struct timespec ts = { .tv_sec = (time_t)(until / NS_PER_SEC),
				     .tv_nsec = (long)(until % NS_PER_SEC) };

	atomic_store(&c->wants_pause, true);
	(void)sem_timedwait(&c->paused, &ts);
}

static void *work(void *arg)
{
	struct checkpoint *c = arg;
	sqlite3 *db = NULL;
	int64_t version;
	int r = sql_open(c->path, SQLITE_OPEN_READWRITE, &db);

	/* Until it has read something a connection does not know that there is a log. */
	if (r == 0)
		r = sql_number(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = move(db);
	if (r == 0) {
		await_pause(c);
		r = move(db);
	}
	(void)sqlite3_close(db);
	c->result = r;
	atomic_store(&c->wants_pause, false);
	atomic_store(&c->is_done, true);
	return NULL;
}

static void checkpoint_free(struct checkpoint *c)
{
	(void)sem_destroy(&c->paused);
	xfree(c->path);
	xfree(c);
}

/* Signals are the loop's. Without a thread the log grows until there is one, or the end. */
static bool start_thread(struct checkpoint *c)
{
	sigset_t all, before;
	bool is_started;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	is_started = pthread_create(&c->thread, NULL, work, c) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return is_started;
}

void checkpoint_start(struct checkpoint **c, const char *path)
{
	struct checkpoint *next;

	if (*c && !atomic_load(&(*c)->is_done))
		return;
	(void)checkpoint_wait(c);
	next = xnew(struct checkpoint);
	next->path = xstrdup(path);
	(void)sem_init(&next->paused, /* pshared = */ 0, 0);
	if (start_thread(next))
		*c = next;
	else
		checkpoint_free(next);
}

bool checkpoint_wants_pause(const struct checkpoint *c)
{
	return c && atomic_load(&c->wants_pause);
}

void checkpoint_pause(struct checkpoint *c)
{
	(void)sem_post(&c->paused);
}

int checkpoint_wait(struct checkpoint **c)
{
	struct checkpoint *done = TAKE_PTR(*c);
	int r;

	if (!done)
		return 0;
	(void)sem_post(&done->paused);
	(void)pthread_join(done->thread, NULL);
	r = done->result;
	checkpoint_free(done);
	return r;
}
