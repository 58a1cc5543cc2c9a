/*
 * What leash outside says to leash inside an engine's container, on its
 * standard input: frames of a type, a length and so many bytes. Nothing of it
 * is on a command line or in the container's description.
 */
#pragma once

#include "base/buf.h"

enum frame_type {
	FRAME_NONE,
	FRAME_HELLO,  /* first: what to run, and how (hello.h) */
	FRAME_DATA,   /* bytes of the command's standard input */
	FRAME_END,    /* it has ended */
	FRAME_WINDOW, /* struct frame_window: the terminal's size */
	FRAME_SIGNAL, /* uint32_t: a signal for the session */
	FRAME_MAX,
};

struct frame_window {
	uint16_t rows, columns;
};

struct frame {
	enum frame_type type;
	struct span payload; /* in the buffer that it was taken from */
};

#define FRAME_HEADER_LEN ((size_t)8)
#define FRAME_DATA_MAX ((size_t)64 * 1024)
/* Arguments, environment and policies; the kernel's own limit for the first two is 2 MiB. */
#define FRAME_HELLO_MAX ((size_t)16 * 1024 * 1024)

/* Appends one. -EMSGSIZE where it is longer than its type may be, or the buffer full. */
int frame_put(struct buf *out, enum frame_type type, struct span payload) _must_check_;
/*
 * Takes the first whole frame of what was read; *ret_len is what to consume
 * afterwards. 1, 0 where more must be read, or -EBADMSG.
 */
int frame_take(struct span read, struct frame *ret, size_t *ret_len) _must_check_;
