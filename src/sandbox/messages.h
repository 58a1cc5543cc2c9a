/*
 * Messages on the control socket between the caller of sandbox_start (C),
 * the container's init (I) and, until it executes, the command's process (P).
 */
#pragma once

#include "base/err.h"
#include "base/ipc.h"
#include "sandbox/sandbox.h"

enum sandbox_message {
	MESSAGE_NONE,
	MESSAGE_BROKEN,	  /* I,P→C: struct err: the container could not be set up */
	MESSAGE_TCP,	  /* I→C, fds: listeners for every TCP connection, v4 and v6 */
	MESSAGE_DNS,	  /* I→C, fds: DNS listeners: UDP v4, UDP v6, TCP v4, TCP v6 */
	MESSAGE_PTY,	  /* I→C, fd: the pty's master */
	MESSAGE_FILE,	  /* I→C, with the file's number as id, fd: to write it with */
	MESSAGE_COMMAND,  /* I→C, fd: pidfd of the command's process */
	MESSAGE_AT_GATE,  /* P→C: waits at the gate, without a seccomp filter */
	MESSAGE_FILTERED, /* P→C, fd: waits at the gate; the filter's listener */
	MESSAGE_EVENT,	  /* I,P→C: struct sandbox_event */
	MESSAGE_WRITABLE, /* C→I, fd: a sealed file of paths, each with its NUL: what stays writable
			   */
	MESSAGE_SIGNAL,	  /* C→I: int32_t: send it to the command's process group */
	MESSAGE_MAPPED,	  /* C→I: the container's ids are there */
	MESSAGE_MAX,
};

/* Bytes of all writable paths together. */
#define WRITABLE_MAX ((size_t)8 * 1024 * 1024)

extern const struct ipc_type sandbox_messages_to_caller[MESSAGE_MAX];
extern const struct ipc_type sandbox_messages_to_init[MESSAGE_MAX];
