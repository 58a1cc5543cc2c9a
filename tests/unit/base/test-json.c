#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json-writer.h"
#include "base/json.h"

static int parse(const char *text, struct json **ret, struct arena *a)
{
	return json_parse(a, span_of(text), ret, NULL);
}

static void documents_are_read(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	struct json *j;
	uint64_t n = 0;

	(void)state;
	assert_int_equal(parse(" {\"a\" : [1, -2.5e3, true, null, "
			       "\"x\\u00e4\"],\n\"b\":{\"c\":18446744073709551615}} ",
			       &j, &a),
			 0);
	assert_int_equal(j->type, JSON_OBJECT);
	assert_int_equal(json_get(j, "a")->first->type, JSON_NUMBER);
	assert_true(span_eq_str(json_get(j, "a")->first->next->text, "-2.5e3"));
	assert_false(json_to_uint(json_get(j, "a")->first->next, &n));
	assert_true(json_get(j, "a")->first->next->next->is_true);
	assert_true(json_to_uint(json_get(json_get(j, "b"), "c"), &n));
	assert_true(n == UINT64_MAX);
	assert_null(json_get(j, "c"));
	assert_null(json_get(NULL, "c"));
	assert_int_equal(json_get_string(j, "a").len, 0);
}

/* What json-writer.h writes comes back byte for byte, whatever the bytes are. */
static void all_byte_strings_survive(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		_cleanup_arena_ struct arena a = ARENA_INIT(1 << 16);
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct json_writer w = { .out = &out };
		static const char pool[] = "a\"\\\n\0\x7f\xc2\x9b\xe2\x80\xae\xed\xb3\xbf\xf0\x9f"
					   "\x98\x80\xff\xf3\xa0\x81\x81";
		char text[12];
		struct json *j;

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = pool[(size_t)random() % (sizeof(pool) - 1)];
		json_string(&w, span_make(text, sizeof(text)));
		assert_int_equal(json_parse(&a, buf_span(&out), &j, NULL), 0);
		assert_int_equal(j->text.len, sizeof(text));
		assert_memory_equal(j->text.p, text, sizeof(text));
	}
}

static void assert_bad(const char *text, const char *why)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	struct err err = { 0 };
	struct json *j;

	assert_int_equal(json_parse(&a, span_of(text), &j, &err), -EBADMSG);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" is not in \"%s\"", why, err.text);
}

/* Wherever a character stands in a text, it is written as it is alone. */
static void characters_are_written_alike_everywhere(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		_cleanup_buf_ struct buf alone = BUF_INIT(0);
		struct json_writer w = { .out = &alone };
		char letter = (char)c;

		json_string(&w, span_make(&letter, 1));
		for (size_t at = 0; at < 20; at++) {
			_cleanup_buf_ struct buf in_text = BUF_INIT(0), expected = BUF_INIT(0);
			struct json_writer v = { .out = &in_text };
			char text[20];

			memset(text, 'a', sizeof(text));
			text[at] = letter;
			json_string(&v, span_make(text, sizeof(text)));
			(void)buf_printf(&expected, "\"%.*s%.*s%.*s\"", (int)at,
					 "aaaaaaaaaaaaaaaaaaaa", (int)alone.len - 2, alone.data + 1,
					 (int)(19 - at), "aaaaaaaaaaaaaaaaaaaa");
			assert_string_equal(in_text.data, expected.data);
		}
	}
}

static void mistakes_are_refused(void **state)
{
	(void)state;
	assert_bad("", "byte 0: not a value");
	assert_bad("{\"a\":1,\"a\":2}", "byte 7: the key is there already");
	assert_bad("{\"a\":1,}", "a key must come here");
	assert_bad("[1,]", "not a value");
	assert_bad("[1 2]", "a comma or a closing bracket");
	assert_bad("{\"a\" 1}", "a colon");
	assert_bad("\"a", "without its end");
	assert_bad("\"\\", "an unknown escape");
	assert_bad("\"\\x\"", "an unknown escape");
	assert_bad("\"\\u12g4\"", "four hexadecimal digits");
	assert_bad("\"\\ud800\"", "half of a surrogate pair");
	assert_bad("\"\\ud800\\u0041\"", "half of a surrogate pair");
	assert_bad("\"\\udc00\"", "half of a surrogate pair");
	assert_bad("\"\x01\"", "a control character");
	assert_bad("\"\xff\"", "not UTF-8");
	assert_bad("01", "text after the value");
	assert_bad("-", "not a value");
	assert_bad("1.", "digits must follow");
	assert_bad("1e", "digits must follow");
	assert_bad("nul", "not a value");
	assert_bad("1 x", "byte 2: text after the value");
}

static void limits_hold(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20), small = ARENA_INIT(4096);
	_cleanup_buf_ struct buf members = BUF_INIT(0);
	char deep[JSON_MAX_DEPTH * 2 + 3] = "";
	struct json *j;

	(void)state;
	memset(deep, '[', JSON_MAX_DEPTH + 1);
	memset(deep + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	assert_bad(deep, "nested too deep");
	deep[JSON_MAX_DEPTH * 2 + 1] = 0;
	assert_int_equal(parse(deep + 1, &j, &a), 0);

	for (int i = 0; i <= JSON_MAX_MEMBERS; i++)
		(void)buf_printf(&members, "%s\"%d\":0", i ? "," : "{", i);
	(void)buf_append_char(&members, '}');
	assert_bad(members.data, "too many keys");
	assert_int_equal(json_parse(&small, buf_span(&members), &j, NULL), -ENOMEM);
}

static int parse_with(struct json_options options, struct span text, struct arena *a, size_t *at)
{
	struct json *j;

	return json_parse_with(&options, a, text, &j, at, NULL);
}

static void limits_can_be_wider(void **state)
{
	const struct json_options wide = { .max_depth = 500, .max_members = SIZE_MAX };
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 24);
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	size_t at = 0, second;

	(void)state;
	for (int i = 0; i < 501; i++)
		(void)buf_append_char(&text, '[');
	assert_int_equal(parse_with(wide, buf_span(&text), &a, &at), -EBADMSG);
	assert_int_equal(at, 501);

	buf_reset(&text);
	for (int i = 0; i < 5000; i++)
		(void)buf_printf(&text, "%s\"%d\":0", i ? "," : "{", i);
	second = text.len + 1;
	assert_int_equal(parse_with(wide, buf_span(&text), &a, &at), -EBADMSG);
	(void)buf_append_str(&text, ",\"77\":1}");
	assert_int_equal(parse_with(wide, buf_span(&text), &a, &at), -EBADMSG);
	assert_int_equal(at, second);
	text.data[text.len - 5] = 'x';
	assert_int_equal(parse_with(wide, buf_span(&text), &a, &at), 0);
}

static void lone_surrogates_can_be_refused(void **state)
{
	const struct json_options strict = { .want_only_unicode = true };
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	size_t at;

	(void)state;
	assert_int_equal(parse_with((struct json_options){ 0 }, SPAN("\"\\udcc3\""), &a, &at), 0);
	assert_int_equal(parse_with(strict, SPAN("\"\\udcc3\""), &a, &at), -EBADMSG);
	assert_int_equal(parse_with(strict, SPAN("\"\\udcc3\\udca9\""), &a, &at), -EBADMSG);
	assert_int_equal(parse_with(strict, SPAN("\"\\ud83d\\ude00\""), &a, &at), 0);
}

static void values_know_where_they_are(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	struct span text = SPAN(" { \"a\\n\" : [1, -23] } ");
	struct json *j = NULL;

	(void)state;
	assert_int_equal(json_parse(&a, text, &j, NULL), 0);
	assert_int_equal(j->begin, 1);
	assert_int_equal(j->end, text.len - 1);
	assert_int_equal(j->first->key_begin, 3);
	assert_int_equal(j->first->key_end, 8);
	assert_int_equal(j->first->begin, 11);
	assert_int_equal(j->first->first->next->begin, 15);
	assert_int_equal(j->first->first->next->end, 18);
}

static void integers_are_exact(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
	struct json *j;
	int64_t n = 0;

	(void)state;
	assert_int_equal(json_parse(&a,
				    SPAN("[-9223372036854775808,9223372036854775807,"
					 "-9223372036854775809,9223372036854775808,1.0,1e3]"),
				    &j, NULL),
			 0);
	j = j->first;
	assert_true(json_to_int(j, &n));
	assert_true(n == INT64_MIN);
	j = j->next;
	assert_true(json_to_int(j, &n));
	assert_true(n == INT64_MAX);
	while ((j = j->next))
		assert_false(json_to_int(j, &n));
}

/*
 * jansson, loaded at run time: linked, its json_string() would clash with the
 * writer's. Types and flags as in jansson.h (2.14).
 */
struct jansson_error {
	int line, column, position;
	char source[80], text[160];
};
#define JANSSON_FLAGS ((size_t)0x1 | 0x4) /* JSON_REJECT_DUPLICATES | JSON_DECODE_ANY */
typedef void *(*jansson_loads_fn)(const char *text, size_t flags, struct jansson_error *error);
typedef void (*jansson_delete_fn)(void *value);

/* Mutated documents: we accept exactly what jansson accepts (lone low surrogates aside). */
static void agrees_with_jansson(void **state)
{
	static const char document[] = "{\"seq\":12,\"time\":\"2026\",\"l\":[\"a\\n\",-0.5e+3,{}],"
				       "\"u\":\"\\u00e4\\ud83d\\ude00\",\"t\":true}";
	static const char pool[] = "{}[]\",:\\u0e-+.1 \nntx\xc3";
	void *library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
	jansson_loads_fn loads;
	jansson_delete_fn delete;
	size_t n_accepted = 0;

	(void)state;
	if (!library)
		skip();
	*(void **)&loads = dlsym(library, "json_loads");
	*(void **)&delete = dlsym(library, "json_delete");
	srandom(7);
	for (int round = 0; round < 60000; round++) {
		_cleanup_arena_ struct arena a = ARENA_INIT(1 << 20);
		char text[sizeof(document)];
		struct jansson_error error = { .text = "" };
		void *theirs;
		struct json *ours;
		bool is_ok;

		memcpy(text, document, sizeof(text));
		for (int i = 0; i < 1 + round % 2; i++)
			text[(size_t)random() % (sizeof(text) - 1)] =
				pool[(size_t)random() % (sizeof(pool) - 1)];
		if (strstr(text, "\\u0000"))
			continue;
		theirs = loads(text, JANSSON_FLAGS, &error);
		is_ok = parse(text, &ours, &a) == 0;
		/* jansson reads numbers into doubles and long longs, and refuses what does not fit.
		 */
		if (is_ok != (theirs != NULL) && !strstr(error.text, "too big") &&
		    !strstr(error.text, "overflow") && !strstr(error.text, "too large"))
			fail_msg("%s: we %s, jansson says: %s", text, is_ok ? "accept" : "refuse",
				 error.text);
		n_accepted += is_ok;
		if (theirs)
			delete (theirs);
	}
	assert_true(n_accepted > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_read),
		cmocka_unit_test(all_byte_strings_survive),
		cmocka_unit_test(characters_are_written_alike_everywhere),
		cmocka_unit_test(mistakes_are_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(limits_can_be_wider),
		cmocka_unit_test(lone_surrogates_can_be_refused),
		cmocka_unit_test(values_know_where_they_are),
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(agrees_with_jansson),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
