/*
 * Any bytes as a query, and as an answer to it: what is taken out of an answer
 * must be readable as an answer again, with the same addresses.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "proxy/dns-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void count(void *ctx, const struct policy_address *address, uint32_t ttl)
{
	size_t *n = ctx;

	(void)address;
	(void)ttl;
	++*n;
}

static void try_answer(const struct dns_question *q, struct span answer)
{
	_cleanup_buf_ struct buf first = BUF_INIT(0), second = BUF_INIT(0);
	size_t n_first = 0, n_second = 0;

	if (dns_take_answer(q, answer, count, &n_first, &first) < 0) {
		require(first.len == 0);
		return;
	}
	require(dns_take_answer(q, buf_span(&first), count, &n_second, &second) == 0);
	require(n_first == n_second);
	dns_truncate(q, &second);
	require(second.len <= MAX(q->max_len, q->wire_name_len + 27));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct span bytes = span_make(data, size);
	struct dns_question q;
	enum dns_rcode rcode;
	struct name name;
	int r = dns_read_query(bytes, &q, &rcode);

	if (r != -EBADMSG) {
		require(dns_write_error(&q, r < 0 ? rcode : DNS_NOERROR, &out) == 0);
		require(out.len >= 12);
	}
	if (r == 0)
		require(name_parse(name_span(&q.name), &name) == 0);
	if (name_parse(SPAN("example.com"), &name) < 0)
		abort();
	/* The first byte chooses the question's type; the rest is the answer. */
	dns_make_question(&name, size ? data[0] : 1, &q);
	try_answer(&q, span_from(bytes, 1));
	dns_make_question(&name, DNS_A, &q);
	try_answer(&q, span_from(bytes, 1));
	return 0;
}
