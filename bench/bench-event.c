/*
 * How many events per second go through ring and log, as the supervisor and
 * the daemon use them: one process with some threads writes, another drains,
 * hashes and appends to a file. Prints events per second, what was lost, and
 * the processor time of both sides.
 *
 *   bench-event [EVENTS [THREADS [DIRECTORY]]]
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "event/log.h"
#include "event/ring.h"

struct writer {
	struct event_ring *ring;
	uint64_t n;
};

struct counts {
	struct event_log *log;
	uint64_t n, n_lost;
};

static void *write_events(void *arg)
{
	const struct writer *w = arg;
	struct event e = {
		.kind = EVENT_FILE_OPEN,
		.decision = EVENT_ALLOW,
		.backend = EVENT_BACKEND_SUPERVISOR,
		.pid = 4711,
		.ppid = 4700,
		.uid = 1000,
		.has_uid = true,
		.has_flags = true,
		.latency_us = 23,
		.generation = 1,
		.mode = SPAN("enforce"),
		.policies = SPAN("profile/guarded/read"),
		.exe = SPAN("/usr/bin/node"),
		.comm = SPAN("node"),
		.cwd = SPAN("/home/dev/project"),
		.path = SPAN("/home/dev/project/node_modules/typescript/lib/lib.es2020.d.ts"),
		.access = SPAN("read"),
	};

	for (uint64_t i = 0; i < w->n; i++)
		event_ring_write(w->ring, &e);
	return NULL;
}

static int writing_process(int memory_fd, int wake_fd, uint64_t n, size_t n_threads)
{
	pthread_t *threads = xnew_array(pthread_t, n_threads);
	struct writer w = { .n = n / n_threads };

	if (event_ring_open_writer(memory_fd, wake_fd, &w.ring) < 0)
		return 1;
	for (size_t i = 0; i < n_threads; i++)
		if (pthread_create(&threads[i], NULL, write_events, &w) != 0)
			return 1;
	for (size_t i = 0; i < n_threads; i++)
		(void)pthread_join(threads[i], NULL);
	return 0;
}

static void keep(const struct event *e, void *ctx)
{
	struct counts *c = ctx;

	c->n += e->kind != EVENT_LOST;
	c->n_lost += e->kind == EVENT_LOST ? e->count : 0;
	if (event_log_append(c->log, e) == 0)
		exit(1);
}

static double cpu_seconds(int who)
{
	struct rusage u;

	(void)getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	size_t n_threads = argc > 2 ? strtoull(argv[2], NULL, 10) : 4;
	_cleanup_free_ char *path =
		xasprintf("%s/bench-event.%d", argc > 3 ? argv[3] : "/tmp", getpid());
	struct counts c = { 0 };
	struct event_ring *reader;
	int memory_fd, wake_fd;
	uint64_t start, n_polls = 0;
	struct err err;
	double seconds;
	pid_t pid;

	n -= n % n_threads;
	if (event_log_create(path, "20260102-030405-bnch", &c.log, &err) < 0 ||
	    event_ring_create(RING_DEFAULT_SIZE, &memory_fd, &wake_fd, &err) < 0 ||
	    event_ring_open_reader(memory_fd, wake_fd, &reader) < 0)
		return 1;
	start = clock_monotonic_ns();
	pid = fork();
	if (pid == 0)
		_exit(writing_process(memory_fd, wake_fd, n, n_threads));
	while (c.n + c.n_lost < n) {
		struct pollfd p = { .fd = wake_fd, .events = POLLIN };

		if (poll(&p, 1, 5000) != 1 || event_ring_drain(reader, keep, &c) < 0)
			return 1;
		n_polls++;
	}
	if (event_log_flush(c.log, /* sync = */ false) < 0)
		return 1;
	seconds = (double)(clock_monotonic_ns() - start) / 1e9;
	(void)waitpid(pid, NULL, 0);
	printf("%llu events, %zu threads: %.0f events/s, %llu lost, %.1f events per wake-up\n"
	       "reader %.2f us of processor per event, writers %.2f us\n",
	       (unsigned long long)n, n_threads, (double)n / seconds, (unsigned long long)c.n_lost,
	       (double)n / (double)n_polls, cpu_seconds(RUSAGE_SELF) * 1e6 / (double)n,
	       cpu_seconds(RUSAGE_CHILDREN) * 1e6 / (double)n);
	event_log_free(c.log);
	event_ring_free(reader);
	(void)unlink(path);
	return c.n_lost != 0;
}
