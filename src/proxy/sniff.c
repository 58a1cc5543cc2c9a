#include "proxy/sniff.h"

#include "base/limits.h"

void sniff_init(struct sniff *s)
{
	/* The parsers have the limit; what was read along with their last bytes must fit too. */
	*s = (struct sniff){ .seen = BUF_INIT(LIMIT_PROXY_FIRST_BYTES + LIMIT_PROXY_RELAY) };
	client_hello_init(&s->hello);
	http_head_init(&s->head);
}

void sniff_done(struct sniff *s)
{
	buf_done(&s->seen);
	client_hello_done(&s->hello);
	http_head_done(&s->head);
}

static enum sniff_kind feed_tls(struct sniff *s, struct span bytes)
{
	int r = client_hello_feed(&s->hello, bytes);

	/* A record of another major version is no server's TLS, but may be another protocol's
	 * message. */
	if (r < 0)
		return s->seen.len >= 2 && s->seen.data[1] != 3 ? SNIFF_RAW : SNIFF_BAD;
	return r ? SNIFF_TLS : SNIFF_MORE;
}

/* The preface begins like a request line of HTTP/1, which therefore waits until they differ. */
static enum sniff_kind feed_clear(struct sniff *s)
{
	const struct span preface = SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	struct span seen = buf_span(&s->seen);

	if (memcmp(seen.p, preface.p, MIN(seen.len, preface.len)) == 0)
		return seen.len >= preface.len ? SNIFF_HTTP2 : SNIFF_MORE;
	switch (http_head_feed(&s->head, span_from(seen, s->head.text.len))) {
	case HTTP_HEAD_DONE:
		return SNIFF_HTTP1;
	case HTTP_HEAD_FOREIGN:
		return SNIFF_RAW;
	case HTTP_HEAD_BAD:
		return SNIFF_BAD;
	case HTTP_HEAD_MORE:
		break;
	}
	return SNIFF_MORE;
}

enum sniff_kind sniff_feed(struct sniff *s, struct span bytes)
{
	bool is_first = s->seen.len == 0;

	if (bytes.len == 0 || s->kind == SNIFF_BAD)
		return s->kind;
	if (buf_append_span(&s->seen, bytes) < 0)
		return s->kind = SNIFF_BAD;
	if (s->kind != SNIFF_MORE)
		return s->kind;
	if (is_first)
		s->is_tls = bytes.p[0] == 0x16; /* a handshake record */
	s->kind = s->is_tls ? feed_tls(s, bytes) : feed_clear(s);
	return s->kind;
}

const struct authority *sniff_claim(const struct sniff *s)
{
	if (s->kind == SNIFF_TLS && s->hello.has_name)
		return &s->hello.server;
	if (s->kind == SNIFF_HTTP1 && s->head.has_host)
		return &s->head.host;
	return NULL;
}
