/*
 * What a client is told when its request or its connection goes no further: a
 * whole HTTP/1 response with a JSON body, as docs/ describes it for every denial.
 */
#pragma once

#include "proxy/proxy-private.h"

/* 403: policies forbid it, or none permits it. */
int answer_denied(const struct policy_decision *d, const struct proxy_question *q, struct buf *out);
/* 421: the names disagree (RFC 9110 §15.5.20). */
int answer_mismatch(const struct proxy_question *q, struct buf *out);
/* 403: a secret may not go there. */
int answer_secret(struct span secret, struct span why, const struct proxy_question *q,
		  struct buf *out);
/* 400: out of form. */
int answer_malformed(struct buf *out);
/* 502: the server's response is out of form. */
int answer_bad_response(const struct proxy_question *q, struct buf *out);
/* 502: there is no TLS with the server to be had; what and why are for people. */
int answer_bad_server(const struct proxy_question *q, const char *what, const char *why,
		      struct buf *out);
/* 502: permitted, but there is no connection to be had. */
int answer_unreachable(const struct proxy_question *q, int error, struct buf *out);
/* The status and the body of one of these, for HTTP/2. */
int answer_split(struct span answer, struct span *ret_body);
