/*
 * The environment of the container: clean by default, so that nothing of the
 * user's own environment (tokens, agents' sockets) gets in unasked. What is
 * taken out of it is wiped: the container's first process begins as a copy of us.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"
#include "config/agents.h"

struct environment {
	VEC(char *) entries; /* "KEY=value", owned, NULL-terminated by environment_envp */
};

void environment_done(struct environment *e);
/* Replaces or adds KEY. */
void environment_set(struct environment *e, const char *key, const char *value);
void environment_set_span(struct environment *e, const char *key, struct span value);
/* The value of KEY, or NULL. */
const char *environment_get(const struct environment *e, const char *key);
void environment_unset(struct environment *e, const char *key);
/* In every value, what is the one text becomes the other, which is as long. */
void environment_replace(struct environment *e, struct span text, struct span by);
/* What a program needs to feel at home: PATH, HOME, TERM, LANG, ... */
void environment_add_basics(struct environment *e, const char *home, const char *cwd);
/*
 * What an agent is told: of the caller's variables those that are for it, but for the ones that
 * name places of the host where has_image, and that it runs in a sandbox already.
 */
void environment_add_agent(struct environment *e, const struct agent *a, bool has_image);
/* All of the caller's environment (--env-inherit). */
void environment_inherit(struct environment *e);
/* Names the container's trusted certificates to programs that don't look in the usual places. */
void environment_add_trust(struct environment *e);
/* -e KEY=VALUE, or -e KEY for the caller's value (not set there: left out). -EINVAL when malformed. */
int environment_add_option(struct environment *e, const char *option, struct err *err) _must_check_;
/* Valid until the next change. */
char *const *environment_envp(struct environment *e);
