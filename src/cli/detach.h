/*
 * `--detach`: the session goes on in a process of its own, without the terminal.
 */
#pragma once

#include "daemon/session.h"

struct detach {
	int caller_fd; /* who has called waits there; -1: nobody does */
	const char *id, *directory;
};

#define DETACH_INIT                                                                                \
	{                                                                                          \
		.caller_fd = -1                                                                    \
	}

/*
 * Makes the process that is to run the session: true there. False in the one that was
 * called, when the command has been let go, the id been printed and *ret_code is 0, or
 * when the other has ended before, with its code. To be called before a secret is read:
 * memory that holds one is empty in a new process. The terminal stays with both, for
 * questions.
 */
bool detach_begin(struct detach *d, int *ret_code, struct err *err) _must_check_;
/* Leaves the terminal, and has the caller told once the command is let go. d must outlive the
 * session. */
int detach_leave(struct detach *d, struct session_options *o, struct err *err) _must_check_;
