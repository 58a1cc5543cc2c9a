#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/exits.h"

struct world {
	int memory_fd, wake_fd, proc_fd;
	struct event_ring *writer, *reader;
	struct exits *exits;
};

static struct world begin(void)
{
	struct world w = { .proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) };

	assert_true(w.proc_fd >= 0);
	assert_int_equal(event_ring_create(65536, &w.memory_fd, &w.wake_fd, NULL), 0);
	assert_int_equal(event_ring_open_writer(w.memory_fd, w.wake_fd, &w.writer), 0);
	assert_int_equal(event_ring_open_reader(w.memory_fd, w.wake_fd, &w.reader), 0);
	w.exits = exits_new(w.proc_fd, w.writer);
	assert_non_null(w.exits);
	return w;
}

/* The threads of the supervisor end with their process, so exits has no end of its own. */
static void end(struct world *w)
{
	event_ring_free(w->writer);
	event_ring_free(w->reader);
	(void)close(w->memory_fd);
	(void)close(w->wake_fd);
}

/* A child that ends, as told by a byte. */
static pid_t make_child(int *ret_fd, int status)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(fds[1]);
		(void)!read(fds[0], &c, 1);
		_exit(status);
	}
	assert_true(pid > 0);
	(void)close(fds[0]);
	*ret_fd = fds[1];
	return pid;
}

static bool is_readable(const struct exits *x, int timeout_ms)
{
	struct pollfd p = { .fd = exits_fd(x), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static void add(struct world *w, pid_t pid, const char *path)
{
	exits_add(w->exits, &(struct event){ .pid = pid,
					     .ppid = getpid(),
					     .uid = 7,
					     .path = span_of(path),
					     .exe = span_of(path),
					     .comm = SPAN("name") });
}

struct seen {
	size_t n;
	int32_t pid, status;
	bool has_status;
	char path[32];
};

static void note(const struct event *e, void *ctx)
{
	struct seen *s = ctx;

	assert_int_equal(e->kind, EVENT_PROC_EXIT);
	assert_true(e->path.len < sizeof(s->path));
	s->n++;
	s->pid = e->pid;
	s->status = e->status;
	s->has_status = e->has_status;
	memcpy(s->path, e->path.p, e->path.len);
	s->path[e->path.len] = 0;
}

static struct seen handle(struct world *w)
{
	struct seen s = { 0 };

	assert_true(exits_handle(w->exits));
	assert_false(exits_handle(w->exits));
	assert_true(event_ring_drain(w->reader, note, &s) >= 0);
	return s;
}

static void an_end_is_told_once_with_its_status(void **state)
{
	struct world w = begin();
	struct seen s;
	int fd;
	pid_t pid = make_child(&fd, 7);

	(void)state;
	add(&w, pid, "/bin/one");
	assert_false(is_readable(w.exits, 20));
	assert_false(exits_handle(w.exits));
	(void)close(fd);
	assert_true(is_readable(w.exits, 5000)); /* nobody has waited for it */
	s = handle(&w);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.pid, pid);
	assert_true(s.has_status);
	assert_int_equal(s.status, 7);
	assert_string_equal(s.path, "/bin/one");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(is_readable(w.exits, 20));
	end(&w);
}

static void a_signal_is_told_as_shells_do(void **state)
{
	struct world w = begin();
	struct seen s;
	int fd;
	pid_t pid = make_child(&fd, 0);

	(void)state;
	add(&w, pid, "/bin/one");
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_true(is_readable(w.exits, 5000));
	s = handle(&w);
	assert_true(s.has_status);
	assert_int_equal(s.status, 128 + SIGTERM);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(fd);
	end(&w);
}

static void a_process_that_executes_again_ends_once_as_what_it_ran_last(void **state)
{
	struct world w = begin();
	struct seen s;
	int fd;
	pid_t pid = make_child(&fd, 0);

	(void)state;
	add(&w, pid, "/bin/one");
	add(&w, pid, "/bin/two");
	(void)close(fd);
	assert_true(is_readable(w.exits, 5000));
	s = handle(&w);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.path, "/bin/two");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	end(&w);
}

/* It has ended, its end was not yet looked at, and another process runs a program under its number.
 */
static void the_end_of_a_number_that_is_used_again_is_not_lost(void **state)
{
	struct world w = begin();
	struct seen s = { 0 };
	int fd;
	pid_t pid = make_child(&fd, 3);

	(void)state;
	add(&w, pid, "/bin/old");
	(void)close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	add(&w, pid, "/bin/new"); /* nobody has this number by now, so nothing is watched either */
	assert_true(event_ring_drain(w.reader, note, &s) >= 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.path, "/bin/old");
	if (s.has_status) /* Linux 6.15 */
		assert_int_equal(s.status, 3);
	assert_false(exits_handle(w.exits));
	end(&w);
}

static void many_ends_at_once_are_all_told(void **state)
{
	enum { N = 150 };
	struct world w = begin();
	int fds[N];
	pid_t pids[N];
	struct seen s;

	(void)state;
	for (int i = 0; i < N; i++) {
		pids[i] = make_child(&fds[i], 0);
		add(&w, pids[i], "/bin/one");
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(kill(pids[i], SIGKILL), 0);
	for (int i = 0; i < N; i++) {
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
		(void)close(fds[i]);
	}
	s = handle(&w);
	assert_int_equal(s.n, N);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_is_told_once_with_its_status),
		cmocka_unit_test(a_signal_is_told_as_shells_do),
		cmocka_unit_test(a_process_that_executes_again_ends_once_as_what_it_ran_last),
		cmocka_unit_test(the_end_of_a_number_that_is_used_again_is_not_lost),
		cmocka_unit_test(many_ends_at_once_are_all_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
