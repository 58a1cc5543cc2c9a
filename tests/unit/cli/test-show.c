#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/filter.h"
#include "cli/show.h"

/* Records as event_to_json writes them; the last column is what people see. */
static const struct {
	const char *json, *human;
} shown[] = {
	{ "{\"seq\":1,\"time\":\"2026-01-02T03:04:05.123456789Z\",\"session\":\"s\",\"kind\":"
	  "\"session.start\","
	  "\"backend\":\"daemon\",\"message\":\"running bash\",\"prev\":\"00\"}",
	  "03:04:05.123  -          session.start  -                      \"running bash\"\n" },
	{ "{\"seq\":2,\"time\":\"2026-01-02T03:04:05.500000000Z\",\"kind\":\"file.open\","
	  "\"decision\":\"deny\","
	  "\"policies\":[\"default\"],\"pid\":20,\"exe\":\"/bin/cat\",\"comm\":\"cat\",\"path\":\"/"
	  "etc/shadow\","
	  "\"access\":\"read\",\"error\":\"EACCES\"}",
	  "03:04:05.500  deny       file.open      cat[20]               /etc/shadow (read) EACCES "
	  "[default]\n" },
	{ "{\"time\":\"2026-01-02T03:04:06.000000000Z\",\"kind\":\"file.rename\",\"decision\":"
	  "\"allow\","
	  "\"policies\":[\"a\",\"b c\"],\"pid\":20,\"exe\":\"/bin/mv\",\"path\":\"/w/a "
	  "b\",\"target\":\"/w/c\"}",
	  "03:04:06.000  allow      file.rename    /bin/mv[20]           \"/w/a b\" -> /w/c [a \"b "
	  "c\"]\n" },
	{ "{\"time\":\"2026-01-02T03:04:06.000000000Z\",\"kind\":\"proc.exec\",\"decision\":"
	  "\"allow\",\"pid\":20,"
	  "\"comm\":\"bash\",\"argv\":[\"ls\",\"-l\",\"\",\"a b\"],\"path\":\"/bin/ls\"}",
	  "03:04:06.000  allow      proc.exec      bash[20]              /bin/ls: ls -l \"\" \"a "
	  "b\"\n" },
	{ "{\"time\":\"2026-01-02T03:04:06.000000000Z\",\"kind\":\"net.connect\",\"decision\":"
	  "\"would-deny\","
	  "\"pid\":20,\"comm\":\"curl\",\"host\":\"example.com\",\"ip\":\"2001:db8::1\",\"port\":"
	  "443,\"protocol\":\"tcp\"}",
	  "03:04:06.000  would-deny net.connect    curl[20]              example.com (2001:db8::1) "
	  "port 443/tcp\n" },
	{ "{\"time\":\"2026-01-02T03:04:06.000000000Z\",\"kind\":\"lost\",\"count\":17}",
	  "03:04:06.000  -          lost           -                     17 events lost\n" },
	{ "{\"time\":\"2026-01-02T03:04:06.000000000Z\",\"kind\":\"proc.exit\",\"pid\":20,\"comm\":"
	  "\"sh\",\"status\":137}",
	  "03:04:06.000  -          proc.exit      sh[20]                 status 137\n" },
};

static const struct json *parse(struct arena *a, const char *text)
{
	struct json *event;

	assert_int_equal(json_parse(a, span_of(text), &event, NULL), 0);
	return event;
}

static void records_are_shown_to_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
		_cleanup_buf_ struct buf out = BUF_INIT(0);

		show_human(parse(&a, shown[i].json), /* color = */ false, &out);
		assert_string_equal(out.data, shown[i].human);
	}
}

static void times_are_local(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(setenv("TZ", "UTC-2", 1), 0);
	tzset();
	show_human(parse(&a, "{\"time\":\"2026-01-02T23:04:05.123456789Z\",\"kind\":\"lost\","
			     "\"count\":1}"),
		   /* color = */ false, &out);
	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	tzset();
	assert_true(span_starts_with(buf_span(&out), SPAN("01:04:05.123 ")));
}

static void denied_is_red(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	show_human(parse(&a, shown[1].json), /* color = */ true, &out);
	assert_string_equal(
		out.data,
		"03:04:05.500  \033[31mdeny       file.open\033[0m      cat[20]               "
		"/etc/shadow (read) EACCES [default]\n");
}

static void assert_text(const char *json, const char *expected)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	show_text(parse(&a, json)->text, &out);
	assert_string_equal(out.data, expected);
}

/* What an agent calls its files neither acts on the terminal nor passes for something else. */
static void names_are_shown_safely(void **state)
{
	(void)state;
	assert_text("\"/plain/name-1.txt\"", "/plain/name-1.txt");
	assert_text("\"/ä/😀\"", "/ä/😀");
	assert_text("\"\"", "\"\"");
	assert_text("\"a b\"", "\"a b\"");
	assert_text("\"a\\nb\\u001b[2J\"", "\"a\\nb\\u{1b}[2J\"");
	assert_text("\"a\\\\nb\"", "\"a\\\\nb\"");
	assert_text("\"a\\\"b\"", "\"a\\\"b\"");
	assert_text("\"\\u202etxt\"", "\"\\u{202e}txt\"");
	assert_text("\"\\u009b31m\"", "\"\\u{9b}31m\"");
	assert_text("\"\\udb40\\udc41\"", "\"\\u{e0041}\"");
	assert_text("\"\\udcff\"", "\"\\xff\"");
	assert_text("\"\\\\xff\"", "\"\\\\xff\"");
	assert_text("\"\\u00a0\"", "\"\xc2\xa0\"");
}

static void logfmt(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	show_logfmt(parse(&a, "{\"seq\":3,\"kind\":\"proc.exec\",\"argv\":[\"sh\",\"-c\",\"a,"
			      "b\\\\c\"],\"argv_cut\":true,"
			      "\"path\":\"/a b\",\"url\":\"http://h/?a=b\"}"),
		    &out);
	assert_string_equal(out.data,
			    "seq=3 kind=proc.exec argv=\"sh,-c,a\\\\,b\\\\\\\\c\" argv_cut=true "
			    "path=\"/a b\" url=\"http://h/?a=b\"\n");
}

static const struct event net = { .kind = EVENT_NET_CONNECT,
				  .decision = EVENT_DENY,
				  .pid = 7,
				  .host = SPAN("API.example.com") };
static const struct event file = { .kind = EVENT_FILE_RENAME,
				   .decision = EVENT_ALLOW,
				   .pid = 8,
				   .time_ns = 1000 * NS_PER_SEC,
				   .path = SPAN("/a/b"),
				   .target = SPAN("/c/d") };
#define NET 5, &net
#define FILE 6, &file

static bool matches(const struct event_filter *f, uint64_t seq, const struct event *e)
{
	return event_filter_matches(f, seq, e);
}

static void filters(void **state)
{
	struct event_filter f = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(matches(&f, NET) && matches(&f, FILE));
	assert_int_equal(filter_add_kind(&f, "net", NULL), 0);
	assert_true(matches(&f, NET) && !matches(&f, FILE));
	assert_int_equal(filter_add_kind(&f, "file.rename", NULL), 0);
	assert_true(matches(&f, NET) && matches(&f, FILE));
	assert_int_equal(filter_add_decision(&f, "deny", NULL), 0);
	assert_true(matches(&f, NET) && !matches(&f, FILE));
	assert_true(filter_add_kind(&f, "net.conect", &err) < 0);
	assert_string_equal(
		err.text,
		"--kind net.conect: no kind of event is called so; did you mean net.connect");
	assert_true(filter_add_kind(&f, "", NULL) < 0);
	assert_true(filter_add_kind(&f, "fil", NULL) < 0);
	assert_true(filter_add_decision(&f, "denied", NULL) < 0);
}

static bool path_matches(const char *path, uint64_t seq, const struct event *e)
{
	struct event_filter f = { 0 };
	bool result;

	assert_int_equal(filter_set_path(&f, path, NULL), 0);
	result = matches(&f, seq, e);
	xfree((void *)(uintptr_t)f.path);
	return result;
}

static void filters_by_object(void **state)
{
	struct event_filter host = { .host = "api.example.com" },
			    below = { .host = "*.example.com" };
	struct event_filter other = { .host = "*.api.example.com" },
			    bare = { .host = "example.com" };
	struct event_filter pid = { .pid = 8 }, since = { .since_seq = 5 };

	(void)state;
	assert_true(path_matches("/a", FILE) && !path_matches("/a", NET));
	assert_true(path_matches("/c/d", FILE));
	assert_false(path_matches("/a/bb", FILE));
	assert_true(path_matches("/c/", FILE));
	assert_true(matches(&host, NET) && matches(&below, NET));
	assert_true(!matches(&other, NET) && !matches(&bare, NET) && !matches(&host, FILE));
	assert_true(matches(&pid, FILE) && !matches(&pid, NET));
	assert_true(matches(&since, FILE) && !matches(&since, NET));
}

static void filters_by_time(void **state)
{
	const uint64_t now = 1010 * NS_PER_SEC;
	static const struct {
		const char *since;
		bool is_after;
	} times[] = {
		{ "10s", true },
		{ "9s", false },
		{ "1m", true },
		{ "1h", true },
		{ "999d", true },
		{ "1970-01-01T00:16:40Z", true },
		{ "1970-01-01T00:16:40.000000001Z", false },
		{ "1970-01-01T01:16:40+01:00", true },
		{ "1970-01-01 00:16:41z", false },
		{ "1970-01-01", true },
		{ "1970-01-02", false },
		{ "5", true },
		{ "6", false },
	};
	static const char *const wrong[] = { "",	   "-1",	 "x",
					     "10w",	   "1hm",	 "1970-01", "1970-01-01T00",
					     "1970-01-01T00:16:40", "1970-01-01T00:16:40.Z",
					     "1970-01-01T00:16:40+1", "99999999999999999999", "0",
					     "9999999999999d" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct event_filter f = { 0 };

		assert_int_equal(filter_set_since(&f, times[i].since, now, NULL), 0);
		if (matches(&f, FILE) != times[i].is_after)
			fail_msg("%s", times[i].since);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct event_filter f = { 0 };

		if (filter_set_until(&f, wrong[i], now, NULL) == 0)
			fail_msg("%s", wrong[i]);
	}
}

static void filters_by_program_and_text(void **state)
{
	const struct event e = { .exe = SPAN("/usr/bin/Node"),
				 .argv = SPAN("node\0server.js"),
				 .path = SPAN("/srv/App") };
	struct event_filter name = { .exe = "Node" }, path = { .exe = "/usr/bin/Node" };
	struct event_filter part = { .exe = "ode" }, folder = { .exe = "bin" };
	struct event_filter in_path = { .text = "V/APP" }, in_argv = { .text = "server.JS" };
	struct event_filter nowhere = { .text = "apps" };

	(void)state;
	assert_true(matches(&name, 1, &e) && matches(&path, 1, &e));
	assert_true(!matches(&part, 1, &e) && !matches(&folder, 1, &e));
	assert_true(matches(&in_path, 1, &e) && matches(&in_argv, 1, &e));
	assert_false(matches(&nowhere, 1, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_shown_to_people),
		cmocka_unit_test(times_are_local),
		cmocka_unit_test(denied_is_red),
		cmocka_unit_test(names_are_shown_safely),
		cmocka_unit_test(logfmt),
		cmocka_unit_test(filters),
		cmocka_unit_test(filters_by_object),
		cmocka_unit_test(filters_by_time),
		cmocka_unit_test(filters_by_program_and_text),
	};

	(void)setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
