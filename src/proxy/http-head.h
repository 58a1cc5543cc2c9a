/*
 * The head of the first HTTP/1 request on a clear connection: who it is for.
 * A push machine without I/O. Strict (RFC 9112): whatever two servers could
 * read in two ways (two Hosts, folded lines, bare LF, userinfo, a target that
 * contradicts Host) is an error.
 */
#pragma once

#include "base/buf.h"
#include "proxy/name.h"

struct http_first_head {
	/* The parser's state. */
	struct buf text;
	size_t line_at; /* where the line that is being read starts */
	bool has_request_line;
	/* What it said; valid once http_head_feed has returned HTTP_HEAD_DONE. */
	bool has_host;
	struct authority host;
};

enum http_head_state {
	HTTP_HEAD_MORE, /* could be HTTP/1, or is but is not whole */
	HTTP_HEAD_DONE,
	HTTP_HEAD_FOREIGN, /* the first line is not HTTP/1's: another protocol */
	HTTP_HEAD_BAD,	   /* HTTP/1, or made to look like it to some servers, and malformed */
};

void http_head_init(struct http_first_head *h);
void http_head_done(struct http_first_head *h);
enum http_head_state http_head_feed(struct http_first_head *h, struct span bytes);
