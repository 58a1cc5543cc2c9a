/*
 * Random policies and requests at their boundaries: few literals, and requests
 * made of them with a byte more, less or other. Uses random(3).
 */
#pragma once

#include "base/buf.h"
#include "policy/policy.h"

struct random_request {
	struct policy_request request;
	char path[512], host[300], server[64], tool[64], exe[512];
	const char *comm, *cwd;
	struct span ancestors, argv;
	enum policy_fact missing; /* POLICY_FACT_MAX: none */
	char url_path[512];
	struct policy_header headers[4];
	struct policy_http http;
};

/* Appends a policy, with a final newline. */
void random_policy(struct buf *out);
/* request.fact gives the facts above. */
void random_request(struct random_request *r);
