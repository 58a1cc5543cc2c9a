/*
 * What a detached session and those who attach to it say to each other, over a
 * SOCK_SEQPACKET socket in the runtime directory, which is the user's alone.
 */
#pragma once

#include "base/err.h"
#include "base/ipc.h"

enum attach_message {
	ATTACH_NONE = 0,
	ATTACH_DATA,   /* typed, or shown */
	ATTACH_WINDOW, /* struct attach_window, of who attaches */
	ATTACH_EXIT,   /* int32_t: the session's exit code; nothing follows */
	ATTACH_MESSAGE_MAX,
};

struct attach_window {
	uint16_t rows, columns;
};

#define ATTACH_DATA_MAX ((size_t)16 * 1024)

extern const struct ipc_type attach_to_session[ATTACH_MESSAGE_MAX];
extern const struct ipc_type attach_from_session[ATTACH_MESSAGE_MAX];

/* The socket's name beside the token's file. Newly allocated. */
char *attach_socket_path(const char *runtime, const char *id) _must_check_;
/*
 * Non-blocking, listening; the directory is made where it is missing and must be the
 * caller's alone. The path may be longer than a socket's address.
 */
int attach_listen(const char *path, int *ret_fd, struct err *err) _must_check_;
/* Blocking. -ENOENT: the session is none that one could attach to. */
int attach_connect(const char *path, int *ret_fd, struct err *err) _must_check_;

/* The output that a detached session keeps, in its directory: the older part and the newer. */
#define ATTACH_OUTPUT "output"
#define ATTACH_OUTPUT_OLDER "output.1"
/* What leash itself has said since it left the terminal. */
#define ATTACH_LOG "leash.log"
