#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "event/ring-private.h"

struct rings {
	int memory_fd, wake_fd;
	struct event_ring *writer, *reader;
	struct ring_header *header; /* a third view, for breaking things */
	unsigned char *data;
	size_t size;
};

static struct rings make_rings(size_t size)
{
	struct rings r = { .size = size };
	void *at;

	assert_int_equal(event_ring_create(size, &r.memory_fd, &r.wake_fd, NULL), 0);
	assert_int_equal(event_ring_open_writer(r.memory_fd, r.wake_fd, &r.writer), 0);
	assert_int_equal(event_ring_open_reader(r.memory_fd, r.wake_fd, &r.reader), 0);
	at = mmap(NULL, RING_HEADER_SIZE + size, PROT_READ | PROT_WRITE, MAP_SHARED, r.memory_fd,
		  0);
	assert_true(at != MAP_FAILED);
	r.header = at;
	r.data = (unsigned char *)at + RING_HEADER_SIZE;
	return r;
}

static void free_rings(struct rings *r)
{
	event_ring_free(r->writer);
	event_ring_free(r->reader);
	(void)munmap(r->header, RING_HEADER_SIZE + r->size);
	(void)close(r->memory_fd);
	(void)close(r->wake_fd);
}

static bool is_awake(const struct rings *r)
{
	struct pollfd p = { .fd = r->wake_fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void keep_json(const struct event *e, void *ctx)
{
	assert_int_equal(event_to_json(e, 0, NULL, NULL, ctx), 0);
}

static void count(const struct event *e, void *ctx)
{
	(void)e;
	++*(uint64_t *)ctx;
}

/* Every field arrives as it was sent. */
static void an_event_arrives_whole(void **state)
{
	struct rings r = make_rings(4096);
	_cleanup_buf_ struct buf sent = BUF_INIT(0), got = BUF_INIT(0);
	struct event e = {
		.kind = EVENT_PROC_EXEC,
		.decision = EVENT_ASKED,
		.backend = EVENT_BACKEND_KERNEL,
		.time_ns = 1767323045123456789,
		.pid = -2,
		.ppid = 3,
		.uid = 4,
		.has_uid = true,
		.argv_cut = true,
		.is_cut = true,
		.flags = 5,
		.mode_bits = 6,
		.has_flags = true,
		.has_mode_bits = true,
		.port = 65535,
		.has_port = true,
		.error = 8,
		.latency_us = 9,
		.generation = 10,
		.bytes_in = 11,
		.bytes_out = 12,
		.count = 13,
		.status = -14,
		.has_status = true,
		.mode = SPAN("m"),
		.policies = SPAN("p\0q"),
		.exe = SPAN("e"),
		.comm = SPAN("c"),
		.cwd = SPAN("d"),
		.argv = SPAN("a\0b\0"),
		.path = SPAN("/\xff"),
		.target = SPAN("t"),
		.access = SPAN("r"),
		.host = SPAN("h"),
		.ip = SPAN("i"),
		.protocol = SPAN("o"),
		.family = SPAN("f"),
		.method = SPAN("G"),
		.url = SPAN("u"),
		.message = SPAN("s"),
	};

	(void)state;
	event_ring_write(r.writer, &e);
	assert_true(is_awake(&r));
	assert_int_equal(event_ring_drain(r.reader, keep_json, &got), 1);
	assert_int_equal(event_to_json(&e, 0, NULL, NULL, &sent), 0);
	assert_string_equal(got.data, sent.data);
	assert_false(is_awake(&r));
	free_rings(&r);
}

static void has_time(const struct event *e, void *ctx)
{
	*(uint64_t *)ctx = e->time_ns;
}

static void time_is_filled_in(void **state)
{
	struct rings r = make_rings(4096);
	struct event e = { .kind = EVENT_LOST };
	uint64_t before = clock_real_ns(), time = 0;

	(void)state;
	event_ring_write(r.writer, &e);
	assert_int_equal(event_ring_drain(r.reader, has_time, &time), 1);
	assert_in_range(time, before, clock_real_ns());
	free_rings(&r);
}

static void is_marked_as_cut(const struct event *e, void *ctx)
{
	(void)ctx;
	assert_int_equal(e->argv.len, LIMIT_ARGV);
	assert_int_equal(e->path.len, RING_TEXT_MAX);
	assert_true(e->argv_cut);
	assert_true(e->is_cut);
}

static void long_texts_are_cut_and_marked(void **state)
{
	struct rings r = make_rings(1 << 20);
	size_t len = LIMIT_ARGV + 1;
	_cleanup_free_ char *text = xcalloc(1, len);
	struct event e = { .kind = EVENT_PROC_EXEC, .argv = { text, len }, .path = { text, len } };

	(void)state;
	event_ring_write(r.writer, &e);
	assert_int_equal(event_ring_drain(r.reader, is_marked_as_cut, NULL), 1);
	assert_false(e.argv_cut); /* the caller's event is its own */
	free_rings(&r);
}

/* ---- Wake-ups ------------------------------------------------------------ */

static void only_a_sleeping_reader_is_woken(void **state)
{
	struct rings r = make_rings(65536);
	struct event e = { .kind = EVENT_LOST };
	uint64_t n = 0, bell = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		event_ring_write(r.writer, &e);
	assert_int_equal(read(r.wake_fd, &bell, sizeof(bell)), sizeof(bell));
	assert_int_equal(bell, 1); /* ten events, one system call */
	assert_int_equal(event_ring_drain(r.reader, count, &n), 10);
	event_ring_write(r.writer, &e);
	assert_true(is_awake(&r));
	free_rings(&r);
}

static void write_one_more(const struct event *e, void *ctx)
{
	struct rings *r = ctx;

	if (e->count == 0)
		event_ring_write(r->writer, &(struct event){ .kind = EVENT_LOST, .count = 1 });
}

static void what_comes_during_a_drain_rings_again(void **state)
{
	struct rings r = make_rings(65536);

	(void)state;
	event_ring_write(r.writer, &(struct event){ .kind = EVENT_LOST });
	assert_int_equal(event_ring_drain(r.reader, write_one_more, &r), 1);
	assert_true(is_awake(&r));
	assert_int_equal(event_ring_drain(r.reader, write_one_more, &r), 1);
	assert_false(is_awake(&r));
	free_rings(&r);
}

/* ---- Many writers, a slow reader ----------------------------------------- */

#define N_THREADS 4
#define N_EACH 20000

struct thread {
	pthread_t id;
	struct event_ring *ring;
	int32_t number;
	uint64_t n;
};

static void *write_numbered(void *arg)
{
	const struct thread *t = arg;
	char text[512];

	memset(text, 'a' + t->number, sizeof(text));
	for (uint64_t i = 1; i <= t->n; i++) {
		struct event e = { .kind = EVENT_FILE_OPEN,
				   .pid = t->number,
				   .count = i,
				   .path = { text, (size_t)(i % sizeof(text)) } };

		event_ring_write(t->ring, &e);
	}
	return NULL;
}

static void start(struct thread *threads, size_t n_threads, struct event_ring *ring, uint64_t n)
{
	for (size_t i = 0; i < n_threads; i++) {
		threads[i] = (struct thread){ .ring = ring, .number = (int32_t)i, .n = n };
		assert_int_equal(pthread_create(&threads[i].id, NULL, write_numbered, &threads[i]),
				 0);
	}
}

struct seen {
	uint64_t last[N_THREADS], n, n_lost;
	unsigned delay_us;
};

/* Each writer's events come in its order, undamaged; gaps only as large as what was lost. */
static void check_order(const struct event *e, void *ctx)
{
	struct seen *s = ctx;

	if (e->kind == EVENT_LOST) {
		s->n_lost += e->count;
		return;
	}
	s->n++;
	assert_in_range(e->pid, 0, N_THREADS - 1);
	assert_true(e->count > s->last[e->pid]);
	s->last[e->pid] = e->count;
	assert_int_equal(e->path.len, e->count % 512);
	for (size_t i = 0; i < e->path.len; i++)
		assert_int_equal(e->path.p[i], 'a' + e->pid);
	if (s->delay_us)
		assert_int_equal(poll(NULL, 0, (int)(s->delay_us / 1000)), 0);
}

static void drain_all(const struct rings *r, struct seen *s, uint64_t n_expected)
{
	while (s->n + s->n_lost < n_expected) {
		struct pollfd p = { .fd = r->wake_fd, .events = POLLIN };

		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_true(event_ring_drain(r->reader, check_order, s) >= 0);
	}
	assert_int_equal(s->n + s->n_lost, n_expected);
}

static void concurrent_writers_lose_nothing_while_the_reader_keeps_up(void **state)
{
	struct rings r = make_rings(16384); /* small: wraps and fills thousands of times */
	struct thread threads[N_THREADS];
	struct seen s = { 0 };

	(void)state;
	start(threads, N_THREADS, r.writer, N_EACH);
	drain_all(&r, &s, N_THREADS * (uint64_t)N_EACH);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
	assert_int_equal(s.n_lost, 0);
	free_rings(&r);
}

static void count_slowly(const struct event *e, void *ctx)
{
	uint64_t until = clock_monotonic_ns() + 5000;

	(void)e;
	while (clock_monotonic_ns() < until)
		;
	++*(uint64_t *)ctx;
}

/* A wake-up costs both sides a system call; between two of them an eighth of the ring is written.
 */
static void a_waiting_writer_is_not_woken_for_each_record(void **state)
{
	struct rings r = make_rings(65536);
	struct thread thread;
	uint64_t n = 0;

	(void)state;
	start(&thread, 1, r.writer, N_EACH);
	while (n < N_EACH) {
		struct pollfd p = { .fd = r.wake_fd, .events = POLLIN };

		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_true(event_ring_drain(r.reader, count_slowly, &n) >= 0);
	}
	assert_int_equal(pthread_join(thread.id, NULL), 0);
	assert_true(atomic_load(&r.header->room_futex) > 10);
	assert_true(atomic_load(&r.header->room_futex) <
		    atomic_load(&r.header->head) / (r.size / 8 - 1024));
	free_rings(&r);
}

/* One that has found room must not look as if it waited: the reader would wake nobody, again and
 * again. */
static void a_writer_that_waited_is_woken_once(void **state)
{
	struct rings r = make_rings(65536);
	struct event e = { .kind = EVENT_FILE_OPEN, .path = SPAN("a") };
	struct thread thread;
	uint64_t len, n = 0;

	(void)state;
	event_ring_write(r.writer, &e);
	len = atomic_load(&r.header->head);
	while (atomic_load(&r.header->head) + len <= r.size)
		event_ring_write(r.writer, &e);
	start(&thread, 1, r.writer, 1);
	for (int i = 0; i < RING_BLOCK_MS && !atomic_load(&r.header->is_writer_waiting); i++)
		assert_int_equal(poll(NULL, 0, 1), 0);
	assert_int_equal(atomic_load(&r.header->is_writer_waiting), 1);
	assert_true(event_ring_drain(r.reader, count, &n) >= 0);
	assert_int_equal(pthread_join(thread.id, NULL), 0);
	assert_int_equal(atomic_load(&r.header->room_futex), 1);
	assert_int_equal(atomic_load(&r.header->is_writer_waiting), 0);
	free_rings(&r);
}

static void a_slow_reader_slows_the_writer_but_loses_nothing(void **state)
{
	struct rings r = make_rings(4096);
	struct thread threads[2];
	struct seen s = { .delay_us = 1000 };

	(void)state;
	start(threads, 2, r.writer, 100);
	drain_all(&r, &s, 200);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
	assert_int_equal(s.n_lost, 0);
	free_rings(&r);
}

/* Nobody reads: writers wait once, RING_BLOCK_MS in all, and every event not kept is counted. */
static void a_reader_that_stands_still_costs_events_but_they_are_counted(void **state)
{
	struct rings r = make_rings(4096);
	struct thread threads[N_THREADS];
	uint64_t start_ns = clock_monotonic_ns(), waited_ms;
	struct seen s = { 0 };

	(void)state;
	start(threads, N_THREADS, r.writer, 1000);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
	waited_ms = (clock_monotonic_ns() - start_ns) / NS_PER_MS;
	assert_in_range(waited_ms, RING_BLOCK_MS, 3 * RING_BLOCK_MS);
	assert_true(is_awake(&r));
	drain_all(&r, &s, N_THREADS * (uint64_t)1000);
	assert_true(s.n > 0 && s.n_lost > 0);

	/* Once there is room again it is used again, and nothing is counted twice. */
	event_ring_write(r.writer, &(struct event){ .kind = EVENT_FILE_OPEN,
						    .pid = 0,
						    .count = 5000,
						    .path = { "", 0 } });
	s = (struct seen){ 0 };
	assert_true(is_awake(&r));
	assert_int_equal(event_ring_drain(r.reader, count, &s.n), 1);
	free_rings(&r);
}

static void an_event_larger_than_the_ring_is_counted_at_once(void **state)
{
	struct rings r = make_rings(4096);
	char text[5000] = "";
	struct seen s = { 0 };
	uint64_t start_ns = clock_monotonic_ns();

	(void)state;
	event_ring_write(r.writer, &(struct event){ .kind = EVENT_FILE_OPEN,
						    .path = { text, sizeof(text) } });
	assert_true(clock_monotonic_ns() - start_ns < RING_BLOCK_MS * NS_PER_MS / 2);
	drain_all(&r, &s, 1);
	assert_int_equal(s.n_lost, 1);
	free_rings(&r);
}

static void what_a_dead_writer_wrote_is_still_there(void **state)
{
	struct rings r = make_rings(65536);
	uint64_t n = 0;
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct event_ring *w;

		if (event_ring_open_writer(r.memory_fd, r.wake_fd, &w) < 0)
			_exit(1);
		for (int i = 0; i < 50; i++)
			event_ring_write(w, &(struct event){ .kind = EVENT_LOST });
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(event_ring_drain(r.reader, count, &n), 50);
	free_rings(&r);
}

/* ---- A writer that breaks the format ------------------------------------- */

typedef void (*damage_fn)(struct rings *r, struct ring_record *rec);

static void assert_refused(damage_fn damage)
{
	struct rings r = make_rings(4096);
	struct event e = { .kind = EVENT_FILE_OPEN, .path = SPAN("/a") };
	uint64_t n = 0;

	event_ring_write(r.writer, &e);
	damage(&r, (struct ring_record *)(void *)r.data);
	assert_int_equal(event_ring_drain(r.reader, count, &n), -EBADMSG);
	assert_int_equal(n, 0);
	assert_int_equal(event_ring_drain(r.reader, count, &n), -EBADMSG); /* and stays so */
	free_rings(&r);
}

#define DAMAGE(name, statement)                                                                    \
	static void name(struct rings *r, struct ring_record *rec)                                 \
	{                                                                                          \
		(void)r;                                                                           \
		(void)rec;                                                                         \
		statement;                                                                         \
	}

DAMAGE(len_zero, rec->len = 0)
DAMAGE(len_short, rec->len = 8)
DAMAGE(len_long, rec->len = 4096)
DAMAGE(len_huge, rec->len = UINT32_MAX)
DAMAGE(len_odd, rec->len++)
DAMAGE(kind_none, rec->kind = EVENT_NONE)
DAMAGE(kind_unknown, rec->kind = EVENT_KIND_MAX)
DAMAGE(decision_unknown, rec->decision = EVENT_ASKED + 1)
DAMAGE(backend_unknown, rec->backend = EVENT_BACKEND_DAEMON + 1)
DAMAGE(flag_unknown, rec->present = 128)
DAMAGE(text_long, rec->text_len[6] = 4000)
DAMAGE(text_huge, rec->text_len[6] = UINT32_MAX)
DAMAGE(texts_overflow, rec->text_len[5] = rec->text_len[6] = 0x80000000u)
DAMAGE(text_short, rec->text_len[6] = 0; rec->len = sizeof(*rec) + 8)
DAMAGE(head_far, r->header->head = 4096 + 8)
DAMAGE(head_back, r->header->head = UINT64_MAX - 7)
DAMAGE(head_odd, r->header->head -= 4)
DAMAGE(head_inside, r->header->head = 8)

static void damaged_memory_is_refused(void **state)
{
	static const damage_fn damages[] = {
		len_zero,  len_short,	 len_long,	   len_huge,	    len_odd,
		kind_none, kind_unknown, decision_unknown, backend_unknown, flag_unknown,
		text_long, text_huge,	 texts_overflow,   text_short,	    head_far,
		head_back, head_odd,	 head_inside,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++)
		assert_refused(damages[i]);
}

/* Random bytes as ring memory: refused or read, never followed out of bounds (run under ASan). */
static void random_memory_does_no_harm(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 300; round++) {
		struct rings r = make_rings(4096);
		uint64_t n = 0;

		for (int i = 0; i < 10; i++)
			event_ring_write(r.writer, &(struct event){ .kind = EVENT_LOST });
		for (int i = 0; i < 1 + round % 8; i++)
			r.data[(size_t)random() % 1600] = (unsigned char)random();
		(void)event_ring_drain(r.reader, count, &n);
		assert_true(n <= 11);
		free_rings(&r);
	}
}

static void memory_that_could_shrink_is_not_mapped(void **state)
{
	struct event_ring *ring;
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)RING_HEADER_SIZE + 4096), 0);
	assert_int_equal(event_ring_open_reader(fd, -1, &ring), -EINVAL);
	assert_int_equal(event_ring_open_writer(fd, -1, &ring), -EINVAL);
	(void)close(fd);
	assert_int_equal(event_ring_create(5000, &fd, &fd, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_arrives_whole),
		cmocka_unit_test(time_is_filled_in),
		cmocka_unit_test(long_texts_are_cut_and_marked),
		cmocka_unit_test(only_a_sleeping_reader_is_woken),
		cmocka_unit_test(what_comes_during_a_drain_rings_again),
		cmocka_unit_test(concurrent_writers_lose_nothing_while_the_reader_keeps_up),
		cmocka_unit_test(a_waiting_writer_is_not_woken_for_each_record),
		cmocka_unit_test(a_writer_that_waited_is_woken_once),
		cmocka_unit_test(a_slow_reader_slows_the_writer_but_loses_nothing),
		cmocka_unit_test(a_reader_that_stands_still_costs_events_but_they_are_counted),
		cmocka_unit_test(an_event_larger_than_the_ring_is_counted_at_once),
		cmocka_unit_test(what_a_dead_writer_wrote_is_still_there),
		cmocka_unit_test(damaged_memory_is_refused),
		cmocka_unit_test(random_memory_does_no_harm),
		cmocka_unit_test(memory_that_could_shrink_is_not_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
