#include "daemon/journal.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"

/* A busy session is drained this often instead of waking for each event. */
#define DRAIN_INTERVAL_MS 5
/* A record is written out so soon: who follows sees it, and a crash takes no more than that. */
#define WRITE_INTERVAL_NS (25 * NS_PER_MS)
/* The first, later: a session that is over by then needs no write-ahead log. */
#define FIRST_WRITE_NS (75 * NS_PER_MS)

static const size_t ring_sizes[JOURNAL_N_SOURCES] = { (size_t)1024 * 1024, (size_t)256 * 1024 };

static int open_source(struct journal *j, size_t i, struct err *err)
{
	struct journal_source *s = &j->sources[i];
	int r = event_ring_create(ring_sizes[i], &s->memory_fd, &s->wake_fd, err);

	if (r < 0)
		return r;
	s->journal = j;
	r = event_ring_open_reader(s->memory_fd, s->wake_fd, &s->ring);
	return r < 0 ? err_set(err, r, "map an event ring") : 0;
}

int journal_open(struct journal *j, const char *directory, const char *session, const char *mode,
		 struct err *err)
{
	int r = event_store_create(directory, session, &j->store, err);

	j->mode = mode;
	j->causes = causes_new();
	for (size_t i = 0; i < JOURNAL_N_SOURCES; i++)
		j->sources[i].memory_fd = j->sources[i].wake_fd = -1;
	for (size_t i = 0; i < JOURNAL_N_SOURCES && r >= 0; i++)
		r = open_source(j, i, err);
	return r;
}

static void count(struct journal *j, const struct event *e)
{
	j->n_events++;
	if (e->decision == EVENT_DENY)
		j->n_denied++;
	if (e->decision == EVENT_WOULD_DENY)
		j->n_would_deny++;
	if (e->kind == EVENT_LOST)
		j->n_lost += e->count;
}

static void fail(struct journal *j, int code)
{
	if (j->failure)
		return;
	j->failure = code;
	if (j->on_failure)
		j->on_failure(code, j->on_failure_ctx);
}

static void append(struct journal *j, const struct event *e)
{
	struct event filled = *e;
	uint64_t seq;

	if (j->redactor)
		redactor_clean_event(j->redactor, &filled);
	if (!filled.time_ns)
		filled.time_ns = clock_real_ns();
	if (!filled.mode.len)
		filled.mode = span_of(j->mode);
	causes_find(j->causes, &filled);
	count(j, &filled);
	seq = event_store_append(j->store, &filled);
	if (seq && j->subscriber)
		j->subscriber(seq, event_store_last_json(j->store), &filled, j->subscriber_ctx);
	if (!seq)
		fail(j, event_store_error(j->store));
	else
		causes_note(j->causes, &filled, seq);
}

static void on_event(const struct event *e, void *ctx)
{
	append(ctx, e);
}

void journal_drain(struct journal *j)
{
	for (size_t i = 0; i < JOURNAL_N_SOURCES; i++) {
		int n = j->sources[i].ring ? event_ring_drain(j->sources[i].ring, on_event, j) : 0;

		/* Whoever writes nonsense into its ring is no longer the process that we started. */
		if (n < 0)
			fail(j, n);
	}
}

void journal_flush(struct journal *j)
{
	int r = event_store_flush(j->store);

	if (r < 0)
		fail(j, r);
}

static void on_wake(uv_poll_t *handle, int status, int events);

static void poll_rings(struct journal *j, bool on)
{
	j->is_polling = on;
	for (size_t i = 0; i < JOURNAL_N_SOURCES; i++) {
		if (on)
			(void)uv_poll_start(&j->sources[i].wake, UV_READABLE, on_wake);
		else
			(void)uv_poll_stop(&j->sources[i].wake);
	}
}

/* Until nothing comes and nothing waits to be written. */
static void on_drain_timer(uv_timer_t *timer)
{
	struct journal *j = timer->data;
	uint64_t before = j->n_events;
	uint64_t since;

	journal_drain(j);
	since = event_store_waiting_since(j->store);
	if (since &&
	    clock_monotonic_ns() - since >= (j->has_written ? WRITE_INTERVAL_NS : FIRST_WRITE_NS)) {
		journal_flush(j);
		j->has_written = true;
		since = event_store_waiting_since(j->store);
	}
	if (j->n_events == before && !since) {
		(void)uv_timer_stop(timer);
		poll_rings(j, true);
	}
}

static void drain_at_intervals(struct journal *j)
{
	if (!j->is_polling)
		return;
	poll_rings(j, false);
	(void)uv_timer_start(&j->drain_timer, on_drain_timer, DRAIN_INTERVAL_MS, DRAIN_INTERVAL_MS);
}

/* The first event after a pause: take it, then look again at intervals. */
static void on_wake(uv_poll_t *handle, int status, int events)
{
	struct journal_source *s = handle->data;

	(void)status;
	(void)events;
	drain_at_intervals(s->journal);
	journal_drain(s->journal);
}

void journal_write(struct journal *j, const struct event *e)
{
	append(j, e);
	drain_at_intervals(j);
}

void journal_begin(struct journal *j)
{
	int r = event_store_begin(j->store);

	if (r < 0)
		fail(j, r);
	drain_at_intervals(j);
}

int journal_start(struct journal *j, uv_loop_t *loop, struct err *err)
{
	int r = uv_timer_init(loop, &j->drain_timer);

	j->drain_timer.data = j;
	for (size_t i = 0; i < JOURNAL_N_SOURCES && r >= 0; i++) {
		j->sources[i].wake.data = &j->sources[i];
		r = uv_poll_init(loop, &j->sources[i].wake, j->sources[i].wake_fd);
	}
	if (r < 0)
		return err_set(err, r, "watch the event rings");
	poll_rings(j, true);
	return 0;
}

int journal_finish(struct journal *j)
{
	int r;

	journal_drain(j);
	r = event_store_finish(j->store);
	return j->failure ? j->failure : r;
}

void journal_close(struct journal *j)
{
	if (!j->store)
		return;
	event_store_free(j->store);
	j->store = NULL;
	causes_free(TAKE_PTR(j->causes));
	for (size_t i = 0; i < JOURNAL_N_SOURCES; i++) {
		event_ring_free(j->sources[i].ring);
		j->sources[i].ring = NULL;
		if (j->sources[i].memory_fd >= 0)
			fd_close(TAKE_FD(j->sources[i].memory_fd));
		if (j->sources[i].wake_fd >= 0)
			fd_close(TAKE_FD(j->sources[i].wake_fd));
	}
}
