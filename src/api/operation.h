/*
 * One operation as people name it, "read ~/.ssh/id_ed25519", with the facts
 * that go with it, as a request that can be decided.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "policy/policy.h"

struct operation {
	struct policy_request request; /* its fact function reads the facts below */
	struct buf facts[POLICY_FACT_MAX];
	bool has_fact[POLICY_FACT_MAX];
	char *object, *host; /* what the request points into */
	struct policy_http http;
	struct buf path; /* of a request of HTTP, in normal form */
	VEC(struct policy_header) headers;
};

/* "read write create ...": what operation_parse knows besides Cedar's own names. */
#define OPERATION_VERBS                                                                            \
	"read write create delete link chmod exec listen connect resolve datagram http call"

/*
 * verb: one of the words above or an action's name. object: a path (relative to
 * cwd, with ~ for home), a host with or without port, SERVER/TOOL, or for http
 * "METHOD URL" (a host alone: nothing is known of the request). Facts not added
 * are empty, but argv of exec begins with the object.
 */
int operation_parse(struct operation *o, const char *verb, const char *object, const char *home,
		    const char *cwd, struct err *err) _must_check_;
/* An operation of which nothing is known yet but its action. */
void operation_init(struct operation *o, enum policy_action action);
/* Adds one value: to ancestors and argv further ones, else in place of the one before. */
void operation_add_fact(struct operation *o, enum policy_fact fact, const char *value);
/* The name by which an address was found, or the host of an MCP server, with or without port. */
int operation_set_host(struct operation *o, const char *host, struct err *err) _must_check_;
/* Adds a header, "NAME: VALUE". */
int operation_add_header(struct operation *o, const char *header, struct err *err) _must_check_;
void operation_done(struct operation *o);

#define _cleanup_operation_ _cleanup_(operation_done)
