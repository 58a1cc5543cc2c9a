/*
 * Any bytes as what a server sends and as a header's value, with secrets and
 * placeholders, whole and in part, wherever a byte of the input asks for them.
 * What comes out must not depend on how the stream is split, must be as long, and
 * must hold no secret; a request toward the wrong place must never hold one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "proxy/scrub.h"
#include "proxy/secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_INPUT ((size_t)4096)
/* Bytes from there on stand for a text below, or its beginning. */
#define FIRST_MARK 0xc0

static const char *const values[] = { "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6Hh",
				      "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6Hh-and0more1here2",
				      "abcdabcdabcdabcdabcdabce" };
static const char *const placeholders[] = { "sk-ant-api03-Ab1Cd2Ef3Gh4Ij5Kl6Mn",
					    "sk-ant-api03-Ab1Cd2Ef3Gh4Ij5Kl6Mn-xyz9wxyz8abcd7",
					    "abcdxbcdabcdabcdabcdabcf" };

#define N ARRAY_SIZE(values)

static void require(bool ok)
{
	if (!ok)
		abort();
}

static struct secrets *make(void)
{
	struct secrets *s = secrets_new();

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char name[] = { 'A', (char)('0' + i), 0 };
		const struct secret_rule rule = { .name = span_of(name),
						  .value = span_of(values[i]),
						  .placeholder = span_of(placeholders[i]),
						  .places = { { SPAN("api.test"), 443, false } },
						  .n_places = 1 };

		require(secrets_add(s, &rule, NULL) == 0);
	}
	return s;
}

/* A mark stands for a text, or for some quarters of it. */
static void expand(const uint8_t *data, size_t size, struct buf *out)
{
	for (size_t i = 0; i < MIN(size, MAX_INPUT); i++) {
		const char *text;
		size_t len;

		if (data[i] < FIRST_MARK) {
			(void)buf_append_char(out, (char)data[i]);
			continue;
		}
		text = data[i] & 1 ? placeholders[data[i] / 2 % N] : values[data[i] / 2 % N];
		len = strlen(text);
		if (data[i] & 32)
			len = len * (data[i] / 8 % 4) / 4;
		(void)buf_append(out, text, len);
	}
}

static bool holds_secret(struct span text)
{
	for (size_t i = 0; i < N; i++)
		if (text.len && memmem(text.p, text.len, values[i], strlen(values[i])))
			return true;
	return false;
}

static void scrub_in_pieces(const struct needles *n, size_t piece, struct span text,
			    struct buf *out)
{
	_cleanup_(scrub_done) struct scrub scrub = { .needles = n };
	struct span some;

	for (size_t at = 0; at < text.len; at += piece) {
		require(scrub_feed(&scrub, span_make(text.p + at, MIN(piece, text.len - at)),
				   &some) == 0);
		(void)buf_append_span(out, some);
		require(out->len <= at + piece);
	}
	require(scrub_finish(&scrub, &some) == 0);
	(void)buf_append_span(out, some);
}

static void check_scrub(const struct secrets *s, struct span text)
{
	static const size_t pieces[] = { 1, 2, 7, 143 };
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf whole = BUF_INIT(0);
	struct span once = text;

	scrub_in_pieces(secrets_values(s), text.len + 1, text, &whole);
	require(whole.len == text.len);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);

		scrub_in_pieces(secrets_values(s), pieces[i], text, &out);
		require(span_eq(buf_span(&out), buf_span(&whole)));
	}
	require(scrub_text(secrets_values(s), &arena, &once) == 0);
	require(span_eq(once, buf_span(&whole)));
	require(!holds_secret(once));
}

static void check_request(const struct secrets *s, struct span value, bool is_right)
{
	const struct secrets_destination to = { is_right ? SPAN("api.test") : SPAN("evil.test"),
						443, true, SPAN("/") };
	const struct http_field fields[] = { { SPAN("authorization"), value } };
	const struct http_head head = {
		.method = SPAN("GET"), .target = SPAN("/"), .fields = fields, .n_fields = 1
	};
	struct secrets_edit edit = { 0 };
	enum secrets_outcome outcome = secrets_put_in(s, &to, &head, &edit);

	require(is_right ? outcome != SECRETS_REFUSED : outcome != SECRETS_PUT_IN);
	if (outcome == SECRETS_PUT_IN) {
		const struct http_field *f = http_field_find(&edit.head, "authorization");

		require(f && f->value.len == value.len);
		require(edit.n_uses > 0);
	}
	secrets_edit_done(&edit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secrets *s = make();
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	expand(data, size, &text);
	if (text.len) {
		check_scrub(s, buf_span(&text));
		check_request(s, buf_span(&text), true);
		check_request(s, buf_span(&text), false);
	}
	secrets_free(s);
	return 0;
}
