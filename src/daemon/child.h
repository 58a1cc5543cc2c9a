/*
 * One of the daemon's helper processes (supervisor, proxy, signer): started by
 * executing a program anew, so that it has an address space of its own
 * layout, with one control socket as descriptor 3 and nothing else.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/ipc.h"

struct child {
	const char *name; /* "supervisor", as people read it */
	const char *role; /* NULL: the name */
	/* NULL: our own program. Else one that lies beside it, or in ../libexec/leash. */
	const char *program;
	pid_t pid;	  /* 0: not running */
	int pidfd;
	int control_fd;
};

#define CHILD_INIT(child_name) { .name = (child_name), .pidfd = -1, .control_fd = -1 }

/* Starts the process; in a listing of processes it is called "leash: ROLE". */
int child_start(struct child *c, struct err *err) _must_check_;
/* Sends a message; a failure means that the process is gone. */
int child_send(struct child *c, uint16_t type, struct span payload, const int *fds, size_t n_fds,
	       struct err *err) _must_check_;
/* Kills the process and does not wait for it: child_stop does. */
void child_kill(const struct child *c);
/* Asks the process to end, by saying that it will be told nothing more. */
void child_ask_to_end(const struct child *c);
/*
 * Waits until the process has shut its control socket down: it has done all that it
 * does, and the kernel takes it apart meanwhile. Kills it, and reaps, after timeout_ms.
 */
void child_wait_for_last_word(struct child *c, int timeout_ms);
/* Closes the control socket and waits for the process's end; kills it after timeout_ms. */
void child_stop(struct child *c, int timeout_ms);
/* Was the process killed by a signal? Then err says by which. Does not reap. */
bool child_was_killed(const struct child *c, struct err *err);
/* Has it ended at all? err says how. */
bool child_has_ended(const struct child *c, struct err *err);
