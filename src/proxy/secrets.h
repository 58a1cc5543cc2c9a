/*
 * The secrets of a session, as the proxy holds them: what it puts into requests
 * in place of placeholders, and takes out of responses again. A value leaves
 * this memory only into a request that goes where its secret is bound to. No
 * sockets, no policy.
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"
#include "http/message.h"
#include "proxy/needles.h"
#include "proxy/secret-rule.h"

struct secrets;

/* Empty; never NULL. */
struct secrets *secrets_new(void);
void secrets_free(struct secrets *s);
/* Copies the rule. -EINVAL with words for a person, who is never shown a value. */
int secrets_add(struct secrets *s, const struct secret_rule *rule, struct err *err) _must_check_;
/* What is to be taken out of all that is received; changes with each secret and instruction. */
const struct needles *secrets_values(const struct secrets *s);

/*
 * An HttpRewrite policy: a header that is set in every request to a host.
 * "${secret:NAME}" in the value stands for that secret's.
 */
struct secrets_instruction {
	struct span policy; /* its id */
	struct span host;   /* as in struct secret_place */
	uint16_t port;	    /* 0: any */
	struct span header; /* in lower case */
	struct span value;
};

/* Replaces the instructions. Their texts stay the caller's, until the next call. -EINVAL, -ENOMEM.
 */
int secrets_instruct(struct secrets *s, const struct secrets_instruction *items, size_t n,
		     struct err *err) _must_check_;

/* ---- Requests (secrets-rewrite.c) ---- */

/* Where a request goes: what the connection was decided and, with TLS, verified to lead to. */
struct secrets_destination {
	struct span host; /* the name, or the address where there is none */
	uint16_t port;
	bool is_verified; /* TLS, with a certificate of that name that the host trusts */
	struct span path; /* in normal form, as it is sent on */
};

enum secrets_outcome {
	SECRETS_REFUSED, /* it must not be sent: see refused_name and why */
	SECRETS_NONE,	 /* nothing to do: it is sent as it is */
	SECRETS_PUT_IN,	 /* head is to be sent in place of the one that came */
};

#define SECRETS_MAX_USES 16

/* Which header now carries which secret (empty: the instruction's own text). Names, never values.
 */
struct secrets_use {
	struct span name, header;
};

/* What became of one request. Zeroed before its first use; done with secrets_edit_done. */
struct secrets_edit {
	struct http_head head; /* points into the original, too */
	struct secrets_use uses[SECRETS_MAX_USES];
	size_t n_uses;
	struct span refused_name; /* the secret's */
	const char *why;
	/* Its memory. */
	struct http_field *fields;
	struct secret text;
	size_t n_text;
};

/* Fills edit in any case. Costs nothing where there are neither secrets nor instructions. */
enum secrets_outcome secrets_put_in(const struct secrets *s, const struct secrets_destination *to,
				    const struct http_head *head, struct secrets_edit *edit);
void secrets_edit_done(struct secrets_edit *edit);
