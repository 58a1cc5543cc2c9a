#include "unit.h"

#include <stdlib.h>

#include "http/target.h"

static void forms(void **state)
{
	static const struct {
		const char *method, *target;
		int form; /* -1: refused */
		const char *authority, *path, *query; /* query NULL: none */
	} cases[] = {
		{ "GET", "/", HTTP_TARGET_ORIGIN, "", "/", NULL },
		{ "GET", "/a/b?c=d?e", HTTP_TARGET_ORIGIN, "", "/a/b", "c=d?e" },
		{ "GET", "/?", HTTP_TARGET_ORIGIN, "", "/", "" },
		{ "GET", "http://h.test:80/x", HTTP_TARGET_ABSOLUTE, "h.test:80", "/x", NULL },
		{ "GET", "HTTPS://h.test", HTTP_TARGET_ABSOLUTE, "h.test", "/", NULL },
		{ "GET", "http://h.test?q", HTTP_TARGET_ABSOLUTE, "h.test", "/", "q" },
		{ "OPTIONS", "*", HTTP_TARGET_ASTERISK, "", "", NULL },
		{ "CONNECT", "h.test:443", HTTP_TARGET_AUTHORITY, "h.test:443", "", NULL },
		{ "GET", "*", -1, NULL, NULL, NULL },
		{ "GET", "", -1, NULL, NULL, NULL },
		{ "GET", "/a#b", -1, NULL, NULL, NULL },
		{ "GET", "http:///x", -1, NULL, NULL, NULL },
		{ "GET", "ftp://h.test/", -1, NULL, NULL, NULL },
		{ "GET", "h.test/", -1, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_target t = { 0 };
		int r = http_target_split(span_of(cases[i].method), span_of(cases[i].target), &t);

		if ((r == 0) != (cases[i].form >= 0))
			fail_msg("%s: %d", cases[i].target, r);
		if (r < 0)
			continue;
		assert_int_equal(t.form, cases[i].form);
		assert_true(span_eq_str(t.authority, cases[i].authority));
		assert_true(span_eq_str(t.path, cases[i].path));
		assert_int_equal(t.has_query, cases[i].query != NULL);
		assert_true(span_eq_str(t.query, cases[i].query ? cases[i].query : ""));
	}
}

static void paths(void **state)
{
	static const char *const cases[][2] = {
		{ "/", "/" },
		{ "/a/b", "/a/b" },
		{ "/a/./b/../c", "/a/c" },
		{ "/a/..", "/" },
		{ "/..", "/" },
		{ "/../../etc/passwd", "/etc/passwd" },
		{ "/a/b/.", "/a/b/" },
		{ "/a/b/..", "/a/" },
		{ "/%61%2e%2E/b", "/a../b" },
		{ "/x/%2e%2e/admin", "/admin" },
		{ "/x/.%2e/admin", "/admin" },
		{ "/a%2fb/../c", "/c" },
		{ "/a%2f..%2fb", "/a%2F..%2Fb" },
		{ "/a//../b", "/a/b" },
		{ "//x/..//../b", "//b" },
		{ "/%e2%82%ac", "/%E2%82%AC" },
		{ "/a;b=c/d:e@f!$&'()*+,=", "/a;b=c/d:e@f!$&'()*+,=" },
		{ "/%5c", "/%5C" },
		{ "/%25", "/%25" },
		{ "/%252e%252e/x", "/%252e%252e/x" },
		{ "/...", "/..." },
		/* refused */
		{ "", NULL },
		{ "a", NULL },
		{ "/%", NULL },
		{ "/%2", NULL },
		{ "/%zz", NULL },
		{ "/%00", NULL },
		{ "/%0a", NULL },
		{ "/%7f", NULL },
		{ "/a\\b", NULL },
		{ "/a b", NULL },
		{ "/\xc3\xa9", NULL },
		{ "/\x01", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(1000);
		int r = http_path_normalise(span_of(cases[i][0]), &out);

		if (cases[i][1] ? r < 0 || !span_eq_str(buf_span(&out), cases[i][1]) : r >= 0)
			fail_msg("%s: %d %s", cases[i][0], r, out.data);
	}
}

/* What is normal stays as it is. */
static void a_normal_path_is_its_own(void **state)
{
	static const char alphabet[] = "/.%2eEfab";

	(void)state;
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		char text[16] = "/";
		size_t len = 1 + (size_t)(random() % 12);
		_cleanup_buf_ struct buf once = BUF_INIT(100);
		_cleanup_buf_ struct buf twice = BUF_INIT(100);

		for (size_t k = 1; k < len; k++)
			text[k] = alphabet[random() % (long)(sizeof(alphabet) - 1)];
		if (http_path_normalise(span_make(text, len), &once) < 0)
			continue;
		assert_int_equal(http_path_normalise(buf_span(&once), &twice), 0);
		assert_true(span_eq(buf_span(&once), buf_span(&twice)));
		assert_null(strstr(once.data, "/../"));
		assert_null(strstr(once.data, "/./"));
	}
}

static void slashes(void **state)
{
	static const char *const cases[][2] = {
		{ "/", "/" }, { "//", "/" }, { "//a///b//", "/a/b/" }, { "/a%2F/b", "/a%2F/b" }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(100);

		assert_int_equal(http_path_merge_slashes(span_of(cases[i][0]), &out), 0);
		assert_string_equal(out.data, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(paths),
		cmocka_unit_test(a_normal_path_is_its_own),
		cmocka_unit_test(slashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
