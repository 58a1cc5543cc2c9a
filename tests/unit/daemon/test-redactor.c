#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "daemon/placeholder.h"
#include "daemon/redactor.h"
#include "proxy/needles.h"

#define ONE "tok_Zq8Lm2Xc7Vb4Nn1Kj6Hh"
/* The first is how this one begins. */
#define LONGER ONE "-and0more1here2to3read"
/* Begins within the end of the first. */
#define ACROSS "Nn1Kj6Hh+5gT/9wEr3yUi2oP"
#define HOOK "https://hooks.test/T0/B1%2f?k=a&b=cDeFgHiJ"

static void add(secret_specs *specs, const char *name, const char *value)
{
	struct secret_spec s = { .name = xstrdup(name) };

	assert_int_equal(secret_copy(span_of(value), &s.value), 0);
	assert_int_equal(placeholder_make(span_of(value), &s.placeholder, NULL), 0);
	vec_push(specs, s);
}

static struct redactor *make_with(const char *name, const char *value)
{
	secret_specs specs = { 0 };
	struct redactor *r;

	add(&specs, "ONE", ONE);
	add(&specs, "LONGER", LONGER);
	add(&specs, name, value);
	assert_int_equal(redactor_new(&specs, &r, NULL), 0);
	assert_non_null(r);
	/* As the daemon does once the proxy has them. */
	secret_specs_wipe(&specs);
	secret_specs_done(&specs);
	return r;
}

static struct redactor *make(void)
{
	return make_with("HOOK", HOOK);
}

static void expect(struct redactor *r, struct span text, struct span wanted)
{
	struct event e = { .kind = EVENT_PROC_EXEC, .argv = text };

	redactor_clean_event(r, &e);
	if (!span_eq(e.argv, wanted))
		fail_msg("%.*s became %.*s, not %.*s", SPAN_ARG(text), SPAN_ARG(e.argv),
			 SPAN_ARG(wanted));
	assert_int_equal(e.is_redacted, !span_eq(text, wanted));
}

#define EXPECT(text, wanted) expect(r, SPAN(text), SPAN(wanted))

static void values_become_names(void **state)
{
	struct redactor *r = make();

	(void)state;
	EXPECT(ONE, "[secret ONE]");
	EXPECT("--key=" ONE, "--key=[secret ONE]");
	EXPECT(ONE ".txt", "[secret ONE].txt");
	EXPECT("a " ONE " b " ONE " c", "a [secret ONE] b [secret ONE] c");
	EXPECT(ONE ONE, "[secret ONE][secret ONE]");
	EXPECT("tok_" ONE, "tok_[secret ONE]");
	EXPECT(HOOK, "[secret HOOK]");
	/* As a name of a host has it. */
	EXPECT("tok_zq8lm2xc7vb4nn1kj6hh.test", "[secret ONE].test");
	redactor_free(r);
}

static void values_that_overlap(void **state)
{
	struct redactor *r = make_with("ACROSS", ACROSS);

	(void)state;
	EXPECT(LONGER, "[secret LONGER]");
	EXPECT(ONE "-and0more1", "[secret ONE]-and0more1");
	EXPECT("x" ONE "+5gT/9wEr3yUi2oPx", "x[secret ONE][secret ACROSS]x");
	EXPECT(ONE "+5gT/9wEr3yUi2o", "[secret ONE][secret ACROSS]");
	EXPECT(ACROSS ONE, "[secret ACROSS][secret ONE]");
	/* One that is seen only when the text is decoded, and the beginning of one that is not. */
	EXPECT("tok%5fZq8Lm2Xc7Vb4Nn1Kj6Hh", "[secret ONE]");
	EXPECT("Nn1Kj6Hh%2B5gT%2f9wEr3yUi2oP", "[secret ACROSS]");
	EXPECT("tok%5fZq8Lm2Xc7Vb4Nn1Kj6Hh%2B5gT/9wEr3yUi2oP", "[secret ONE][secret ACROSS]");
	redactor_free(r);
}

static void arguments_are_apart(void **state)
{
	struct redactor *r = make();

	(void)state;
	EXPECT("curl\0-H\0" ONE "\0x", "curl\0-H\0[secret ONE]\0x");
	EXPECT(ONE "\0" ONE, "[secret ONE]\0[secret ONE]");
	/* Nothing of a value is in either. */
	EXPECT("tok_\0Zq8Lm2Xc7Vb4Nn1Kj6Hh", "tok_\0Zq8Lm2Xc7Vb4Nn1Kj6Hh");
	EXPECT("\0\0\0\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\0\0\0");
	redactor_free(r);
}

static void what_is_cut_off_is_found(void **state)
{
	struct redactor *r = make();
	struct span all = SPAN("echo\0" ONE);

	(void)state;
	for (size_t len = 5 + 4 + NEEDLE_CUT_MIN; len < all.len; len++)
		expect(r, span_make(all.p, len), SPAN("echo\0[secret ONE]"));
	/* What anybody sees of the placeholder says nothing. */
	EXPECT("echo\0tok_", "echo\0tok_");
	EXPECT("tok_Zq8Lm2Xc7V b", "tok_Zq8Lm2Xc7V b");
	redactor_free(r);
}

static void every_field_is_looked_at(void **state)
{
	struct redactor *r = make();
	struct event e = { .kind = EVENT_HTTP_REQUEST };

	(void)state;
	for (size_t i = 0; i < EVENT_N_TEXTS; i++)
		*event_text(&e, i) = SPAN("<" ONE ">");
	redactor_clean_event(r, &e);
	assert_true(e.is_redacted);
	for (size_t i = 0; i < EVENT_N_TEXTS; i++)
		assert_true(span_eq_str(*event_text(&e, i), "<[secret ONE]>"));
	/* Parts of it in neighbours are none. */
	e = (struct event){ .path = span_make(ONE, 12), .target = span_make(&ONE[12], 12) };
	redactor_clean_event(r, &e);
	assert_true(span_eq_str(e.path, "[secret ONE]"));
	assert_true(span_eq_str(e.target, &ONE[12]));
	redactor_free(r);
}

static void what_holds_none_is_left_alone(void **state)
{
	struct redactor *r = make();
	struct event e = { .path = SPAN("/usr/lib/tok_/100%/a%zz/x%"), .argv = SPAN("a\0tok_x") };
	const struct event before = e;
	char *text = redactor_clean_text(r, "tok_not-a-secret");

	(void)state;
	redactor_clean_event(r, &e);
	assert_false(e.is_redacted);
	assert_ptr_equal(e.path.p, before.path.p);
	assert_ptr_equal(e.argv.p, before.argv.p);
	assert_string_equal(text, "tok_not-a-secret");
	xfree(text);
	redactor_free(r);
}

/* ---- Other forms ---- */

/* In the middle, at the end, and without its last bytes. */
static void expect_form(struct redactor *r, struct span coded, size_t n_shown)
{
	_cleanup_free_ char *text = xasprintf("--x=%.*s y", SPAN_ARG(coded));
	struct event e = { .path = span_of(text) };

	for (size_t cut = 0; cut <= 4; cut++) {
		e = (struct event){ .path = span_make(text, strlen(text) - (cut ? 1 + cut : 0)) };
		redactor_clean_event(r, &e);
		assert_true(e.is_redacted);
		if (!memmem(e.path.p, e.path.len, "[secret ONE]", 12))
			fail_msg("%.*s", SPAN_ARG(e.path));
		assert_in_range(e.path.len, 12, 12 + 4 + 2 + n_shown);
	}
}

static void coded_values_are_found(void **state)
{
	struct redactor *r = make();
	char coded[128], percent[256];

	(void)state;
	for (size_t n = 0; n < 3; n++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%.*s%s", (int)n, "abc", ONE);
		base64_encode(span_of(text), coded);
		/* Letters that the bytes around belong to as well, and padding. */
		expect_form(r, span_make(coded, BASE64_LEN(strlen(text))), 6);
	}
	for (size_t i = 0; i < strlen(ONE); i++)
		(void)snprintf(coded + 2 * i, 3, "%02x", (unsigned char)ONE[i]);
	expect_form(r, span_of(coded), 1);
	for (size_t i = 0; i < strlen(ONE); i++) {
		(void)snprintf(coded + 2 * i, 3, "%02X", (unsigned char)ONE[i]);
		(void)snprintf(percent + 3 * i, 4, "%%%02x", (unsigned char)ONE[i]);
	}
	expect_form(r, span_of(coded), 1);
	expect_form(r, span_of(percent), 2);
	redactor_free(r);
}

static void percent_encoding_in_part(void **state)
{
	struct redactor *r = make();

	(void)state;
	EXPECT("tok%5fZq8Lm2Xc7Vb4Nn1Kj6Hh", "[secret ONE]");
	EXPECT("/a%20b/%74ok_Zq8Lm2Xc7Vb4Nn1Kj6H%68/%c3%a9", "/a%20b/[secret ONE]/%c3%a9");
	/* The value's own escape is one or is text. */
	EXPECT("x" HOOK "x", "x[secret HOOK]x");
	EXPECT("https%3A%2F%2Fhooks.test%2FT0%2FB1%252f%3Fk%3Da%26b%3DcDeFgHiJ", "[secret HOOK]");
	EXPECT(ONE "%74ok_Zq8Lm2Xc7Vb4Nn1Kj6Hh", "[secret ONE][secret ONE]");
	EXPECT("a\0%74ok_Zq8Lm2Xc7V%6\0b%", "a\0[secret ONE]%6\0b%");
	redactor_free(r);
}

/* ---- Much of it ---- */

static void long_texts_of_nothing_else(void **state)
{
	struct redactor *r = make();
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct event e = { 0 };
	size_t n = 3000;

	(void)state;
	for (int round = 0; round < 3; round++) {
		buf_reset(&text);
		for (size_t i = 0; i < n; i++)
			(void)buf_append_str(&text, ONE);
		for (size_t i = 0; i < EVENT_N_TEXTS; i++)
			*event_text(&e, i) = buf_span(&text);
		redactor_clean_event(r, &e);
		for (size_t i = 0; i < EVENT_N_TEXTS; i++)
			assert_int_equal(event_text(&e, i)->len, n * strlen("[secret ONE]"));
	}
	/* Nothing but beginnings, each of which is looked at. */
	buf_reset(&text);
	for (size_t i = 0; i < 1000000; i++)
		(void)buf_append_str(&text, "tok_%74");
	e = (struct event){ .path = buf_span(&text) };
	redactor_clean_event(r, &e);
	assert_false(e.is_redacted);
	buf_reset(&text);
	/* More than there is room for is not told at all. */
	for (size_t i = 0; i < 400000; i++)
		(void)buf_append_str(&text, ONE);
	e = (struct event){ .path = buf_span(&text) };
	redactor_clean_event(r, &e);
	assert_true(span_eq_str(e.path, "[secret]"));
	redactor_free(r);
}

static void without_secrets_there_is_none(void **state)
{
	secret_specs specs = { 0 };
	struct redactor *r = NULL;
	char *text;

	(void)state;
	assert_int_equal(redactor_new(&specs, &r, NULL), 0);
	assert_null(r);
	assert_int_equal(redactor_new(NULL, &r, NULL), 0);
	assert_null(r);
	text = redactor_clean_text(NULL, ONE);
	assert_string_equal(text, ONE);
	xfree(text);
}

/* As many as a session may have. */
static void many_secrets(void **state)
{
	secret_specs specs = { 0 };
	struct redactor *r;

	(void)state;
	for (unsigned i = 0; i < LIMIT_SECRETS; i++) {
		_cleanup_free_ char *name = xasprintf("S%u", i);
		_cleanup_free_ char *value = xasprintf("sk-%02u-Zq8Lm2Xc7Vb4Nn1Kj6Hh%u", i, i);

		add(&specs, name, value);
	}
	assert_int_equal(redactor_new(&specs, &r, NULL), 0);
	secret_specs_done(&specs);
	for (unsigned i = 0; i < LIMIT_SECRETS; i++) {
		_cleanup_free_ char *text = xasprintf("a sk-%02u-Zq8Lm2Xc7Vb4Nn1Kj6Hh%u b", i, i);
		_cleanup_free_ char *wanted = xasprintf("a [secret S%u] b", i);

		expect(r, span_of(text), span_of(wanted));
	}
	redactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_become_names),
		cmocka_unit_test(values_that_overlap),
		cmocka_unit_test(arguments_are_apart),
		cmocka_unit_test(what_is_cut_off_is_found),
		cmocka_unit_test(every_field_is_looked_at),
		cmocka_unit_test(what_holds_none_is_left_alone),
		cmocka_unit_test(coded_values_are_found),
		cmocka_unit_test(percent_encoding_in_part),
		cmocka_unit_test(long_texts_of_nothing_else),
		cmocka_unit_test(without_secrets_there_is_none),
		cmocka_unit_test(many_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
