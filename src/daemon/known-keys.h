/*
 * The keys of the agents that leash knows: each gets its placeholder unasked,
 * bound to its provider's host.
 */
#pragma once

#include "daemon/secret-spec.h"

struct known_keys {
	const char *agent;		 /* base name of the command */
	const struct environment *given; /* -e */
	bool inherits;			 /* --env-inherit */
};

/*
 * Adds a secret for each key that the caller has set and that the agent would
 * get: because it is the agent's own, by -e KEY, or with the whole environment.
 * Not where a secret is about that variable already, or -e gave it another value.
 */
void known_keys_add(secret_specs *specs, const struct known_keys *k);
/* --forward-keys: the agent's own keys as they are. */
void known_keys_forward(const char *agent, struct environment *e);
