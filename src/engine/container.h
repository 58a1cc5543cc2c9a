/*
 * The engine's container as its client is told of it: one of its own user's,
 * with nothing but what leash needs to make the nested one.
 */
#pragma once

#include "engine/client.h"
#include "engine/engine.h"

/* The container's name: the session, and the process that it belongs to. */
char *container_name(const char *session_id) _must_check_;
/* Which containers are ours to judge; of the session that has the directory. "KEY=VALUE" */
char *container_label(const char *directory) _must_check_;
/* Has the leash of such a name ended? False for a name that is no container's of ours. */
bool container_is_orphan(const char *name, const char *directory);

/* `run` and all that follows. */
int container_describe(const struct engine *e, const struct session_options *o,
		       const struct engine_places *places, const char *name, client_words *ret,
		       struct err *err) _must_check_;

/* Ends and removes it, whatever state it is in. */
void container_remove(const struct engine *e, const char *name);
/* Removes containers of that label whose leash is gone; in a process of its own. */
void container_sweep(const struct engine *e, const char *directory);
