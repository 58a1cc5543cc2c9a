#include "unit.h"

#include <stdio.h>

#include "api/auth.h"

static struct api_auth make(const char *where)
{
	struct api_listen listen;
	struct api_auth a;
	struct err err = { 0 };

	if (api_listen_parse(span_of(where), &listen, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(api_auth_init(&a, &listen), 0);
	return a;
}

static void test_secrets_are_drawn_anew(void **state)
{
	struct api_auth a = make("18080"), b = make("18080");

	(void)state;
	assert_int_equal(strlen(a.token), API_TOKEN_LEN);
	assert_int_equal(strlen(a.cookie), API_TOKEN_LEN);
	assert_string_not_equal(a.token, b.token);
	assert_string_not_equal(a.cookie, b.cookie);
	assert_string_not_equal(a.token, a.cookie);
	assert_string_equal(a.cookie_name, "leash-18080");
}

static void check_host(const char *where, const char *host, bool want)
{
	struct api_auth a = make(where);

	if (api_auth_is_host(&a, span_of(host)) != want)
		fail_msg("listening on %s, Host: %s is %s", where, host,
			 want ? "refused" : "taken");
}

static void test_hosts(void **state)
{
	(void)state;
	check_host("18080", "127.0.0.1:18080", true);
	check_host("18080", "localhost:18080", true);
	check_host("18080", "LOCALHOST:18080", true);
	check_host("18080", "[::1]:18080", true);
	check_host("18080", "127.0.0.1", false);
	check_host("18080", "127.0.0.1:1808", false);
	check_host("18080", "127.0.0.1:118080", false);
	check_host("18080", "127.0.0.1:18080:18080", false);
	check_host("18080", "127.0.0.1.evil.example:18080", false);
	check_host("18080", "evil.example:18080", false);
	check_host("18080", "127.1:18080", false);
	check_host("18080", ":18080", false);
	check_host("18080", "", false);
	check_host("18080", "192.0.2.1:18080", false);
	check_host("80", "127.0.0.1", true);
	check_host("80", "127.0.0.1:80", true);
	check_host("80", "127.0.0.1:", false);
	check_host("192.0.2.1:18080", "192.0.2.1:18080", true);
	check_host("192.0.2.1:18080", "127.0.0.1:18080", false);
	check_host("192.0.2.1:18080", "localhost:18080", false);
	check_host("[2001:db8::1]:18080", "[2001:db8::1]:18080", true);
	check_host("0.0.0.0:18080", "192.0.2.7:18080", true);
	check_host("0.0.0.0:18080", "localhost:18080", true);
	check_host("0.0.0.0:18080", "evil.example:18080", false);
}

static struct http_head head_of(const struct http_field *fields, size_t n)
{
	return (struct http_head){ .fields = fields, .n_fields = n };
}

static void check_origin(const char *origin, bool want)
{
	const struct http_field fields[] = { { SPAN("host"), SPAN("127.0.0.1:18080") },
					     { SPAN("origin"), span_of(origin) } };
	struct http_head head = head_of(fields, origin ? 2 : 1);

	if (api_auth_is_same_origin(&head) != want)
		fail_msg("Origin: %s is %s", origin ? origin : "(none)",
			 want ? "refused" : "taken");
}

static void test_origins(void **state)
{
	(void)state;
	check_origin(NULL, true);
	check_origin("http://127.0.0.1:18080", true);
	check_origin("http://127.0.0.1:18081", false);
	check_origin("http://127.0.0.1", false);
	check_origin("https://127.0.0.1:18080", false);
	check_origin("http://localhost:18080", false);
	check_origin("http://127.0.0.1:18080.evil.example", false);
	check_origin("http://evil.example", false);
	check_origin("null", false);
	check_origin("", false);
}

static enum api_who who(const struct api_auth *a, const char *name, const char *value)
{
	const struct http_field field = { span_of(name), span_of(value) };
	struct http_head head = head_of(&field, 1);

	return api_auth_who(a, &head);
}

static void test_tokens_and_cookies(void **state)
{
	struct api_auth a = make("18080");
	char text[400];

	(void)state;
	(void)snprintf(text, sizeof(text), "Bearer %s", a.token);
	assert_int_equal(who(&a, "authorization", text), API_BEARER);
	text[0] = 'b';
	assert_int_equal(who(&a, "authorization", text), API_BEARER);
	text[strlen(text) - 1] ^= 1;
	assert_int_equal(who(&a, "authorization", text), API_NOBODY);
	(void)snprintf(text, sizeof(text), "Basic %s", a.token);
	assert_int_equal(who(&a, "authorization", text), API_NOBODY);
	(void)snprintf(text, sizeof(text), "Bearer %s", a.cookie);
	assert_int_equal(who(&a, "authorization", text), API_NOBODY);
	assert_int_equal(who(&a, "authorization", "Bearer "), API_NOBODY);
	assert_int_equal(who(&a, "authorization", ""), API_NOBODY);
	assert_int_equal(who(&a, "x", "y"), API_NOBODY);

	(void)snprintf(text, sizeof(text), "a=b; leash-18080=%s;c", a.cookie);
	assert_int_equal(who(&a, "cookie", text), API_COOKIE);
	(void)snprintf(text, sizeof(text), "leash-18081=%s", a.cookie);
	assert_int_equal(who(&a, "cookie", text), API_NOBODY);
	(void)snprintf(text, sizeof(text), "leash-18080=%s0", a.cookie);
	assert_int_equal(who(&a, "cookie", text), API_NOBODY);
	(void)snprintf(text, sizeof(text), "leash-18080=%s", a.token);
	assert_int_equal(who(&a, "cookie", text), API_NOBODY);
	assert_int_equal(who(&a, "cookie", "leash-18080="), API_NOBODY);
	assert_int_equal(who(&a, "cookie", ";;;=;"), API_NOBODY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets_are_drawn_anew),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_tokens_and_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
