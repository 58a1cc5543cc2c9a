#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/known-keys.h"
#include "daemon/placeholder.h"

/* ---- Placeholders ---- */

static bool same_class(char a, char b)
{
	if (a >= '0' && a <= '9')
		return b >= '0' && b <= '9';
	if (a >= 'a' && a <= 'z')
		return b >= 'a' && b <= 'z';
	if (a >= 'A' && a <= 'Z')
		return b >= 'A' && b <= 'Z';
	return a == b;
}

static size_t common(struct span a, const char *b)
{
	size_t n = 0;

	while (n < a.len && a.p[n] == b[n])
		n++;
	return n;
}

static void placeholders_keep_the_outline(void **state)
{
	static const struct {
		const char *secret;
		size_t n_kept;
	} cases[] = {
		{ "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6Hh", 13 },
		{ "sk-proj-Zq8Lm2Xc7Vb4Nn1Kj6HhZq8Lm2Xc7Vb4", 8 },
		{ "ghp_0123456789abcdefABCDEF0123", 4 },
		{ "github_pat_11ABCDEFG0abcdefghijkl", 11 },
		{ "AIzaSyA1234567890abcdefghijklmno", 4 },
		{ "0123456789abcdef0123456789abcdef", 4 },
		/* Too many digits for a name, and too long a part. */
		{ "550e8400-e29b-41d4-a716-446655440000", 4 },
		{ "abcdefghijk-lmnopqrstuvwxyz012345", 4 },
		/* So much is kept that enough is left. */
		{ "sk-ant-api03-Zq8Lm2Xc7Vb", 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *secret = cases[i].secret;
		size_t least = SIZE_MAX;

		for (int round = 0; round < 50; round++) {
			_cleanup_secret_ struct secret p = { 0 };

			assert_int_equal(placeholder_make(span_of(secret), &p, NULL), 0);
			assert_int_equal(p.len, strlen(secret));
			assert_memory_not_equal(p.p, secret, p.len);
			for (size_t k = 0; k < p.len; k++)
				assert_true(same_class(secret[k], p.p[k]));
			least = MIN(least, common(secret_span(&p), secret));
		}
		assert_int_equal(least, cases[i].n_kept);
	}
}

static void hexadecimal_stays_so(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		_cleanup_secret_ struct secret p = { 0 };

		assert_int_equal(
			placeholder_make(SPAN("0123456789abcdef0123456789abcdef"), &p, NULL), 0);
		for (size_t k = 0; k < p.len; k++)
			assert_non_null(memchr("0123456789abcdef", p.p[k], 16));
	}
}

static void what_cannot_be_told_apart_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "sixty",
					   "abcdefghijklmnopqrs",
					   "abcd----------------------",
					   "abcdefghijklmnopqrstuvw\nx",
					   "abcdefghijklmnopqrstuvw\tx" };
	struct err err = { 0 };
	struct secret p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(placeholder_make(span_of(bad[i]), &p, &err), -EINVAL);
		if (*bad[i])
			assert_null(strstr(err.text, bad[i]));
	}
}

/* ---- What a person writes ---- */

static struct secret_spec parse(const char *text)
{
	struct secret_spec s;
	struct err err = { 0 };

	if (secret_spec_parse(span_of(text), &s, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return s;
}

static void a_secret_is_parsed(void **state)
{
	struct secret_spec s =
		parse("T=env:V,host=API.Test,host=*.wild.test:8443,host=http://1.2.3.4,"
		      "port=443,port=444,header=X-Api-Key,path=/v1/%7euser,env=W");
	struct secret_rule rule;

	(void)state;
	secret_spec_rule(&s, &rule);
	assert_string_equal(s.name, "T");
	assert_string_equal(s.from, "V");
	assert_string_equal(s.variable, "W");
	assert_true(span_eq_str(rule.header, "x-api-key"));
	assert_true(span_eq_str(rule.path, "/v1/~user"));
	assert_int_equal(rule.n_places, 5);
	/* Settings are cut off from behind. */
	assert_true(span_eq_str(rule.places[0].host, "1.2.3.4"));
	assert_true(rule.places[0].is_clear);
	assert_int_equal(rule.places[0].port, 444);
	assert_true(span_eq_str(rule.places[2].host, "*.wild.test"));
	assert_int_equal(rule.places[2].port, 8443);
	assert_false(rule.places[2].is_clear);
	assert_true(span_eq_str(rule.places[4].host, "api.test"));
	assert_int_equal(rule.places[4].port, 443);
	secret_spec_done(&s);
}

static void variables_and_ports_have_defaults(void **state)
{
	struct secret_spec s = parse("T=env:V,host=a.test");
	struct secret_rule rule;

	(void)state;
	secret_spec_rule(&s, &rule);
	assert_string_equal(s.variable, "V");
	assert_int_equal(rule.places[0].port, 443);
	secret_spec_done(&s);
	s = parse("T=cmd:echo a,b,c=d,host=http://a.test");
	secret_spec_rule(&s, &rule);
	assert_string_equal(s.from, "echo a,b,c=d");
	assert_string_equal(s.variable, "T");
	assert_int_equal(rule.places[0].port, 80);
	secret_spec_done(&s);
	s = parse("for-a-policy=env:V");
	assert_null(s.variable);
	secret_spec_done(&s);
}

static void mistakes_are_refused_and_not_repeated(void **state)
{
	static const char *const bad[] = {
		"",
		"T",
		"T=",
		"=env:V",
		"T=V",
		"T=env:",
		"T=env:a b",
		"1T=env:V",
		"T=env:V,port=1",
		"T=env:V,host=",
		"T=env:V,host=a..b",
		"T=env:V,host=*",
		"T=env:V,host=*.1.2.3.4",
		"T=env:V,host=a@b",
		"T=env:V,host=a/b",
		"T=env:V,host=a,port=0",
		"T=env:V,host=a,port=65536",
		"T=env:V,host=a,port=x",
		"T=env:V,host=a,port=99999999999999",
		"T=env:V,host=a,path=x",
		"T=env:V,host=a,path=/../%zz",
		"T=env:V,host=a,header=a b",
		"T=env:V,host=a,header=",
		"T=env:V,host=a,env=A-B",
		"a-b=cmd:x,host=a",
		"T=sk-real-secret-value-0123456789,host=a",
	};
	struct secret_spec s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = { 0 };

		if (secret_spec_parse(span_of(bad[i]), &s, &err) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_true(err.text[0]);
		assert_null(strstr(err.text, "real-secret"));
	}
}

static void sources_are_read(void **state)
{
	static const struct {
		const char *text, *value; /* NULL: an error */
	} cases[] = {
		{ "T=env:LEASH_TEST_V,host=a.test", "variable-0123456789abcdef" },
		{ "T=cmd:printf command-0123456789abcdef,host=a.test", "command-0123456789abcdef" },
		{ "T=cmd:echo command-0123456789abcdef,host=a.test", "command-0123456789abcdef" },
		{ "T=cmd:printf 'command-0123456789abcdef\\r\\n',host=a.test",
		  "command-0123456789abcdef" },
		{ "T=cmd:printf 'command-0123456789\\n\\nabcdef',host=a.test", NULL },
		{ "T=cmd:echo command-0123456789abcdef; exit 1,host=a.test", NULL },
		{ "T=cmd:kill -9 $$,host=a.test", NULL },
		{ "T=cmd:true,host=a.test", NULL },
		{ "T=cmd:head -c 100000 /dev/zero,host=a.test", NULL },
		{ "T=file:/dev/null,host=a.test", NULL },
		{ "T=file:/dev/zero,host=a.test", NULL },
		{ "T=file:/nonexistent,host=a.test", NULL },
		{ "T=env:LEASH_TEST_NOT_SET,host=a.test", NULL },
	};

	(void)state;
	(void)setenv("LEASH_TEST_V", "variable-0123456789abcdef", 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct secret_spec s = parse(cases[i].text);
		struct err err = { 0 };
		int r = secret_spec_read(&s, &err);

		if (!cases[i].value) {
			assert_true(r < 0);
			assert_null(strstr(err.text, "0123"));
		} else {
			assert_int_equal(r, 0);
			assert_true(span_eq_str(secret_span(&s.value), cases[i].value));
			assert_int_equal(s.placeholder.len, s.value.len);
		}
		secret_spec_done(&s);
	}
}

static void nothing_of_a_value_stays_in_an_environment(void **state)
{
	secret_specs specs = { 0 };
	struct environment e = { 0 };

	(void)state;
	(void)setenv("LEASH_TEST_V", "variable-0123456789abcdef", 1);
	vec_push(&specs, parse("T=env:LEASH_TEST_V,env=OTHER,host=a.test"));
	assert_int_equal(secret_specs_read(&specs, NULL), 0);
	environment_inherit(&e);
	environment_set(&e, "TWICE", "variable-0123456789abcdef:variable-0123456789abcdef");
	secret_specs_hide(&specs, &e);
	for (size_t i = 0; i < e.entries.len; i++)
		assert_null(strstr(e.entries.items[i], "variable-0123456789abcdef"));
	assert_memory_equal(environment_get(&e, "OTHER"), specs.items[0].placeholder.p,
			    specs.items[0].placeholder.len);
	assert_string_equal(environment_get(&e, "OTHER"), environment_get(&e, "LEASH_TEST_V"));
	secret_specs_wipe(&specs);
	assert_null(specs.items[0].value.p);
	environment_done(&e);
	secret_specs_done(&specs);
}

/* ---- Known agents ---- */

static const struct secret_spec *known(secret_specs *specs, const struct known_keys *k,
				       const char *name)
{
	known_keys_add(specs, k);
	return secret_specs_find(specs, span_of(name));
}

static void known_keys_go_to_their_providers(void **state)
{
	static const char *const pairs[][3] = {
		{ "claude", "ANTHROPIC_API_KEY", "api.anthropic.com" },
		{ "codex", "OPENAI_API_KEY", "api.openai.com" },
		{ "gemini", "GEMINI_API_KEY", "generativelanguage.googleapis.com" },
		{ "qwen", "DASHSCOPE_API_KEY", "dashscope.aliyuncs.com" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		(void)setenv(pairs[i][1], "key-0123456789abcdefghij", 1);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		secret_specs specs = { 0 };
		const struct known_keys k = { .agent = pairs[i][0] };
		const struct secret_spec *s = known(&specs, &k, pairs[i][1]);

		assert_int_equal(specs.len, 1);
		assert_string_equal(s->hosts.items[0].host, pairs[i][2]);
		assert_string_equal(s->variable, pairs[i][1]);
		secret_specs_done(&specs);
	}
	{
		secret_specs specs = { 0 };
		const struct known_keys k = { .agent = "opencode" };

		known_keys_add(&specs, &k);
		assert_int_equal(specs.len, ARRAY_SIZE(pairs));
		secret_specs_done(&specs);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		(void)unsetenv(pairs[i][1]);
}

static void known_keys_follow_flags(void **state)
{
	secret_specs specs = { 0 };
	struct environment given = { 0 };
	struct known_keys k = { .agent = "bash", .given = &given };

	(void)state;
	assert_null(known(&specs, &k, "ANTHROPIC_API_KEY"));
	(void)setenv("ANTHROPIC_API_KEY", "key-0123456789abcdefghij", 1);
	assert_null(known(&specs, &k, "ANTHROPIC_API_KEY"));
	/* -e KEY=VALUE */
	environment_set(&given, "ANTHROPIC_API_KEY", "another");
	k.agent = "claude";
	assert_null(known(&specs, &k, "ANTHROPIC_API_KEY"));
	/* -e KEY, and where the agent is led to */
	environment_set(&given, "ANTHROPIC_API_KEY", "key-0123456789abcdefghij");
	environment_set(&given, "ANTHROPIC_BASE_URL", "http://localhost.test:4000/v1?x");
	k.agent = "bash";
	assert_non_null(known(&specs, &k, "ANTHROPIC_API_KEY"));
	assert_int_equal(specs.items[0].hosts.len, 2);
	assert_string_equal(specs.items[0].hosts.items[1].host, "localhost.test");
	assert_int_equal(specs.items[0].hosts.items[1].port, 4000);
	assert_true(specs.items[0].hosts.items[1].is_clear);
	/* One that is named by the user is his. */
	known_keys_add(&specs, &k);
	assert_int_equal(specs.len, 1);
	(void)unsetenv("ANTHROPIC_API_KEY");
	environment_done(&given);
	secret_specs_done(&specs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(placeholders_keep_the_outline),
		cmocka_unit_test(hexadecimal_stays_so),
		cmocka_unit_test(what_cannot_be_told_apart_is_refused),
		cmocka_unit_test(a_secret_is_parsed),
		cmocka_unit_test(variables_and_ports_have_defaults),
		cmocka_unit_test(mistakes_are_refused_and_not_repeated),
		cmocka_unit_test(sources_are_read),
		cmocka_unit_test(nothing_of_a_value_stays_in_an_environment),
		cmocka_unit_test(known_keys_go_to_their_providers),
		cmocka_unit_test(known_keys_follow_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
