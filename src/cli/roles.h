/*
 * What the program is besides the user's command: roles-linux.c has the processes of a
 * session, and roles-posix.c none, as they run in an engine's container. One is built.
 */
#pragma once

#include "daemon/session.h"

/* The whole life of a process that was started as one of ours; -1: it was not. */
int role_main(int argc, char **argv) _must_check_;
/* Can a session run here without an engine? */
bool role_has_native(void);
/* session_run, where it can. */
int role_run_native(const struct session_options *o, struct err *err) _must_check_;
