/*
 * What sessions leave: in the state directory one directory per session, and
 * files in the runtime directory (directories.h). All are the user's alone (0700).
 */
#pragma once

#include "base/err.h"
#include "cli/directories.h"
#include "event/session.h"

/* In the runtime directory: how a running session's API is reached. Newly allocated. */
char *state_token_file(const char *runtime, const char *id) _must_check_;

/*
 * Makes the directory of a new session. Its id is the time (UTC) and four
 * letters, 20260131-142501-k3f9; ids sort as the sessions began. Both results
 * are newly allocated.
 */
int state_session_create(const char *state, char **ret_id, char **ret_directory,
			 struct err *err) _must_check_;

/* The newest first. No state directory is no session. */
int state_session_list_read(const char *state, event_session_ids *ret,
			    struct err *err) _must_check_;

/*
 * Removes what sessions that were killed have left in the runtime directory: of those
 * that run nothing.
 */
void state_runtime_clean(const char *state, const char *runtime);

/*
 * The session that name means: the name that --name gave (one that runs, else the newest), an id, a
 * part of one that only one session begins with, its last four letters, or NULL for the newest.
 * Both results are newly allocated. -ENOENT, -ENOTUNIQ.
 */
int state_session_find(const char *state, const char *name, char **ret_id, char **ret_directory,
		       struct err *err) _must_check_;
