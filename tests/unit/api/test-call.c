#include "unit.h"

#include "api/call.h"

static struct api_call call_with(const char *body, const char *query)
{
	struct api_call c = { .body = span_of(body), .query = span_of(query) };

	api_call_init(&c);
	c.json.out = NULL; /* api_answer_json sets it for the call that it is given */
	return c;
}

static bool answer_has(const struct api_call *c, const char *text)
{
	return c->out.data && strstr(c->out.data, text);
}

static void check_body(const char *body, int want_status, const char *want_key)
{
	struct api_call c = call_with(body, "");
	const struct json *text, *number;
	const struct api_key keys[] = { { "text", JSON_STRING, true, &text },
					{ "n", JSON_NUMBER, false, &number } };
	bool is_good = api_read_body(&c, keys, ARRAY_SIZE(keys));

	if (is_good != (want_status == 0) || c.status != want_status)
		fail_msg("%s: status %d, want %d: %s", body, c.status, want_status, c.out.data);
	if (want_key && !answer_has(&c, want_key))
		fail_msg("%s: %s", body, c.out.data);
	api_call_done(&c);
}

static void test_bodies(void **state)
{
	(void)state;
	check_body("{\"text\":\"x\"}", 0, NULL);
	check_body("{\"text\":\"x\",\"n\":1}", 0, NULL);
	check_body("{\"n\":1}", 400, "\"key\":\"text\"");
	check_body("{\"text\":\"x\",\"colour\":1}", 400, "\"key\":\"colour\"");
	check_body("{\"text\":\"x\",\"\\u202e\":1}", 400, "\"key\":\"\\u202e\"");
	check_body("{\"text\":1}", 400, "\"key\":\"text\"");
	check_body("{\"text\":\"x\",\"text\":\"x\"}", 400, NULL);
	check_body("{\"text\":\"x\"}x", 400, NULL);
	check_body("[]", 400, NULL);
	check_body("null", 400, NULL);
	check_body("", 400, "\"key\":\"text\"");
	check_body("{", 400, NULL);
}

/* "a=b|c=d": what api_query_next gives; NULL: it is refused. */
static void check_query(const char *query, const char *want)
{
	struct api_call c = call_with("", query);
	struct api_query q = { .rest = c.query };
	_cleanup_buf_ struct buf got = BUF_INIT(0);
	int r;

	while ((r = api_query_next(&c, &q)) > 0) {
		(void)buf_append_str(&got, got.len ? "|" : "");
		(void)buf_append_span(&got, q.name);
		(void)buf_append_char(&got, '=');
		(void)buf_append_span(&got, q.value);
	}
	if (!want)
		assert_int_equal(c.status, 400);
	if ((r < 0) != !want || (want && strcmp(got.len ? got.data : "", want) != 0))
		fail_msg("%s: %s", query, got.len ? got.data : "(nothing)");
	api_call_done(&c);
}

static void test_queries(void **state)
{
	(void)state;
	check_query("", "");
	check_query("a=b", "a=b");
	check_query("a=b&c=d", "a=b|c=d");
	check_query("&&a=b&", "a=b");
	check_query("a", "a=");
	check_query("a=b=c", "a=b=c");
	check_query("a=%2Fetc%2f+x", "a=/etc/ x");
	check_query("%61=%", NULL);
	check_query("a=%4", NULL);
	check_query("a=%zz", NULL);
	check_query("a=%00", NULL);
	check_query("a=b&%", NULL);
}

static void check_number(const char *query, bool want, uint64_t want_n)
{
	struct api_call c = call_with("", query);
	struct api_query q = { .rest = c.query };
	uint64_t n = 7;

	assert_int_equal(api_query_next(&c, &q), 1);
	assert_int_equal(api_query_uint(&c, &q, 1000, &n), want);
	assert_int_equal(n, want ? want_n : 7);
	api_call_done(&c);
}

static void test_numbers(void **state)
{
	(void)state;
	check_number("n=0", true, 0);
	check_number("n=1000", true, 1000);
	check_number("n=1001", false, 0);
	check_number("n=", false, 0);
	check_number("n=-1", false, 0);
	check_number("n=1x", false, 0);
	check_number("n=18446744073709551617", false, 0);
	check_number("n=00000000000000000000001", false, 0);
}

/* What was begun before a mistake was found is not sent. */
static void test_a_problem_replaces_the_answer(void **state)
{
	struct api_call c = call_with("", "");
	struct json_writer *w = api_answer_json(&c, 200);

	(void)state;
	json_begin_object(w);
	json_key_string(w, "half", SPAN("an answer"));
	api_problem(&c, 503, "no %s", "more");
	assert_int_equal(c.status, 503);
	assert_string_equal(c.type, "application/problem+json");
	assert_string_equal(c.out.data, "{\"type\":\"about:blank\",\"title\":\"Service "
					"Unavailable\",\"status\":503,\"detail\":\"no more\"}");
	api_call_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_a_problem_replaces_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
