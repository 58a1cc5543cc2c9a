/*
 * The engine's container as its client is told of it: one of its own user's,
 * with nothing but what leash needs to make the nested one.
 */
#pragma once

#include "engine/client.h"
#include "engine/engine.h"

/* The container's name: the session, and the process that it belongs to. */
char *container_name(const char *session_id) _must_check_;
/* Is the process of such a name still there? False for a name that is no container's of ours. */
bool container_is_orphan(const char *name);

/* `run` and all that follows. */
int container_describe(const struct engine *e, const struct session_options *o,
		       const struct engine_places *places, const char *name, client_words *ret,
		       struct err *err) _must_check_;

/* Ends and removes it, whatever state it is in. */
void container_remove(const struct engine *e, const char *name);
/* Removes this user's containers whose leash is gone; in a process of its own. */
void container_sweep(const struct engine *e);
