/*
 * How many events per second go through ring, chain and store: a process writes
 * a ring at a given rate, as the supervisor does, and the daemon's journal
 * drains it into a session's database. Prints what was asked for and what came,
 * what was lost, the processor time of the journal's side with its threads, the
 * bytes on disk, and then how long readers take.
 *
 *   bench-store [EVENTS-PER-SECOND [SECONDS [DIRECTORY [SECRETS]]]]
 *
 * SECRETS is how many the session has, which no event may hold (0).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "daemon/journal.h"
#include "daemon/placeholder.h"

#define N_PROGRAMS 8
#define BURST 100

/* ---- The generator --------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/*
 * What a build looks like: some processes at a time, new ones now and then,
 * each in some of a thousand directories; a few denials, a few connections.
 */
static void fill(struct event *e, uint64_t i, uint32_t *random, char text[256])
{
	static const char *const exes[N_PROGRAMS] = { "/usr/bin/node", "/usr/bin/git",
						      "/usr/bin/cc1",  "/usr/bin/python3.11",
						      "/usr/bin/make", "/usr/bin/rustc",
						      "/usr/bin/bash", "/usr/bin/ld" };
	uint32_t r = next_random(random);
	uint32_t who = (uint32_t)(i / 50000 * N_PROGRAMS) + r % N_PROGRAMS;
	const char *exe = exes[who % N_PROGRAMS];

	*e = (struct event){ .kind = EVENT_FILE_OPEN,
			     .decision = EVENT_ALLOW,
			     .backend = EVENT_BACKEND_SUPERVISOR,
			     .pid = (int32_t)(4711 + who),
			     .ppid = 4700,
			     .uid = 1000,
			     .has_uid = true,
			     .has_flags = true,
			     .flags = r & 64 ? 0100000 : 02100000,
			     .latency_us = 12 + r % 40,
			     .generation = 1,
			     .mode = SPAN("enforce"),
			     .policies = SPAN("profile:read"),
			     .exe = span_of(exe),
			     .comm = span_of(exe + 9),
			     .cwd = SPAN("/home/dev/project"),
			     .access = SPAN("read") };
	e->path = span_make(
		text,
		(size_t)snprintf(
			text, 256, "/home/dev/project/node_modules/package-%llu/lib/file-%u.d.ts",
			(unsigned long long)(i / 64 + r % 4) % 1000, next_random(random) % 4000));
	if (next_random(random) % 50 == 0) {
		e->decision = EVENT_DENY;
		e->policies = SPAN("profile:credentials");
		e->error = 13;
	} else if (next_random(random) % 100 == 0) {
		e->kind = EVENT_NET_CONNECT;
		e->path = e->access = (struct span){ 0 };
		e->has_flags = false;
		e->host = SPAN("registry.npmjs.org");
		e->ip = SPAN("104.16.0.35");
		e->has_port = true;
		e->port = 443;
		e->protocol = SPAN("tcp");
	}
}

static void sleep_until(uint64_t at_ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(at_ns / NS_PER_SEC),
				     .tv_nsec = (long)(at_ns % NS_PER_SEC) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int generate(int memory_fd, int wake_fd, uint64_t rate, uint64_t n)
{
	uint64_t start = clock_monotonic_ns();
	struct event_ring *ring;
	uint32_t random = 1;
	char text[256];
	struct event e;

	if (event_ring_open_writer(memory_fd, wake_fd, &ring) < 0)
		return 1;
	for (uint64_t i = 0; i < n; i++) {
		if (i % BURST == 0)
			sleep_until(start + i * NS_PER_SEC / rate);
		fill(&e, i, &random, text);
		event_ring_write(ring, &e);
	}
	return 0;
}

/* ---- The daemon's side ----------------------------------------------------- */

static void on_end(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	uv_stop(handle->loop);
}

static double cpu_seconds(int who)
{
	struct rusage u;

	(void)getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double seconds_since(uint64_t start)
{
	return (double)(clock_monotonic_ns() - start) / 1e9;
}

static void fail(const char *what)
{
	(void)fprintf(stderr, "bench-store: %s\n", what);
	exit(1);
}

/* As bench/run.sh prints them. */
static void row(const char *name, double value, int digits, const char *required, bool holds)
{
	printf("%-46s %14.*f %14s   %s%s\n", name, digits, value, "", required,
	       !*required ? ""
	       : holds	  ? "  ok"
			  : "  MISSED");
}

static struct redactor *make_redactor(unsigned n)
{
	secret_specs specs = { 0 };
	struct redactor *r;

	for (unsigned i = 0; i < n; i++) {
		_cleanup_free_ char *value = xasprintf("sk-%02u-Zq8Lm2Xc7Vb4Nn1Kj6HhQw3Er5Ty", i);
		struct secret_spec s = { .name = xasprintf("SECRET%u", i) };

		if (secret_copy(span_of(value), &s.value) < 0 ||
		    placeholder_make(span_of(value), &s.placeholder, NULL) < 0)
			fail("no secrets");
		vec_push(&specs, s);
	}
	if (redactor_new(&specs, &r, NULL) < 0)
		fail("no redactor");
	secret_specs_done(&specs);
	return r;
}

static void record(const char *directory, uint64_t rate, uint64_t n, unsigned n_secrets)
{
	struct journal j = { .redactor = make_redactor(n_secrets) };
	uint64_t start = clock_monotonic_ns();
	double before = cpu_seconds(RUSAGE_SELF), cpu, seconds;
	uv_loop_t loop;
	uv_poll_t end;
	struct stat st = { 0 };
	_cleanup_free_ char *path = path_join(directory, "events.db");
	pid_t pid;

	if (uv_loop_init(&loop) < 0 ||
	    journal_open(&j, directory, "20260102-030405-bnch", "enforce", NULL) < 0 ||
	    journal_start(&j, &loop, NULL) < 0)
		fail("the journal does not start");
	pid = fork();
	if (pid == 0)
		_exit(generate(j.sources[0].memory_fd, j.sources[0].wake_fd, rate, n));
	if (uv_poll_init(&loop, &end, (int)syscall(SYS_pidfd_open, pid, 0)) < 0 ||
	    uv_poll_start(&end, UV_READABLE, on_end) < 0)
		fail("the generator does not start");
	journal_begin(&j);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	seconds = seconds_since(start);
	(void)waitpid(pid, NULL, 0);
	start = clock_monotonic_ns();
	if (journal_finish(&j) < 0)
		fail("the journal failed");
	cpu = cpu_seconds(RUSAGE_SELF) - before;
	(void)stat(path, &st);
	row("through ring, chain and store (events/s)", (double)n / seconds, 0,
	    xasprintf(">= %llu", (unsigned long long)rate),
	    (double)n / seconds >= 0.99 * (double)rate);
	row("lost", (double)j.n_lost, 0, "0", j.n_lost == 0);
	row("the daemon's processor time (us an event)", cpu * 1e6 / (double)n, 2, "", true);
	row("... of a core, at that rate", cpu * (double)rate / (double)n, 2, "< 1",
	    cpu * (double)rate / (double)n < 1);
	row("on disk (bytes an event)", (double)st.st_size / (double)n, 1, "", true);
	row("last event to closed database (ms)", seconds_since(start) * 1e3, 0, "", true);
}

/* ---- Readers --------------------------------------------------------------- */

static int ignore(const struct event_record *r, void *ctx)
{
	(void)r;
	(void)ctx;
	return 0;
}

static void time_query(struct event_reader *reader, const char *name, struct event_query q)
{
	uint64_t start = clock_monotonic_ns();
	int64_t n = event_reader_query(reader, &q, ignore, NULL, NULL);

	row(name, seconds_since(start) * 1e3, 1, "", n >= 0);
}

static void read_back(const char *directory)
{
	struct event_store_report report;
	struct event_counts counts;
	struct event_reader *reader;
	uint64_t start, last;

	if (event_reader_open(directory, &reader, NULL) < 0)
		fail("the database does not open");
	time_query(
		reader, "newest 1000, with JSON (ms)",
		(struct event_query){ .is_newest_first = true, .want_json = true, .limit = 1000 });
	time_query(reader, "newest 1000 denials (ms)",
		   (struct event_query){ .filter.decisions = EVENT_BIT(EVENT_DENY),
					 .is_newest_first = true,
					 .limit = 1000 });
	time_query(reader, "all of one process (ms)", (struct event_query){ .filter.pid = 4711 });
	time_query(
		reader, "newest 1000 in one directory (ms)",
		(struct event_query){ .filter.path = "/home/dev/project/node_modules/package-7/lib",
				      .is_newest_first = true,
				      .limit = 1000 });
	time_query(reader, "newest 1000 of one host (ms)",
		   (struct event_query){
			   .filter.host = "*.npmjs.org", .is_newest_first = true, .limit = 1000 });
	if (event_reader_last_seq(reader, &last, NULL) < 0)
		fail("the database is empty");
	time_query(reader, "a text in none of the last 100000 (ms)",
		   (struct event_query){ .filter.text = "nowhere",
					 .filter.since_seq = last > 100000 ? last - 100000 : 0 });
	start = clock_monotonic_ns();
	if (event_reader_counts(reader, &counts, NULL) < 0)
		fail("nothing can be counted");
	row("counts by kind and decision (ms)", seconds_since(start) * 1e3, 1, "", true);
	start = clock_monotonic_ns();
	if (event_reader_verify(reader, &report, NULL) < 0)
		fail("the chain is broken");
	row("verify (us an event)", seconds_since(start) * 1e6 / (double)report.n_records, 2, "",
	    true);
	event_reader_free(reader);
}

int main(int argc, char **argv)
{
	uint64_t rate = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
	uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : 30;
	_cleanup_free_ char *directory =
		xasprintf("%s/bench-store.%d", argc > 3 ? argv[3] : "/tmp", getpid());
	_cleanup_free_ char *db = path_join(directory, "events.db");
	_cleanup_free_ char *lock = path_join(directory, "lock");

	if (!rate || mkdir_all(directory, 0700) < 0)
		return 1;
	record(directory, rate, rate * seconds,
	       argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0);
	read_back(directory);
	(void)unlink(db);
	(void)unlink(lock);
	(void)rmdir(directory);
	return 0;
}
