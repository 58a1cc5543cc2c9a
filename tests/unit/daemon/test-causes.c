#include "unit.h"

#include "daemon/causes.h"

/* The cause of e, which then gets that seq. */
static uint64_t cause_of(struct causes *c, struct event e, uint64_t seq)
{
	causes_find(c, &e);
	causes_note(c, &e, seq);
	return e.cause;
}

#define EVENT(k, ...) ((struct event){ .kind = EVENT_##k, __VA_ARGS__ })

static void a_file_follows_from_the_program(void **state)
{
	struct causes *c = causes_new();

	(void)state;
	assert_int_equal(cause_of(c, EVENT(FILE_OPEN, .pid = 7), 1), 0);
	assert_int_equal(cause_of(c, EVENT(PROC_EXEC, .pid = 7, .ppid = 1), 2), 0);
	assert_int_equal(cause_of(c, EVENT(FILE_OPEN, .pid = 7), 3), 2);
	assert_int_equal(cause_of(c, EVENT(FILE_OPEN, .pid = 8, .ppid = 9), 4), 0);
	/* A child, before and after it executes something. */
	assert_int_equal(cause_of(c, EVENT(FILE_OPEN, .pid = 8, .ppid = 7), 5), 2);
	assert_int_equal(cause_of(c, EVENT(PROC_EXEC, .pid = 8, .ppid = 7), 6), 2);
	assert_int_equal(cause_of(c, EVENT(FILE_DELETE, .pid = 8, .ppid = 7), 7), 6);
	assert_int_equal(cause_of(c, EVENT(DNS_QUERY, .pid = 7, .host = SPAN("a.b")), 8), 2);
	causes_free(c);
}

static void what_was_denied_or_failed_began_nothing(void **state)
{
	struct causes *c = causes_new();

	(void)state;
	(void)cause_of(c, EVENT(PROC_EXEC, .pid = 7, .decision = EVENT_ALLOW), 1);
	(void)cause_of(c, EVENT(PROC_EXEC, .pid = 7, .decision = EVENT_DENY), 2);
	(void)cause_of(c, EVENT(PROC_EXEC, .pid = 7, .error = 2), 3);
	assert_int_equal(cause_of(c, EVENT(FILE_OPEN, .pid = 7), 4), 1);
	(void)cause_of(c, EVENT(PROC_EXIT, .pid = 7), 5);
	assert_int_equal(cause_of(c, EVENT(FILE_OPEN, .pid = 7), 6), 0);
	(void)cause_of(c, EVENT(DNS_QUERY, .host = SPAN("x.y"), .decision = EVENT_DENY), 7);
	assert_int_equal(cause_of(c, EVENT(NET_CONNECT, .host = SPAN("x.y")), 8), 0);
	causes_free(c);
}

static void a_connection_follows_from_its_name(void **state)
{
	const struct event peer = {
		.pid = 7, .host = SPAN("Example.com"), .ip = SPAN("192.0.2.1"), .port = 443
	};
	struct causes *c = causes_new();
	struct event e = peer;

	(void)state;
	(void)cause_of(c, EVENT(PROC_EXEC, .pid = 7), 1);
	e.kind = EVENT_NET_CONNECT;
	assert_int_equal(cause_of(c, e, 2), 1);
	(void)cause_of(c, EVENT(DNS_QUERY, .host = SPAN("example.com")), 3);
	(void)cause_of(c, EVENT(DNS_QUERY, .host = SPAN("example.org")), 4);
	assert_int_equal(cause_of(c, e, 5), 3);
	e.kind = EVENT_HTTP_REQUEST;
	assert_int_equal(cause_of(c, e, 6), 5);
	e.kind = EVENT_WS_OPEN;
	assert_int_equal(cause_of(c, e, 7), 5);
	e.kind = EVENT_NET_CLOSE;
	assert_int_equal(cause_of(c, e, 8), 5);
	/* Another peer, or another process. */
	e.port = 80;
	assert_int_equal(cause_of(c, e, 9), 1);
	e = peer;
	e.kind = EVENT_HTTP_REWRITE;
	e.pid = 8;
	assert_int_equal(cause_of(c, e, 10), 0);
	causes_free(c);
}

/* However many there are, a cause is right or missing. */
static void what_is_forgotten_is_not_mistaken(void **state)
{
	struct causes *c = causes_new();
	size_t n_known = 0;

	(void)state;
	for (int32_t pid = 1; pid <= 100000; pid++)
		(void)cause_of(c, EVENT(PROC_EXEC, .pid = pid), (uint64_t)pid);
	for (int32_t pid = 1; pid <= 100000; pid++) {
		uint64_t cause = cause_of(c, EVENT(FILE_OPEN, .pid = pid, .ppid = 100000), 200000);

		assert_true(cause == 0 || cause == (uint64_t)pid);
		n_known += cause != 0;
	}
	assert_in_range(n_known, 1000, 10000);
	causes_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_follows_from_the_program),
		cmocka_unit_test(what_was_denied_or_failed_began_nothing),
		cmocka_unit_test(a_connection_follows_from_its_name),
		cmocka_unit_test(what_is_forgotten_is_not_mistaken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
