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
/*
 * In init: a new session that the terminal belongs to. Init leads it, not the
 * command: the process group of a session's leader is orphaned there, and
 * Ctrl-Z would have no effect (setpgid(2)).
 */
int terminal_lead(int slave_fd) _must_check_;
/* In the command's process: a process group of its own, in the terminal's foreground. */
int terminal_enter(int slave_fd) _must_check_;
