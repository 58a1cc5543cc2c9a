#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "proxy/dns-message.h"

#define HEADER(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define EXAMPLE                                                                                    \
	"\x07"                                                                                     \
	"ExAmple"                                                                                  \
	"\x03"                                                                                     \
	"com"                                                                                      \
	"\0"
#define ASK(type) EXAMPLE "\0" type "\0\x01"

static struct dns_question ask(const char *text, uint16_t type)
{
	struct dns_question q;
	struct name n;

	assert_int_equal(name_parse(span_of(text), &n), 0);
	dns_make_question(&n, type, &q);
	return q;
}

static void test_query(void **state)
{
	struct dns_question q;
	enum dns_rcode rcode;

	(void)state;
	assert_int_equal(
		dns_read_query(SPAN(HEADER("\x01\0", "\x01", "\0", "\0", "\0") ASK("\x1c")), &q,
			       &rcode),
		0);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.type, DNS_AAAA);
	assert_string_equal(q.name.text, "example.com");
	assert_true(q.wants_recursion && !q.has_edns && q.max_len == 512);
	assert_int_equal(dns_read_query(SPAN(HEADER("\x01\0", "\x01", "\0", "\0", "\x01")
						     ASK("\x01") "\0\0\x29\x10\0\0\0\x80\0\0\0"),
					&q, &rcode),
			 0);
	assert_true(q.has_edns && q.wants_dnssec && q.max_len == 1232);
}

static void test_bad_queries(void **state)
{
	static const struct {
		struct span message;
		int r;
		enum dns_rcode rcode;
	} cases[] = {
		{ { "", 0 }, -EBADMSG, 0 },
		{ { HEADER("\x81\0", "\x01", "\0", "\0", "\0") ASK("\x01"), 29 },
		  -EBADMSG,
		  0 }, /* an answer */
		{ { HEADER("\x09\0", "\x01", "\0", "\0", "\0") ASK("\x01"), 29 },
		  -EINVAL,
		  DNS_NOTIMP }, /* opcode 1 */
		{ { HEADER("\x01\0", "\x02", "\0", "\0", "\0") ASK("\x01"), 29 },
		  -EINVAL,
		  DNS_FORMERR },
		{ { HEADER("\x01\0", "\0", "\0", "\0", "\0"), 12 }, -EINVAL, DNS_FORMERR },
		{ { HEADER("\x01\0", "\x01", "\0", "\0", "\0") ASK("\x01") "x", 30 },
		  -EINVAL,
		  DNS_FORMERR },
		{ { HEADER("\x01\0", "\x01", "\0", "\0", "\0") "\xc0\x0c\0\x01\0\x01", 18 },
		  -EINVAL,
		  DNS_FORMERR },
		{ { HEADER("\x01\0", "\x01", "\0", "\0", "\0") "\x40"
							       "a",
		    14 },
		  -EINVAL,
		  DNS_FORMERR },
		{ { HEADER("\x01\0", "\x01", "\0", "\0", "\0") "\x03"
							       "a.b\0\0\x01\0\x01",
		    21 },
		  -EINVAL,
		  DNS_REFUSED },
		{ { HEADER("\x01\0", "\x01", "\0", "\0", "\0") "\x03"
							       "a b\0\0\x01\0\x01",
		    21 },
		  -EINVAL,
		  DNS_REFUSED },
		{ { HEADER("\x01\0", "\x01", "\0", "\0", "\0") "\0\0\x01\0\x01", 17 },
		  -EINVAL,
		  DNS_REFUSED }, /* the root */
		{ { HEADER("\x01\0", "\x01", "\0", "\0", "\0") EXAMPLE "\0\x01\0\x03", 29 },
		  -EINVAL,
		  DNS_REFUSED }, /* CHAOS */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dns_question q;
		enum dns_rcode rcode = DNS_NOERROR;
		_cleanup_buf_ struct buf out = BUF_INIT(0);

		assert_int_equal(dns_read_query(cases[i].message, &q, &rcode), cases[i].r);
		if (cases[i].r != -EINVAL)
			continue;
		assert_int_equal(rcode, cases[i].rcode);
		assert_int_equal(dns_write_error(&q, rcode, &out), 0);
		assert_memory_equal(out.data, "\x12\x34", 2);
		assert_int_equal(out.data[3] & 15, cases[i].rcode);
	}
}

struct found {
	struct policy_address addresses[8];
	size_t n;
};

static void found(void *ctx, const struct policy_address *a, uint32_t ttl)
{
	struct found *f = ctx;

	(void)ttl;
	assert_true(f->n < 8);
	f->addresses[f->n++] = *a;
}

/* A CNAME, the address of what it leads to, and an address that belongs to nobody. */
static void test_answer(void **state)
{
	const struct span answer =
		SPAN(HEADER("\x81\x80", "\x01", "\x03", "\0",
			    "\0") "\x07"
				  "example\x03"
				  "com\0\0\x01\0\x01"
				  "\xc0\x0c\0\x05\0\x01\0\0\0\x0a\0\x06\x03"
				  "www\xc0\x0c"
				  "\xc0\x29\0\x01\0\x01\0\0\0\x0a\0\x04\x01\x02\x03\x04"
				  "\x04"
				  "evil\0\0\x01\0\x01\0\0\0\x0a\0\x04\x05\x06\x07\x08");
	struct dns_question q = ask("example.com", DNS_A);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct policy_address wanted = { .bytes = { 1, 2, 3, 4 } };
	struct found f = { .n = 0 };

	(void)state;
	assert_int_equal(dns_take_answer(&q, answer, found, &f, &out), 0);
	assert_int_equal(f.n, 1);
	assert_true(address_eq(&f.addresses[0], &wanted));
	assert_int_equal(out.data[7], 2);
	assert_null(memmem(out.data, out.len, "evil", 4));
	/* Written anew, it reads the same. */
	f.n = 0;
	assert_int_equal(dns_take_answer(&q, buf_span(&out), found, &f, NULL), 0);
	assert_int_equal(f.n, 1);
	/* An answer to another question is none. */
	q = ask("example.org", DNS_A);
	assert_int_equal(dns_take_answer(&q, answer, found, &f, NULL), -EBADMSG);
}

/* Cut anywhere, or with a byte changed, nothing breaks and nothing is read beyond the end. */
static void test_damaged(void **state)
{
	static const char answer[] =
		HEADER("\x81\x80", "\x01", "\x02", "\0",
		       "\0") "\x07"
			     "example\x03"
			     "com\0\0\x0f\0\x01"
			     "\xc0\x0c\0\x0f\0\x01\0\0\0\x0a\0\x09\0\x05\x04"
			     "mail\xc0\x0c"
			     "\xc0\x0c\0\x0f\0\x01\0\0\0\x0a\0\x04\0\x05\xc0\x0c";
	struct dns_question q = ask("example.com", DNS_MX);

	(void)state;
	for (size_t len = 0; len < sizeof(answer) - 1; len++) {
		_cleanup_free_ char *copy = NULL;
		_cleanup_buf_ struct buf out = BUF_INIT(0);

		copy = xcalloc(len + 1, 1);
		memcpy(copy, answer, len);
		assert_int_equal(dns_take_answer(&q, span_make(copy, len), NULL, NULL, &out),
				 -EBADMSG);
		assert_int_equal(out.len, 0);
	}
	for (size_t at = 0; at < sizeof(answer) - 1; at++)
		for (int bit = 0; bit < 8; bit++) {
			char copy[sizeof(answer)];
			_cleanup_buf_ struct buf out = BUF_INIT(0);
			int r;

			memcpy(copy, answer, sizeof(answer));
			copy[at] = (char)(copy[at] ^ 1 << bit);
			r = dns_take_answer(&q, span_make(copy, sizeof(answer) - 1), NULL, NULL,
					    &out);
			assert_true(r == 0 || out.len == 0);
		}
}

/* A pointer that leads to itself, forwards, or into the header. */
static void test_pointers(void **state)
{
	static const char *const targets[] = { "\xc0\x1d", "\xc0\x30", "\xc0\x04", "\xff\xff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		char answer[] = HEADER("\x81\x80", "\x01", "\x01", "\0",
				       "\0") "\x07"
					     "example\x03"
					     "com\0\0\x01\0\x01"
					     "\xc0\x0c\0\x01\0\x01\0\0\0\x0a\0\x04\x01\x02\x03\x04";
		struct dns_question q = ask("example.com", DNS_A);

		memcpy(answer + 29, targets[i], 2);
		assert_int_equal(dns_take_answer(&q, span_make(answer, sizeof(answer) - 1), NULL,
						 NULL, NULL),
				 -EBADMSG);
	}
}

static void test_write(void **state)
{
	struct policy_address list[3] = { { .bytes = { 1, 2, 3, 4 } },
					  { .bytes = { 5 }, .is_v6 = true },
					  { .bytes = { 9 } } };
	struct dns_question q = ask("a.test", DNS_A);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct found f = { .n = 0 };

	(void)state;
	assert_int_equal(dns_write_addresses(&q, list, 3, 60, &out), 0);
	assert_int_equal(dns_take_answer(&q, buf_span(&out), found, &f, NULL), 0);
	assert_int_equal(f.n, 2);
	q.max_len = 40;
	dns_truncate(&q, &out);
	assert_true(out.len <= 40 && out.data[2] & 2);
	f.n = 0;
	assert_int_equal(dns_take_answer(&q, buf_span(&out), found, &f, NULL), 0);
	assert_int_equal(f.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),	 cmocka_unit_test(test_bad_queries),
		cmocka_unit_test(test_answer),	 cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_pointers), cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
