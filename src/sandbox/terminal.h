/*
 * The command's terminal: a pty of the container's own devpts, so that the
 * agent never holds a descriptor of the user's terminal and can't push input
 * into it (TIOCSTI) or take it over.
 */
#pragma once

#include <sys/ioctl.h>

#include "base/err.h"

struct terminal {
	int master_fd, slave_fd;
};

#define TERMINAL_INIT                                                                              \
	{                                                                                          \
		-1, -1                                                                             \
	}

/* Opens both ends of a new pty below /dev/pts. */
int terminal_open(struct terminal *t, const struct winsize *window, struct err *err) _must_check_;
/* Makes the slave the controlling terminal of the caller, which leads a session without one. */
int terminal_take(int slave_fd) _must_check_;
