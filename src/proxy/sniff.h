/*
 * What a connection speaks, and to whom, from its client's first bytes: TLS,
 * HTTP/1, HTTP/2 or something else. A push machine without I/O. It keeps the
 * bytes, which are the first to be sent on.
 */
#pragma once

#include "proxy/client-hello.h"
#include "proxy/http-head.h"

enum sniff_kind {
	SNIFF_MORE, /* not known yet */
	SNIFF_TLS,
	SNIFF_HTTP1,
	SNIFF_HTTP2, /* clear, with prior knowledge (RFC 9113 §3.3); its authority is not seen */
	SNIFF_RAW,
	SNIFF_BAD, /* TLS or HTTP/1 out of form: never to be passed on */
};

struct sniff {
	struct buf seen;
	enum sniff_kind kind;
	bool is_tls;
	struct client_hello hello;
	struct http_first_head head;
};

void sniff_init(struct sniff *s);
void sniff_done(struct sniff *s);
enum sniff_kind sniff_feed(struct sniff *s, struct span bytes);
/* Who the client says it talks to, or NULL if it does not say. */
const struct authority *sniff_claim(const struct sniff *s);
