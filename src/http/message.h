/*
 * A message's head as its reader found it: spans into the reader's
 * memory. No policy, no sockets.
 */
#pragma once

#include "base/span.h"

struct http_field {
	struct span name;  /* lower case */
	struct span value; /* without the blanks around it */
	bool is_secret;	   /* HTTP/2: to be in no compression table (RFC 7541 §7.1.3) */
};

struct http_head {
	struct span method, target; /* of a request, as sent */
	int status;		    /* of a response */
	struct span reason;
	int minor; /* of HTTP/1.x: 0 or 1 */
	struct span scheme, authority; /* of an HTTP/2 request; then there is no Host */
	const struct http_field *fields;
	size_t n_fields;
};

/* RFC 9110 §5.6.2: what names of fields and methods are made of. */
bool http_is_token(struct span s);
/* What a request's target is made of: visible ASCII (RFC 9112 §3.2). */
bool http_is_target(struct span s);
/* Nothing that a line could end at, and no other control byte but a tab (RFC 9110 §5.5). */
bool http_is_value(struct span s);
/* The first field with this name (lower case), or NULL. */
const struct http_field *http_field_find(const struct http_head *h, const char *lower_name);
/* Is the token in the comma-separated lists of all fields of that name (RFC 9110 §5.6.1)? */
bool http_list_has(const struct http_head *h, const char *lower_name, struct span token);
/*
 * Does the field go on to the server? Not if Connection names it: then it is for us (RFC 9110
 * §7.6.1). Those of the framing do in any case, written anew; extensions of WebSocket are never
 * agreed on, so that its frames can be read.
 */
bool http_is_sent_on(const struct http_head *h, const struct http_field *f);
/* May another message follow on the connection (RFC 9112 §9.3)? */
bool http_keeps_alive(const struct http_head *h);
