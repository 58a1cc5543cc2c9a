#include "unit.h"

#include <stdlib.h>
#include <time.h>

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

static bool matches(const struct filter *f, const char *json)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);

	return filter_matches(f, parse(&a, json));
}

#define NET                                                                                        \
	"{\"seq\":5,\"kind\":\"net.connect\",\"decision\":\"deny\",\"pid\":7,\"host\":\"API."      \
	"example.com\"}"
#define FILE                                                                                       \
	"{\"seq\":6,\"kind\":\"file.rename\",\"decision\":\"allow\",\"pid\":8,\"path\":\"/a/"      \
	"b\",\"target\":\"/c/d\"}"

static void filters(void **state)
{
	_cleanup_(filter_done) struct filter f = { 0 };
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

static void filters_by_object(void **state)
{
	_cleanup_(filter_done) struct filter path = { 0 };
	struct filter host = { .host = "api.example.com" }, below = { .host = "*.example.com" };
	struct filter other = { .host = "*.api.example.com" }, bare = { .host = "example.com" };
	struct filter pid = { .pid = 8 }, since = { .since = 5 };

	(void)state;
	assert_int_equal(filter_set_path(&path, "/a", NULL), 0);
	assert_true(matches(&path, FILE) && !matches(&path, NET));
	assert_int_equal(filter_set_path(&path, "/c/d", NULL), 0);
	assert_true(matches(&path, FILE));
	assert_int_equal(filter_set_path(&path, "/a/bb", NULL), 0);
	assert_false(matches(&path, FILE));
	assert_int_equal(filter_set_path(&path, "/c/", NULL), 0);
	assert_true(matches(&path, FILE));
	assert_true(matches(&host, NET) && matches(&below, NET));
	assert_true(!matches(&other, NET) && !matches(&bare, NET) && !matches(&host, FILE));
	assert_true(matches(&pid, FILE) && !matches(&pid, NET));
	assert_true(matches(&since, FILE) && !matches(&since, NET));
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
	};

	(void)setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
