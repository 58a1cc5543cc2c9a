#include "proxy/client-hello.h"

#include <errno.h>

#include "base/limits.h"

enum {
	RECORD_HANDSHAKE = 22,
	RECORD_MAX = 1 << 14,
	HANDSHAKE_CLIENT_HELLO = 1,
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_ECH = 0xfe0d,
};

/* A reader that remembers having run over its end. */
struct reader {
	struct span rest;
	bool is_short;
};

static size_t take_number(struct reader *r, size_t n_bytes)
{
	size_t value = 0;

	if (r->rest.len < n_bytes) {
		r->is_short = true;
		return 0;
	}
	for (size_t i = 0; i < n_bytes; i++)
		value = value << 8 | (unsigned char)r->rest.p[i];
	r->rest = span_from(r->rest, n_bytes);
	return value;
}

static struct span take_bytes(struct reader *r, size_t len)
{
	struct span s = { r->rest.p, len };

	if (r->rest.len < len) {
		r->is_short = true;
		return (struct span){ r->rest.p, 0 };
	}
	r->rest = span_from(r->rest, len);
	return s;
}

/* A vector with its length in front (RFC 8446 §3.4). */
static struct span take_vector(struct reader *r, size_t n_bytes)
{
	return take_bytes(r, take_number(r, n_bytes));
}

static int read_server_name(struct client_hello *h, struct span body)
{
	struct reader r = { body, false };
	struct reader list = { take_vector(&r, 2), false };
	size_t type = take_number(&list, 1);
	struct span name = take_vector(&list, 2);

	/* RFC 6066 knows one type of name, and one name of a type. */
	if (r.is_short || r.rest.len || list.is_short || list.rest.len || type != 0)
		return -EBADMSG;
	if (name.len == 0 || name.p[0] == '[' || authority_parse(name, &h->server) < 0 ||
	    h->server.port)
		return -EBADMSG;
	h->has_name = true;
	return 0;
}

static int read_alpn(struct client_hello *h, struct span body)
{
	struct reader r = { body, false };
	struct reader list = { take_vector(&r, 2), false };

	if (r.is_short || r.rest.len || list.rest.len == 0)
		return -EBADMSG;
	while (list.rest.len) {
		struct span protocol = take_vector(&list, 1);

		if (list.is_short || protocol.len == 0)
			return -EBADMSG;
		h->offers_h2 |= span_eq_str(protocol, "h2");
		h->offers_http1 |= span_eq_str(protocol, "http/1.1");
	}
	return 0;
}

static int read_extensions(struct client_hello *h, struct span body)
{
	struct reader list = { body, false };
	bool has_alpn = false;

	while (list.rest.len) {
		size_t type = take_number(&list, 2);
		struct span content = take_vector(&list, 2);
		int r = 0;

		if (list.is_short)
			return -EBADMSG;
		if (type == EXTENSION_SERVER_NAME) {
			r = h->has_name ? -EBADMSG : read_server_name(h, content);
		} else if (type == EXTENSION_ALPN) {
			r = has_alpn ? -EBADMSG : read_alpn(h, content);
			has_alpn = true;
		} else if (type == EXTENSION_ECH) {
			h->has_ech = true;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_message(struct client_hello *h, struct span body)
{
	struct reader r = { body, false };
	struct span session, suites, compression, extensions;

	if (take_number(&r, 1) != 3) /* legacy_version: 0x0300 to 0x0303 */
		return -EBADMSG;
	(void)take_bytes(&r, 1 + 32); /* its second byte, random */
	session = take_vector(&r, 1);
	suites = take_vector(&r, 2);
	compression = take_vector(&r, 1);
	if (r.is_short || session.len > 32 || suites.len < 2 || suites.len % 2 ||
	    compression.len < 1)
		return -EBADMSG;
	if (r.rest.len == 0)
		return 0;
	extensions = take_vector(&r, 2);
	if (r.is_short || r.rest.len)
		return -EBADMSG;
	return read_extensions(h, extensions);
}

void client_hello_init(struct client_hello *h)
{
	*h = (struct client_hello){ .message = BUF_INIT(LIMIT_PROXY_FIRST_BYTES) };
}

void client_hello_done(struct client_hello *h)
{
	buf_done(&h->message);
}

/* One byte of a record's header. RFC 8446 §5.1: an empty handshake record is an error. */
static int take_header_byte(struct client_hello *h, unsigned char c)
{
	h->header[h->header_len++] = c;
	if ((h->header_len == 1 && c != RECORD_HANDSHAKE) || (h->header_len == 2 && c != 3))
		return -EBADMSG;
	if (h->header_len < sizeof(h->header))
		return 0;
	h->record_left = (size_t)h->header[3] << 8 | h->header[4];
	h->header_len = 0;
	return h->record_left == 0 || h->record_left > RECORD_MAX ? -EBADMSG : 0;
}

/* Is the handshake message whole? Nothing may follow it in its record. */
static int check_message(struct client_hello *h)
{
	struct reader r = { buf_span(&h->message), false };
	size_t len;

	if (r.rest.len && take_number(&r, 1) != HANDSHAKE_CLIENT_HELLO)
		return -EBADMSG;
	if (r.rest.len < 3)
		return 0;
	len = take_number(&r, 3);
	if (len > LIMIT_PROXY_FIRST_BYTES || r.rest.len > len)
		return -EBADMSG;
	if (r.rest.len < len)
		return 0;
	if (h->record_left || read_message(h, r.rest) < 0)
		return -EBADMSG;
	h->is_done = true;
	return 1;
}

int client_hello_feed(struct client_hello *h, struct span bytes)
{
	while (bytes.len && !h->is_done) {
		size_t n = MIN(bytes.len, h->record_left);
		int r;

		if (n == 0) {
			r = take_header_byte(h, (unsigned char)bytes.p[0]);
			n = 1;
		} else {
			r = buf_append(&h->message, bytes.p, n) < 0 ? -EBADMSG : 0;
			h->record_left -= n;
			if (r == 0)
				r = check_message(h);
		}
		if (r < 0)
			return r;
		bytes = span_from(bytes, n);
	}
	return h->is_done;
}
