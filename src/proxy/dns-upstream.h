/*
 * Queries to the host's resolvers, by c-ares: servers, retries, fallback to
 * TCP. The servers are those of /etc/resolv.conf, read at start and again when
 * the file changes.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "proxy/name.h"

struct dns_upstream;
struct dns_request;

/* answer is a whole DNS message, or empty when there was none. Called once, never from within
 * dns_upstream_ask. */
typedef void (*dns_answer_fn)(void *ctx, struct span answer);

int dns_upstream_new(uv_loop_t *loop, struct dns_upstream **ret, struct err *err) _must_check_;
/* NULL when the query could not be sent: there will be no answer. */
struct dns_request *dns_upstream_ask(struct dns_upstream *u, const struct name *name, uint16_t type,
				     dns_answer_fn fn, void *ctx) _must_check_;
/* fn will not be called any more. */
void dns_request_cancel(struct dns_request *r);
