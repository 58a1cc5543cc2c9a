/*
 * What a request asks for: the forms of a request-target (RFC 9112 §3.2), and
 * the one form of its path by which it is judged and sent on.
 */
#pragma once

#include "base/buf.h"

enum http_target_form {
	HTTP_TARGET_ORIGIN,
	HTTP_TARGET_ABSOLUTE, /* http or https; authority is set */
	HTTP_TARGET_AUTHORITY, /* of CONNECT */
	HTTP_TARGET_ASTERISK, /* of OPTIONS */
};

struct http_target {
	enum http_target_form form;
	struct span authority, path, query; /* parts of the target; query without its question mark */
	bool has_query;
};

/* -EBADMSG for what has none of the forms. */
int http_target_split(struct span method, struct span target, struct http_target *ret) _must_check_;

/*
 * Appends the path's normal form (RFC 3986 §6.2.2): unreserved characters are not
 * escaped, escapes are in upper case, there are no dot segments. An escaped slash
 * stays one. -EBADMSG for bad escapes, control bytes, escaped too, backslashes,
 * blanks and bytes above 0x7e, which servers read in more than one way.
 */
int http_path_normalise(struct span path, struct buf *out) _must_check_;
/* Appends the path with each run of slashes as one, as many servers read it. */
int http_path_merge_slashes(struct span path, struct buf *out) _must_check_;
