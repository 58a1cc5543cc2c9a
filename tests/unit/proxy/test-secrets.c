#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/base64.h"
#include "proxy/scrub.h"
#include "proxy/secrets.h"

#define REAL "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6Hh"
#define FAKE "sk-ant-api03-Ab1Cd2Ef3Gh4Ij5Kl6Mn"
#define REAL2 "ghp_0123456789abcdefABCDEF"
#define FAKE2 "ghp_9876543210fedcbaFEDCBA"
/* The first is how this one begins. */
#define REAL3 REAL "-and0more1here2to3read"
#define FAKE3 FAKE "-xyz9xyzw8abcd7ef6ghij"

static struct secret_rule rule(const char *name, const char *value, const char *placeholder)
{
	return (struct secret_rule){ .name = span_of(name),
				     .value = span_of(value),
				     .placeholder = span_of(placeholder),
				     .places = { { SPAN("api.test"), 443, false } },
				     .n_places = 1 };
}

static int add_rule(struct secrets *s, const struct secret_rule *r)
{
	_cleanup_buf_ struct buf message = BUF_INIT(0);
	struct secret_rule again;

	/* As it comes from the daemon. */
	assert_int_equal(secret_rule_write(r, &message), 0);
	assert_int_equal(secret_rule_read(buf_span(&message), &again), 0);
	return secrets_add(s, &again, NULL);
}

static struct secrets *make(void)
{
	struct secrets *s = secrets_new();
	struct secret_rule r = rule("KEY", REAL, FAKE);

	assert_int_equal(add_rule(s, &r), 0);
	r = rule("TOKEN", REAL2, FAKE2);
	r.places[r.n_places++] = (struct secret_place){ SPAN("*.wild.test"), 8443, false };
	r.places[r.n_places++] = (struct secret_place){ SPAN("clear.test"), 80, true };
	r.path = SPAN("/v1/");
	r.header = SPAN("authorization");
	assert_int_equal(add_rule(s, &r), 0);
	return s;
}

static const struct secrets_destination api = { SPAN("api.test"), 443, true, SPAN("/v1/x") };

/* ---- Requests ---- */

static const char *value_of(const struct http_head *h, const char *name)
{
	static char text[512];
	const struct http_field *f = http_field_find(h, name);

	if (!f)
		return "";
	assert_true(f->value.len < sizeof(text));
	memcpy(text, f->value.p, f->value.len);
	text[f->value.len] = 0;
	return text;
}

static enum secrets_outcome put_in(const struct secrets *s, const struct secrets_destination *to,
				   const char *name, const char *value, struct secrets_edit *edit)
{
	const struct http_field fields[] = { { SPAN("accept"), SPAN("*/*") },
					     { SPAN("accept-encoding"), SPAN("gzip") },
					     { span_of(name), span_of(value) } };
	const struct http_head head = { .method = SPAN("GET"),
					.target = SPAN("/v1/x?y=1"),
					.minor = 1,
					.fields = fields,
					.n_fields = 3 };

	return secrets_put_in(s, to, &head, edit);
}

static void expect(const char *name, const char *value, const char *wanted)
{
	struct secrets *s = make();
	struct secrets_edit edit = { 0 };

	assert_int_equal(put_in(s, &api, name, value, &edit), SECRETS_PUT_IN);
	assert_string_equal(value_of(&edit.head, name), wanted);
	assert_string_equal(value_of(&edit.head, "accept"), "*/*");
	assert_string_equal(value_of(&edit.head, "accept-encoding"), "identity");
	assert_int_equal(edit.head.n_fields, 3);
	secrets_edit_done(&edit);
	secrets_free(s);
}

static char *basic(const char *text)
{
	char *value = xnew_array(char, 6 + BASE64_LEN(strlen(text)) + 1);

	memcpy(value, "Basic ", 6);
	base64_encode(span_of(text), value + 6);
	return value;
}

static void placeholders_become_secrets(void **state)
{
	(void)state;
	expect("x-api-key", FAKE, REAL);
	expect("authorization", "Bearer " FAKE, "Bearer " REAL);
	expect("authorization", "bearer " FAKE2, "bearer " REAL2);
	expect("authorization", FAKE2, REAL2);
	expect("x-both", FAKE "," FAKE, REAL "," REAL);
	expect("authorization", FAKE " " FAKE2 ";", REAL " " REAL2 ";");
}

static void basic_is_decoded(void **state)
{
	static const char *const users[] = { "u", "us", "use", "", "user@host" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		_cleanup_free_ char *fake = xasprintf("%s:%s", users[i], FAKE);
		_cleanup_free_ char *real = xasprintf("%s:%s", users[i], REAL);
		_cleanup_free_ char *coded = basic(fake);
		_cleanup_free_ char *wanted = basic(real);

		expect("authorization", coded, wanted);
		/* Without padding, and in other letters. */
		coded[strcspn(coded, "=")] = wanted[strcspn(wanted, "=")] = 0;
		memcpy(coded, "bASIC", 5);
		memcpy(wanted, "bASIC", 5);
		expect("authorization", coded, wanted);
	}
}

static void expect_outcome(const struct secrets_destination *to, const char *name,
			   const char *value, enum secrets_outcome wanted)
{
	struct secrets *s = make();
	struct secrets_edit edit = { 0 };

	assert_int_equal(put_in(s, to, name, value, &edit), wanted);
	if (wanted == SECRETS_REFUSED) {
		assert_true(edit.refused_name.len);
		assert_non_null(edit.why);
	}
	secrets_edit_done(&edit);
	secrets_free(s);
}

static void other_destinations_are_refused(void **state)
{
	_cleanup_free_ char *coded = basic("user:" FAKE);
	static const struct secrets_destination wrong[] = {
		{ SPAN("evil.test"), 443, true, SPAN("/v1/x") },
		{ SPAN("api.test.evil.test"), 443, true, SPAN("/v1/x") },
		{ SPAN("xapi.test"), 443, true, SPAN("/v1/x") },
		{ SPAN("a.api.test"), 443, true, SPAN("/v1/x") },
		{ SPAN(""), 443, true, SPAN("/v1/x") },
		{ SPAN("api.test"), 8443, true, SPAN("/v1/x") },
		{ SPAN("api.test"), 443, false, SPAN("/v1/x") },
		{ SPAN("api.test"), 80, false, SPAN("/v1/x") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		expect_outcome(&wrong[i], "x-api-key", FAKE, SECRETS_REFUSED);
		expect_outcome(&wrong[i], "authorization", "Bearer " FAKE, SECRETS_REFUSED);
		expect_outcome(&wrong[i], "authorization", coded, SECRETS_REFUSED);
		expect_outcome(&wrong[i], "x-other", "nothing", SECRETS_NONE);
	}
	expect_outcome(&api, "x-other", "nothing", SECRETS_NONE);
	expect_outcome(&api, "x-other", REAL, SECRETS_NONE);
	expect_outcome(&api, "authorization", "Basic !!!!", SECRETS_NONE);
}

static void paths_and_headers_are_kept_to(void **state)
{
	static const char *const bad[] = { "/",		"/v1x",	   "/v2",      "/v",
					   "*",		"//v1/x",  "/v1/%2Fx", "/v1/..%2Fadmin",
					   "/v1/%252e", "/v1/%5Cx" };
	struct secrets_destination to = api;

	(void)state;
	expect_outcome(&api, "x-api-key", FAKE2, SECRETS_REFUSED);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		to.path = span_of(bad[i]);
		expect_outcome(&to, "authorization", FAKE2, SECRETS_REFUSED);
	}
	to.path = SPAN("/v1");
	expect_outcome(&to, "authorization", FAKE2, SECRETS_PUT_IN);
	to.path = SPAN("/v1/");
	expect_outcome(&to, "authorization", FAKE2, SECRETS_PUT_IN);
}

static void wildcards_ports_and_clear_http(void **state)
{
	static const struct {
		struct secrets_destination to;
		enum secrets_outcome wanted;
	} cases[] = {
		{ { SPAN("a.wild.test"), 8443, true, SPAN("/v1") }, SECRETS_PUT_IN },
		{ { SPAN("a.b.wild.test"), 8443, true, SPAN("/v1") }, SECRETS_PUT_IN },
		{ { SPAN("wild.test"), 8443, true, SPAN("/v1") }, SECRETS_REFUSED },
		{ { SPAN(".wild.test"), 8443, true, SPAN("/v1") }, SECRETS_REFUSED },
		{ { SPAN("xwild.test"), 8443, true, SPAN("/v1") }, SECRETS_REFUSED },
		{ { SPAN("a.wild.test"), 443, true, SPAN("/v1") }, SECRETS_REFUSED },
		{ { SPAN("clear.test"), 80, false, SPAN("/v1") }, SECRETS_PUT_IN },
		{ { SPAN("clear.test"), 80, true, SPAN("/v1") }, SECRETS_REFUSED },
		{ { SPAN("clear.test"), 81, false, SPAN("/v1") }, SECRETS_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_outcome(&cases[i].to, "authorization", FAKE2, cases[i].wanted);
}

static void targets_are_refused(void **state)
{
	struct secrets *s = make();
	struct secrets_edit edit = { 0 };
	const struct http_head head = { .method = SPAN("GET"), .target = SPAN("/v1/x?key=" FAKE) };

	(void)state;
	assert_int_equal(secrets_put_in(s, &api, &head, &edit), SECRETS_REFUSED);
	assert_true(span_eq(edit.refused_name, SPAN("KEY")));
	secrets_edit_done(&edit);
	secrets_free(s);
}

static void uses_are_names(void **state)
{
	struct secrets *s = make();
	struct secrets_edit edit = { 0 };

	(void)state;
	assert_int_equal(put_in(s, &api, "authorization", FAKE FAKE FAKE2, &edit), SECRETS_PUT_IN);
	assert_int_equal(edit.n_uses, 2);
	assert_true(span_eq(edit.uses[0].name, SPAN("KEY")));
	assert_true(span_eq(edit.uses[1].name, SPAN("TOKEN")));
	assert_true(span_eq(edit.uses[1].header, SPAN("authorization")));
	secrets_edit_done(&edit);
	secrets_free(s);
}

static void nothing_is_done_without_secrets(void **state)
{
	struct secrets *s = secrets_new();
	struct secrets_edit edit = { 0 };
	struct scrub scrub = { .needles = secrets_values(s) };
	const struct span text = SPAN("sk-ant-api03-anything");
	struct span out;

	(void)state;
	assert_int_equal(put_in(s, &api, "x-api-key", FAKE, &edit), SECRETS_NONE);
	assert_null(edit.fields);
	assert_int_equal(scrub_feed(&scrub, text, &out), 0);
	assert_ptr_equal(out.p, text.p);
	assert_null(scrub.held.data);
	secrets_free(s);
}

/*
 * A stream of events need not be read to pass each on at once: an event ends with a
 * line's end, which no secret has, so nothing of it is held back whatever its text
 * ends with.
 */
static void events_are_not_delayed(void **state)
{
	static const char *const ends[] = { "\n\n", "\r\n\r\n", "\r\r" };
	struct secrets *s = make();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		for (size_t len = 1; len < sizeof(REAL); len++) {
			_cleanup_(scrub_done) struct scrub scrub = { .needles = secrets_values(s) };
			_cleanup_free_ char *event =
				xasprintf("data: %.*s%s", (int)len, REAL, ends[i]);
			size_t n_told = 0;

			for (size_t at = 0; event[at]; at++) {
				struct span out;

				assert_int_equal(scrub_feed(&scrub, span_make(event + at, 1), &out),
						 0);
				n_told += out.len;
			}
			assert_int_equal(n_told, strlen(event));
		}
	secrets_free(s);
}

/* What Connection names is not sent on, and cannot take away what is put in. */
static void connection_takes_nothing_away(void **state)
{
	const struct http_field fields[] = {
		{ SPAN("connection"), SPAN("x-api-key, accept-encoding, upgrade, x-junk") },
		{ SPAN("upgrade"), SPAN("websocket") },
		{ SPAN("sec-websocket-extensions"), SPAN("permessage-deflate") },
		{ SPAN("x-junk"), SPAN("1") },
		{ SPAN("authorization"), SPAN(FAKE) },
	};
	const struct http_head head = { .method = SPAN("GET"),
					.target = SPAN("/"),
					.minor = 1,
					.fields = fields,
					.n_fields = ARRAY_SIZE(fields) };
	struct secrets *s = make();
	struct secrets_edit edit = { 0 };

	(void)state;
	assert_int_equal(secrets_put_in(s, &api, &head, &edit), SECRETS_PUT_IN);
	assert_string_equal(value_of(&edit.head, "connection"), "upgrade");
	assert_string_equal(value_of(&edit.head, "authorization"), REAL);
	assert_null(http_field_find(&edit.head, "x-junk"));
	assert_null(http_field_find(&edit.head, "sec-websocket-extensions"));
	secrets_edit_done(&edit);
	secrets_free(s);
}

/* ---- Instructions ---- */

static void instruct(struct secrets *s, const char *value)
{
	static struct secrets_instruction in;

	in = (struct secrets_instruction){ SPAN("user:policy0"), SPAN("api.test"), 443,
					   SPAN("authorization"), span_of(value) };
	assert_int_equal(secrets_instruct(s, &in, 1, NULL), 0);
}

static void instructions_set_headers(void **state)
{
	static const char *const pairs[][2] = {
		{ "Bearer ${secret:KEY}", "Bearer " REAL },
		{ "${secret:KEY}${secret:TOKEN}", REAL REAL2 },
		{ "token literal-0123456", "token literal-0123456" },
		{ "${secret:KEY", "${secret:KEY" },
		{ "$${secret:KEY}}", "$" REAL "}" },
	};
	struct secrets *s = make();
	struct secrets_edit edit = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		instruct(s, pairs[i][0]);
		assert_int_equal(put_in(s, &api, "authorization", "Bearer of-the-agent", &edit),
				 SECRETS_PUT_IN);
		assert_string_equal(value_of(&edit.head, "authorization"), pairs[i][1]);
		assert_int_equal(edit.head.n_fields, 3);
		assert_int_equal(put_in(s, &api, "x-other", "y", &edit), SECRETS_PUT_IN);
		assert_string_equal(value_of(&edit.head, "authorization"), pairs[i][1]);
		assert_int_equal(edit.head.n_fields, 4);
	}
	secrets_edit_done(&edit);
	secrets_free(s);
}

static void instructions_keep_to_their_host(void **state)
{
	static const struct secrets_destination wrong[] = {
		{ SPAN("evil.test"), 443, true, SPAN("/") },
		{ SPAN("api.test"), 444, true, SPAN("/") },
		{ SPAN("api.test"), 443, false, SPAN("/") },
	};
	struct secrets *s = make();
	struct secrets_edit edit = { 0 };

	(void)state;
	instruct(s, "Bearer ${secret:KEY}");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(put_in(s, &wrong[i], "x-other", "y", &edit), SECRETS_NONE);
	instruct(s, "Bearer ${secret:MISSING}");
	assert_int_equal(put_in(s, &api, "x-other", "y", &edit), SECRETS_REFUSED);
	assert_true(span_eq(edit.refused_name, SPAN("MISSING")));
	assert_int_equal(secrets_instruct(s, NULL, 0, NULL), 0);
	assert_int_equal(put_in(s, &api, "x-other", "y", &edit), SECRETS_NONE);
	secrets_edit_done(&edit);
	secrets_free(s);
}

/* ---- Responses ---- */

/* In pieces of that size, all of them one after the other. */
static void expect_scrubbed_in(const struct needles *n, size_t piece, struct span text,
			       struct span wanted)
{
	_cleanup_(scrub_done) struct scrub scrub = { .needles = n };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct span some;

	for (size_t at = 0; at < text.len; at += piece) {
		assert_int_equal(scrub_feed(&scrub,
					    span_make(text.p + at, MIN(piece, text.len - at)),
					    &some),
				 0);
		(void)buf_append_span(&out, some);
		assert_true(out.len + scrub.held.len <= text.len + scrub.n_told);
	}
	assert_int_equal(scrub_finish(&scrub, &some), 0);
	(void)buf_append_span(&out, some);
	assert_int_equal(out.len, wanted.len);
	assert_memory_equal(out.data, wanted.p, wanted.len);
}

static void expect_scrubbed(const struct needles *n, const char *text, const char *wanted)
{
	struct span in = span_of(text), out = span_of(wanted), some;
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);

	for (size_t piece = 1; piece <= in.len; piece++)
		expect_scrubbed_in(n, piece, in, out);
	/* Every split in two. */
	for (size_t at = 0; at <= in.len; at++) {
		_cleanup_(scrub_done) struct scrub scrub = { .needles = n };
		_cleanup_buf_ struct buf got = BUF_INIT(0);

		assert_int_equal(scrub_feed(&scrub, span_make(in.p, at), &some), 0);
		(void)buf_append_span(&got, some);
		assert_int_equal(scrub_feed(&scrub, span_from(in, at), &some), 0);
		(void)buf_append_span(&got, some);
		assert_int_equal(scrub_finish(&scrub, &some), 0);
		(void)buf_append_span(&got, some);
		assert_true(span_eq(buf_span(&got), out));
	}
	assert_int_equal(scrub_text(n, &arena, &in), 0);
	assert_true(span_eq(in, out));
}

static void responses_are_scrubbed(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "nothing here", "nothing here" },
		{ REAL, FAKE },
		{ "a" REAL "b", "a" FAKE "b" },
		{ REAL REAL REAL2 REAL, FAKE FAKE FAKE2 FAKE },
		{ REAL2 " and " REAL, FAKE2 " and " FAKE },
		/* Beginnings, alone and before the whole. */
		{ "sk-ant-api03-", "sk-ant-api03-" },
		{ "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6H", "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6H" },
		{ "sk-ask-ant-api03-Zq8Lsk-ant" REAL, "sk-ask-ant-api03-Zq8Lsk-ant" FAKE },
		{ "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6H!" REAL,
		  "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6H!" FAKE },
		{ "sssssssssk-" REAL "s", "sssssssssk-" FAKE "s" },
		{ FAKE, FAKE },
		/* One that begins another. */
		{ REAL3 " " REAL " " REAL3, FAKE3 " " FAKE " " FAKE3 },
		{ REAL "-and0more1here2to3rea", FAKE "-and0more1here2to3rea" },
	};
	struct secrets *s = make();
	struct secret_rule third = rule("LONG", REAL3, FAKE3);

	(void)state;
	assert_int_equal(add_rule(s, &third), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		expect_scrubbed(secrets_values(s), pairs[i][0], pairs[i][1]);
	secrets_free(s);
}

/* However what goes before it shifts the letters. Those at its ends have bits of their neighbours.
 */
static void base64_is_scrubbed(void **state)
{
	static const char *const before[] = { "", "u", "u:", "us:", "user:" };
	struct secrets *s = make();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		_cleanup_free_ char *real = xasprintf("%s%s;", before[i], REAL);
		_cleanup_free_ char *coded = basic(real);
		_cleanup_(scrub_done) struct scrub scrub = { .needles = secrets_values(s) };
		char plain[128];
		struct span out;
		int n;

		assert_int_equal(scrub_feed(&scrub, span_of(coded + 6), &out), 0);
		n = base64_decode(out, plain);
		assert_int_equal(n, strlen(real));
		/* All but what the first letters and the last hold of it. */
		assert_null(memmem(plain, (size_t)n, "Zq8Lm2Xc7Vb4Nn1Kj6", 18));
		assert_non_null(memmem(plain, (size_t)n, "Ab1Cd2Ef3Gh4Ij5Kl6", 18));
	}
	secrets_free(s);
}

static void swap(char *text, char from, char to)
{
	for (; *text; text++)
		*text = *text == from ? to : *text;
}

static void base64url_is_scrubbed(void **state)
{
	static const char real[] = "tok_~?~>?~?>~>Zq8Lm2Xc7Vb4~?>",
			  fake[] = "tok_~?~>?~?>~>Ab1Cd2Ef3Gh4~?>";
	struct secrets *s = make();
	struct secret_rule more = rule("URL", real, fake);

	(void)state;
	assert_int_equal(add_rule(s, &more), 0);
	for (size_t n_before = 0; n_before < 3; n_before++) {
		_cleanup_free_ char *text = xasprintf("%.*s%s;", (int)n_before, "uv", real);
		_cleanup_free_ char *coded = basic(text);
		_cleanup_(scrub_done) struct scrub scrub = { .needles = secrets_values(s) };
		char plain[128];
		struct span out;
		int n;

		assert_non_null(strpbrk(coded + 6, "+/"));
		swap(coded, '+', '-');
		swap(coded, '/', '_');
		assert_int_equal(scrub_feed(&scrub, span_of(coded + 6), &out), 0);
		assert_int_equal(out.len, strlen(coded + 6));
		memcpy(coded + 6, out.p, out.len);
		swap(coded + 6, '-', '+');
		swap(coded + 6, '_', '/');
		n = base64_decode(span_of(coded + 6), plain);
		assert_int_equal(n, strlen(text));
		assert_null(memmem(plain, (size_t)n, "Zq8Lm2Xc7Vb4", 12));
		assert_non_null(memmem(plain, (size_t)n, "Ab1Cd2Ef3Gh4", 12));
	}
	secrets_free(s);
}

static char *in_hex(const char *text, const char *digits)
{
	char *hex = xnew_array(char, 2 * strlen(text) + 1);

	for (size_t i = 0; text[i]; i++) {
		hex[2 * i] = digits[text[i] >> 4];
		hex[2 * i + 1] = digits[text[i] & 15];
	}
	return hex;
}

static void hexadecimal_is_scrubbed(void **state)
{
	static const char *const digits[] = { "0123456789abcdef", "0123456789ABCDEF" };
	struct secrets *s = make();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(digits); i++) {
		_cleanup_free_ char *real = in_hex("a" REAL "b", digits[i]);
		_cleanup_free_ char *fake = in_hex("a" FAKE "b", digits[i]);

		expect_scrubbed(secrets_values(s), real, fake);
	}
	secrets_free(s);
}

/* As a server repeats it that takes it for a host, or for a field's name. */
static void small_letters_are_scrubbed(void **state)
{
	struct secrets *s = make();

	(void)state;
	expect_scrubbed(secrets_values(s), "x sk-ant-api03-zq8lm2xc7vb4nn1kj6hh.test",
			"x sk-ant-api03-ab1cd2ef3gh4ij5kl6mn.test");
	secrets_free(s);
}

/*
 * An agent that has a server send guesses must not learn from what is held back
 * how far a guess is right.
 */
static void holding_back_tells_nothing(void **state)
{
	struct secrets *s = make();

	(void)state;
	for (size_t len = 1; len < strlen(REAL); len++) {
		_cleanup_(scrub_done) struct scrub right = { .needles = secrets_values(s) };
		_cleanup_(scrub_done) struct scrub wrong = { .needles = secrets_values(s) };
		_cleanup_free_ char *guess = xmemdup0(FAKE, len);
		struct span a, b;

		assert_int_equal(scrub_feed(&right, span_make(REAL, len), &a), 0);
		assert_int_equal(scrub_feed(&wrong, span_of(guess), &b), 0);
		assert_int_equal(a.len, b.len);
		assert_true(a.len >= MIN(len, NEEDLE_COMMON));
	}
	secrets_free(s);
}

static void literals_are_scrubbed(void **state)
{
	struct secrets *s = secrets_new();

	(void)state;
	instruct(s, "Bearer literal-0Aa3456");
	expect_scrubbed(secrets_values(s), "x literal-0Aa3456 Bearer", "x litexxx-0Xx0000 Bearer");
	instruct(s, "short");
	expect_scrubbed(secrets_values(s), "short literal-0Aa3456", "short literal-0Aa3456");
	secrets_free(s);
}

static void fields_are_scrubbed(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(4096);
	struct http_field fields[] = { { SPAN("x-" REAL2), SPAN("a " REAL) },
				       { SPAN("b"), SPAN("c") } };
	struct secrets *s = make();

	(void)state;
	assert_int_equal(scrub_fields(secrets_values(s), &arena, fields, 2), 0);
	assert_true(span_eq_str(fields[0].name, "x-" FAKE2));
	assert_true(span_eq_str(fields[0].value, "a " FAKE));
	assert_true(span_eq_str(fields[1].value, "c"));
	secrets_free(s);
}

/* ---- What is no secret ---- */

static void bad_rules_are_refused(void **state)
{
	struct secrets *s = make();
	struct secret_rule bad[] = {
		rule("KEY", REAL, FAKE),				   /* there already */
		rule("A", REAL, REAL "x"),				   /* of another length */
		rule("B", "abcdefghijklmnopqrst", "xbcdefghijklmnopqrst"), /* another beginning */
		rule("C", "abcd1fghijklmnopqrst", "abcdefghijklmnopqrst"), /* another outline */
		rule("D", "abcd\nfghijklmnopqrst", "abcd\nfghijklmnopqrsu"),
		rule("E", "abc", "abc"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(secrets_add(s, &bad[i], NULL), -EINVAL);
	secrets_free(s);
}

static void damaged_messages_are_refused(void **state)
{
	struct secret_rule r = rule("KEY", REAL, FAKE), again;
	_cleanup_buf_ struct buf message = BUF_INIT(0);

	(void)state;
	assert_int_equal(secret_rule_write(&r, &message), 0);
	for (size_t len = 0; len < message.len; len++)
		assert_int_equal(secret_rule_read(span_make(message.data, len), &again), -EBADMSG);
	(void)buf_append_char(&message, 0);
	assert_int_equal(secret_rule_read(buf_span(&message), &again), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(placeholders_become_secrets),
		cmocka_unit_test(basic_is_decoded),
		cmocka_unit_test(other_destinations_are_refused),
		cmocka_unit_test(paths_and_headers_are_kept_to),
		cmocka_unit_test(wildcards_ports_and_clear_http),
		cmocka_unit_test(targets_are_refused),
		cmocka_unit_test(uses_are_names),
		cmocka_unit_test(nothing_is_done_without_secrets),
		cmocka_unit_test(events_are_not_delayed),
		cmocka_unit_test(connection_takes_nothing_away),
		cmocka_unit_test(instructions_set_headers),
		cmocka_unit_test(instructions_keep_to_their_host),
		cmocka_unit_test(responses_are_scrubbed),
		cmocka_unit_test(base64_is_scrubbed),
		cmocka_unit_test(base64url_is_scrubbed),
		cmocka_unit_test(hexadecimal_is_scrubbed),
		cmocka_unit_test(small_letters_are_scrubbed),
		cmocka_unit_test(holding_back_tells_nothing),
		cmocka_unit_test(literals_are_scrubbed),
		cmocka_unit_test(fields_are_scrubbed),
		cmocka_unit_test(bad_rules_are_refused),
		cmocka_unit_test(damaged_messages_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
