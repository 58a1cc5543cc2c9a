/*
 * Messages between the parent (P), the container's init (I) and the command's
 * process before its exec (C).
 */
#pragma once

#include "base/ipc.h"

enum {
	SANDBOX_MESSAGE_NONE,
	/* I→P: text: setting up failed */
	SANDBOX_MESSAGE_SETUP_FAILED,
	/* I→P: uint16_t proxy port, dns port; fds: TCP v4, v6, DNS UDP v4, v6 */
	SANDBOX_MESSAGE_NETWORK,
	/* I→P: nothing; fds: DNS TCP v4, v6, the command's pidfd */
	SANDBOX_MESSAGE_COMMAND,
	/* I→P: nothing; fds: master of the pty */
	SANDBOX_MESSAGE_PTY,
	/* I→P: int32_t status of the command, as waitpid gives it */
	SANDBOX_MESSAGE_EXITED,
	/* I→P: int32_t the signal that stopped it */
	SANDBOX_MESSAGE_STOPPED,
	/* P→I: int32_t: send this signal to the command's group */
	SANDBOX_MESSAGE_SIGNAL,
	/* P→I, and I→P when done: nobody will join the namespaces any more */
	SANDBOX_MESSAGE_SEAL,
	SANDBOX_MESSAGE_SEALED,
	/* C→P: nothing; fds: the seccomp listener */
	SANDBOX_MESSAGE_AT_GATE,
	/* C→P: nothing: at the gate without a filter */
	SANDBOX_MESSAGE_AT_GATE_UNFILTERED,
	/* P→C: go */
	SANDBOX_MESSAGE_GO,
	/* C→P: int32_t errno of execve */
	SANDBOX_MESSAGE_EXEC_FAILED,
	SANDBOX_MESSAGE_MAX,
};

extern const struct ipc_type sandbox_messages[SANDBOX_MESSAGE_MAX];
