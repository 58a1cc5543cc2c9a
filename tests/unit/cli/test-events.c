/*
 * `leash events`, `verify` and `sessions` on logs as the daemon writes them,
 * each run in a process of its own.
 */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "cli/command.h"
#include "cli/state.h"
#include "event/store.h"

struct session {
	char home[64];
	char *id, *directory;
	struct event_store *store;
};

static const struct {
	const char *name;
	int (*run)(int, char **);
} runs[] = { { "events", command_events },
	     { "sessions", command_sessions },
	     { "verify", command_verify },
	     { "version", command_version } };

static const char *name_of(int (*run)(int, char **))
{
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		if (runs[i].run == run)
			return runs[i].name;
	fail_msg("a command that is not in the table");
	return NULL;
}

static void append(struct session *s, struct event e)
{
	e.time_ns = UINT64_C(1767323045123456789);
	assert_true(event_store_append(s->store, &e) > 0);
	assert_int_equal(event_store_flush(s->store), 0);
}

static int set_up(void **state)
{
	struct session *s = xnew(struct session);
	_cleanup_free_ char *dir = NULL;

	(void)snprintf(s->home, sizeof(s->home), "/tmp/leash-test-events.XXXXXX");
	assert_non_null(mkdtemp(s->home));
	assert_int_equal(setenv("XDG_STATE_HOME", s->home, 1), 0);
	assert_int_equal(setenv("HOME", s->home, 1), 0);
	dir = state_directory(s->home);
	assert_int_equal(state_session_create(dir, &s->id, &s->directory, NULL), 0);
	assert_int_equal(event_store_create(s->directory, s->id, &s->store, NULL), 0);
	append(s, (struct event){ .kind = EVENT_SESSION_START });
	append(s, (struct event){ .kind = EVENT_FILE_OPEN,
				  .decision = EVENT_DENY,
				  .pid = 3,
				  .comm = SPAN("cat"),
				  .path = SPAN("/etc/shadow") });
	append(s, (struct event){ .kind = EVENT_NET_CONNECT,
				  .decision = EVENT_ALLOW,
				  .policies = SPAN("p"),
				  .host = SPAN("example.com") });
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct session *s = *state;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execlp("rm", "rm", "-rf", s->home, NULL);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
	event_store_free(s->store);
	xfree(s->id);
	xfree(s->directory);
	xfree(s);
	return 0;
}

struct child {
	pid_t pid;
	int out_fd;
};

/*
 * The command with up to three words, in a program of its own: a fork would
 * have the writer's SQLite in it. Both of its outputs come through out_fd.
 */
static struct child start(int (*run)(int, char **), const char *a, const char *b, const char *c)
{
	const char *words[] = { "test-events", "run", name_of(run), a, b, c, NULL };
	struct child child;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	child.pid = fork();
	if (child.pid == 0) {
		if (dup2(fds[1], STDOUT_FILENO) < 0 || dup2(fds[1], STDERR_FILENO) < 0)
			_exit(99);
		(void)execv("/proc/self/exe", (char *const *)(uintptr_t)words);
		_exit(98);
	}
	(void)close(fds[1]);
	child.out_fd = fds[0];
	return child;
}

static int finish(struct child *child, struct buf *out)
{
	int status;

	assert_int_equal(fd_read_all(child->out_fd, out), 0);
	(void)close(child->out_fd);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_output(int (*run)(int, char **), const char *a, const char *b, const char *c,
			  int code, const char *expected)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct child child = start(run, a, b, c);

	assert_int_equal(buf_append_str(&out, ""), 0);
	assert_int_equal(finish(&child, &out), code);
	if (!strstr(out.data, expected))
		fail_msg("\"%s\" is not in \"%s\"", expected, out.data);
}

#define OPEN_LINE                                                                                  \
	"03:04:05.123  deny       file.open      cat[3]                /etc/shadow [default]\n"
#define NET_LINE "03:04:05.123  allow      net.connect    -                     example.com [p]\n"

static void events_of_the_newest_session(void **state)
{
	(void)state;
	assert_output(command_events, NULL, NULL, NULL, 0, OPEN_LINE NET_LINE);
	assert_output(command_events, "--tail", "2", NULL, 0, OPEN_LINE NET_LINE);
	assert_output(command_events, "--decision=deny", "--kind", "file", 0, OPEN_LINE);
	assert_output(command_events, "-n", "1", "--json", 0, "{\"seq\":3,");
	assert_output(command_events, "--since", "2", "--logfmt", 0, "seq=3 time=");
	assert_output(command_events, "--until", "2", "--limit=1", 0, "session.start");
	assert_output(command_events, "--exe", "cat", "--text=PASSWD", 0, "");
	assert_output(command_events, "--text=SHADOW", "-n", "1", 0, OPEN_LINE);
	assert_output(command_events, "--since", "2026-01-02T03:04:05.5Z", NULL, 0, "");
	assert_output(command_events, "--since", "2026-01-02T04:04:05+01:00", NULL, 0, OPEN_LINE);
	assert_output(command_events, "--since", "yesterday", NULL, EXIT_USAGE, "how long ago");
}

static void sessions_are_named_by_their_last_letters(void **state)
{
	struct session *s = *state;

	assert_output(command_events, s->id + 16, NULL, NULL, 0, NET_LINE);
	assert_output(command_events, "nosuch", NULL, NULL, 1, "no session is called nosuch");
	assert_output(command_events, s->id, "other", NULL, EXIT_USAGE, "one session at a time");
	assert_output(command_events, "--kid", "x", NULL, EXIT_USAGE, "did you mean --kind?");
	assert_output(command_events, "--pid", "-1", NULL, EXIT_USAGE, "expected a number");
}

static void a_reader_that_follows_sees_what_comes_until_the_end(void **state)
{
	struct session *s = *state;
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct child child = start(command_events, "-f", "--tail", "1");
	struct pollfd p = { .fd = child.out_fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1); /* it has shown what was there, and waits */
	append(s, (struct event){ .kind = EVENT_PROC_EXIT, .pid = 9, .has_status = true });
	append(s, (struct event){ .kind = EVENT_SESSION_STOP, .has_status = true });
	assert_int_equal(finish(&child, &out), 0);
	assert_string_equal(
		out.data, NET_LINE
		"03:04:05.123  -          proc.exit      [9]                    status 0\n"
		"03:04:05.123  -          session.stop   -                      status 0\n");
}

static void a_reader_that_follows_notices_a_dead_writer(void **state)
{
	struct session *s = *state;
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct child child = start(command_events, "--follow", NULL, NULL);
	struct pollfd p = { .fd = child.out_fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
	event_store_free(TAKE_PTR(s->store));
	assert_int_equal(finish(&child, &out), 1);
	assert_non_null(strstr(out.data, "ended without its last record"));
}

static void end_session(struct session *s)
{
	append(s, (struct event){ .kind = EVENT_SESSION_STOP });
	assert_int_equal(event_store_finish(s->store), 0);
	event_store_free(TAKE_PTR(s->store));
}

static void change(const struct session *s, const char *sql)
{
	_cleanup_free_ char *path = xasprintf("%s/events.db", s->directory);
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void verify_accepts_a_good_store_and_names_a_bad_record(void **state)
{
	struct session *s = *state;

	assert_output(command_verify, NULL, NULL, NULL, 0,
		      "3 records, none changed, still being written");
	end_session(s);
	assert_output(command_verify, s->id, NULL, NULL, 0, "4 records, none changed\n");
	change(s, "UPDATE event SET name = 'passwd' WHERE name = 'shadow'");
	assert_output(command_verify, NULL, NULL, NULL, 1, ": record 2: it does not give the hash");
}

static void verify_finds_missing_last_records(void **state)
{
	struct session *s = *state;
	_cleanup_free_ char *summary = xasprintf("%s/session.json", s->directory);
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	char head[SHA256_HEX_LEN + 1];

	append(s, (struct event){ .kind = EVENT_SESSION_STOP });
	assert_int_equal(event_store_head(s->store, head), 4);
	assert_int_equal(event_store_finish(s->store), 0);
	event_store_free(TAKE_PTR(s->store));
	(void)buf_printf(&json, "{\"events\":4,\"head\":\"%s\"}", head);
	assert_int_equal(file_replace(summary, buf_span(&json), 0600, false, NULL), 0);
	assert_output(command_verify, "--head", head, NULL, 0, "4 records");
	change(s, "DELETE FROM event WHERE seq = 4");
	assert_output(command_verify, NULL, NULL, NULL, 1, "records are missing at its end");
	assert_int_equal(unlink(summary), 0);
	assert_output(command_verify, NULL, NULL, NULL, 0, "no session.stop at its end");
	assert_output(command_verify, "--head", head, NULL, 1, "the log ends in");
}

static void sessions_are_listed(void **state)
{
	struct session *s = *state;
	_cleanup_free_ char *summary = xasprintf("%s/session.json", s->directory);
	_cleanup_free_ char *path = xasprintf("%s/events.db", s->directory);
	struct span json =
		SPAN("{\"id\":\"x\",\"command\":[\"sh\",\"-c\",\"a b\"],\"mode\":\"enforce\"}");

	assert_output(command_sessions, NULL, NULL, NULL, 0, "  running     -        3       1 \n");
	assert_int_equal(file_replace(summary, json, 0600, false, NULL), 0);
	end_session(s);
	assert_output(command_sessions, NULL, NULL, NULL, 0,
		      "  ended       -        4       1  sh -c \"a b\"\n");
	assert_output(command_sessions, "--json", NULL, NULL, 0,
		      "\"state\":\"ended\",\"command\":[\"sh\",\"-c\",\"a "
		      "b\"],\"mode\":\"enforce\",\"events\":4,\"denied\":1}\n");
	assert_output(command_sessions, "-q", NULL, NULL, 0, s->id);
	change(s, "DELETE FROM event");
	assert_output(command_sessions, NULL, NULL, NULL, 0, "  died        -        0       0 ");
	assert_int_equal(truncate(path, 5000), 0);
	assert_output(command_sessions, NULL, NULL, NULL, 0, "  damaged     -        0       0 ");
}

/* Before there was a database a session's events stood in a file of lines. */
static void a_session_without_a_database_is_listed_by_its_summary(void **state)
{
	struct session *s = *state;
	_cleanup_free_ char *summary = xasprintf("%s/session.json", s->directory);
	_cleanup_free_ char *path = xasprintf("%s/events.db", s->directory);

	end_session(s);
	assert_int_equal(unlink(path), 0);
	assert_output(command_sessions, NULL, NULL, NULL, 0, "  died        -        0       0 ");
	assert_int_equal(file_replace(summary,
				      SPAN("{\"state\":\"ended\",\"events\":7,\"denied\":2}"), 0600,
				      false, NULL),
			 0);
	assert_output(command_sessions, NULL, NULL, NULL, 0, "  ended       -        7       2 ");
	assert_output(command_events, NULL, NULL, NULL, 1, "events.db: No such file");
	assert_output(command_verify, NULL, NULL, NULL, 1, "events.db: No such file");
}

static void version_is_printed(void **state)
{
	(void)state;
	assert_output(command_version, NULL, NULL, NULL, 0, "leash " LEASH_VERSION "\n");
	assert_output(command_version, "--json", NULL, NULL, 0,
		      "{\"version\":\"" LEASH_VERSION "\"}\n");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(events_of_the_newest_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sessions_are_named_by_their_last_letters, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_reader_that_follows_sees_what_comes_until_the_end,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_reader_that_follows_notices_a_dead_writer, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(verify_accepts_a_good_store_and_names_a_bad_record,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(verify_finds_missing_last_records, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sessions_are_listed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_session_without_a_database_is_listed_by_its_summary, set_up, tear_down),
		cmocka_unit_test(version_is_printed),
	};

	for (size_t i = 0; argc > 2 && i < ARRAY_SIZE(runs); i++)
		if (strcmp(argv[2], runs[i].name) == 0)
			return runs[i].run(argc - 2, argv + 2);
	(void)setenv("TZ", "UTC0", 1);
	(void)unsetenv("TERM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
