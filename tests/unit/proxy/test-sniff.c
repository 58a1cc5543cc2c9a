#include "unit.h"

#include <string.h>

#include "proxy/sniff.h"

#define HELLO_MAX 8192

/* A ClientHello as clients write it, from parts that tests can spoil. */
struct hello {
	unsigned char bytes[HELLO_MAX];
	size_t len;
};

static void put(struct hello *h, const void *p, size_t len)
{
	assert_true(h->len + len <= sizeof(h->bytes));
	memcpy(h->bytes + h->len, p, len);
	h->len += len;
}

static void put_number(struct hello *h, size_t n, size_t n_bytes)
{
	while (n_bytes--) {
		unsigned char c = (unsigned char)(n >> (8 * n_bytes));

		put(h, &c, 1);
	}
}

static void put_sni(struct hello *h, const char *name)
{
	size_t len = strlen(name);

	put_number(h, 0, 2);
	put_number(h, len + 5, 2);
	put_number(h, len + 3, 2);
	put_number(h, 0, 1);
	put_number(h, len, 2);
	put(h, name, len);
}

static void put_extension(struct hello *h, size_t type, const void *p, size_t len)
{
	put_number(h, type, 2);
	put_number(h, len, 2);
	put(h, p, len);
}

/* Wraps extensions into message and records of at most record_max bytes. */
static struct hello make_hello(const struct hello *extensions, size_t record_max)
{
	struct hello body = { .len = 0 }, message = { .len = 0 }, out = { .len = 0 };
	static const unsigned char zeros[32];

	put_number(&body, 0x0303, 2);
	put(&body, zeros, 32);
	put_number(&body, 32, 1);
	put(&body, zeros, 32);
	put_number(&body, 2, 2);
	put_number(&body, 0x1301, 2);
	put_number(&body, 1, 1);
	put_number(&body, 0, 1);
	put_number(&body, extensions->len, 2);
	put(&body, extensions->bytes, extensions->len);
	put_number(&message, 1, 1);
	put_number(&message, body.len, 3);
	put(&message, body.bytes, body.len);
	for (size_t at = 0; at < message.len; at += record_max) {
		size_t n = MIN(record_max, message.len - at);

		put_number(&out, 22, 1);
		put_number(&out, 0x0301, 2);
		put_number(&out, n, 2);
		put(&out, message.bytes + at, n);
	}
	return out;
}

/* Feeds the bytes in pieces of a size; the result must not depend on it. */
static enum sniff_kind sniff_in(struct span bytes, size_t piece, struct sniff *s)
{
	enum sniff_kind kind = SNIFF_MORE;

	sniff_init(s);
	for (size_t at = 0; at < bytes.len && kind == SNIFF_MORE; at += piece)
		kind = sniff_feed(s, span_make(bytes.p + at, MIN(piece, bytes.len - at)));
	return kind;
}

static void expect(struct span bytes, enum sniff_kind wanted, const char *host)
{
	static const size_t pieces[] = { 1, 2, 7, 143, 1 << 20 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct sniff s;
		enum sniff_kind kind = sniff_in(bytes, pieces[i], &s);
		const struct authority *claim = sniff_claim(&s);

		assert_int_equal(kind, wanted);
		if (host) {
			assert_non_null(claim);
			assert_string_equal(claim->name.text, host);
		} else if (kind != SNIFF_BAD) {
			assert_null(claim);
		}
		sniff_done(&s);
	}
}

static void expect_hello(const struct hello *h, enum sniff_kind wanted, const char *host)
{
	expect(span_make(h->bytes, h->len), wanted, host);
}

static void test_tls_names(void **state)
{
	struct hello e = { .len = 0 }, h;
	static const unsigned char share[1500];

	(void)state;
	h = make_hello(&e, 16384);
	expect_hello(&h, SNIFF_TLS, NULL);
	put_extension(&e, 51, share, sizeof(share)); /* a post-quantum key share */
	put_sni(&e, "Api.Example.COM");
	h = make_hello(&e, 16384);
	expect_hello(&h, SNIFF_TLS, "api.example.com");
	/* Across many records, down to one byte each. */
	h = make_hello(&e, 300);
	expect_hello(&h, SNIFF_TLS, "api.example.com");
	e.len = 0;
	put_sni(&e, "a.b");
	h = make_hello(&e, 1);
	expect_hello(&h, SNIFF_TLS, "a.b");
}

static void test_tls_flags(void **state)
{
	static const char alpn[] = "\0\x0c\x02h2\x08http/1.1";
	struct hello e = { .len = 0 }, h;
	struct sniff s;

	(void)state;
	put_extension(&e, 16, alpn, sizeof(alpn) - 1);
	put_extension(&e, 0xfe0d, "x", 1);
	h = make_hello(&e, 16384);
	assert_int_equal(sniff_in(span_make(h.bytes, h.len), h.len, &s), SNIFF_TLS);
	assert_true(s.hello.offers_h2 && s.hello.offers_http1 && s.hello.has_ech);
	sniff_done(&s);
}

static void test_tls_malformed(void **state)
{
	static const char *const names[] = { "",      "a b",  "a@b",   "a\nb", "-..-",
					     "127.1", "a..b", "[::1]", "a:443" };
	struct hello e = { .len = 0 }, h;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		e.len = 0;
		put_sni(&e, names[i]);
		h = make_hello(&e, 16384);
		expect_hello(&h, SNIFF_BAD, NULL);
	}
	e.len = 0; /* two names */
	put_sni(&e, "permitted.test");
	put_sni(&e, "other.test");
	h = make_hello(&e, 16384);
	expect_hello(&h, SNIFF_BAD, NULL);
	e.len = 0; /* bytes after the last extension */
	put_sni(&e, "permitted.test");
	put_number(&e, 0, 1);
	h = make_hello(&e, 16384);
	expect_hello(&h, SNIFF_BAD, NULL);
	e.len = 0;
	put_sni(&e, "permitted.test");
	h = make_hello(&e, 16384);
	h.bytes[4]++; /* more handshake bytes in its record than its message has */
	put_number(&h, 0, 1);
	expect_hello(&h, SNIFF_BAD, NULL);
	h = make_hello(&e, 16384);
	h.bytes[5] = 2; /* a ServerHello */
	expect_hello(&h, SNIFF_BAD, NULL);
}

static void test_http(void **state)
{
	(void)state;
	expect(SPAN("GET / HTTP/1.1\r\nHost: Example.COM.\r\n\r\n"), SNIFF_HTTP1, "example.com");
	expect(SPAN("POST /x?y HTTP/1.1\r\nA: b\r\nhOsT:\texample.com:8080 \r\nC:\r\n\r\n"),
	       SNIFF_HTTP1, "example.com");
	expect(SPAN("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n"), SNIFF_HTTP1,
	       "example.com");
	expect(SPAN("GET / HTTP/1.0\r\n\r\n"), SNIFF_HTTP1, NULL);
	expect(SPAN("OPTIONS * HTTP/1.1\r\nHost: a.b\r\n\r\n"), SNIFF_HTTP1, "a.b");
	expect(SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"), SNIFF_HTTP2, NULL);
	expect(SPAN("GET / HTTP/1.1\r\nHost: b\xc3\xbc"
		    "cher.example\r\n\r\n"),
	       SNIFF_HTTP1, "xn--bcher-kva.example");
}

/* A span as a constant initialiser. */
#define BYTES(literal)                                                                             \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

static void test_http_malformed(void **state)
{
	static const struct span bad[] = {
		BYTES("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\n\r\n"),
		BYTES("GET / HTTP/1.1\nHost: a\n\n"),
		BYTES("GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\nHost: a:0\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\nHost: a:\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n"),
		BYTES("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		BYTES("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		BYTES("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BYTES("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		BYTES("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
		BYTES("GET / http/1.1\r\nHost: a\r\n\r\n"),
		BYTES("GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
		BYTES("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BYTES("GET HTTP/1.1\r\nHost: a\r\n\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect(bad[i], SNIFF_BAD, NULL);
}

static void test_foreign(void **state)
{
	(void)state;
	expect(SPAN("SSH-2.0-OpenSSH_9.2\r\n"), SNIFF_RAW, NULL);
	expect(SPAN("EHLO host\r\n"), SNIFF_RAW, NULL);
	expect(SPAN("STAT\r\n"), SNIFF_RAW, NULL);
	/* HTTP/0.9 */
	expect(SPAN("GET /\r\n"), SNIFF_BAD, NULL);
	expect(SPAN("GET /x\n"), SNIFF_BAD, NULL);
	expect(SPAN("get\t/x\r\n"), SNIFF_BAD, NULL);
	expect(SPAN("GET http://h.test/x\r\n"), SNIFF_BAD, NULL);
	expect(SPAN("*1\r\n$4\r\nPING\r\n"), SNIFF_RAW, NULL);
	expect(SPAN("\0\0\0\x08\x04\xd2\x16/"), SNIFF_RAW, NULL); /* postgres: is TLS wanted? */
	expect(SPAN("\x16\x01"), SNIFF_RAW, NULL);
	expect(SPAN("PUT"), SNIFF_MORE, NULL);
	expect(SPAN("PRI * HTTP/2.0\r\n\r\nSM"), SNIFF_MORE, NULL);
}

/* A head that never ends stops at the limit. */
static void test_endless(void **state)
{
	struct sniff s;
	enum sniff_kind kind = SNIFF_MORE;
	size_t fed = 0;

	(void)state;
	sniff_init(&s);
	(void)sniff_feed(&s, SPAN("GET / HTTP/1.1\r\n"));
	while (kind == SNIFF_MORE && fed < (size_t)1 << 20) {
		kind = sniff_feed(&s, SPAN("X: y\r\n"));
		fed += 6;
	}
	assert_int_equal(kind, SNIFF_BAD);
	assert_true(fed < 70000);
	sniff_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_names),      cmocka_unit_test(test_tls_flags),
		cmocka_unit_test(test_tls_malformed),  cmocka_unit_test(test_http),
		cmocka_unit_test(test_http_malformed), cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
