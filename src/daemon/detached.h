/*
 * The terminal of a detached session: a pty that nobody looks at, until somebody
 * attaches. What it shows is kept in the session's directory, bounded, and goes to
 * all who are attached; what they type goes to it.
 */
#pragma once

#include <uv.h>

#include "base/err.h"

struct detached;

struct detached_options {
	uv_loop_t *loop;
	const char *directory; /* the session's */
	const char *socket;    /* where others attach */
};

/* Takes pty_fd, also on failure. */
int detached_start(const struct detached_options *o, int pty_fd, struct detached **ret,
		   struct err *err) _must_check_;
/* Keeps what is still there, and lets nobody in any more. NULL is allowed. */
void detached_stop(struct detached *d);
/*
 * Shows who is attached the rest, tells the exit code, and frees everything; needs no loop.
 * NULL is allowed.
 */
void detached_free(struct detached *d, int exit_code);
