/*
 * `--detach`: the session goes on in a process of its own, without the terminal.
 */
#pragma once

#include "daemon/session.h"

/*
 * Returns as session_run in the process that runs the session, and in the one that
 * was called with 0 once the command is let go, or with the code of a session that
 * could not start. Says the session's id on standard output.
 */
int detach_run(struct session_options *o, struct err *err) _must_check_;
