/*
 * Bytes from one descriptor to another by the event loop, with back-pressure:
 * while the reader of `to` is slow, `from` is not read beyond a backlog.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"

struct flow {
	uv_poll_t reader, writer;
	uv_loop_t *loop;    /* NULL: not started */
	int from_fd, to_fd; /* owned, non-blocking; -1: closed */
	struct buf pending; /* read and not yet written */
	bool is_reading, at_end, is_broken; /* broken: nobody reads `to` any more */
	/* Set before the start, or NULL: `from` has ended and all of it is written. */
	void (*on_end)(void *ctx);
	void *on_end_ctx;
};

/* Takes ownership of both descriptors, also on failure; they must be different open files or
 * duplicates. */
int flow_start(struct flow *f, uv_loop_t *loop, int from_fd, int to_fd) _must_check_;
/* Copies what `from` holds at this moment; gives a reader that does not read 2 s. */
void flow_drain(struct flow *f);
/* Closes both descriptors. From a callback, too; safe on a zeroed flow. */
void flow_close(struct flow *f);
/* Closes both and frees what is held. Not from a callback; safe on a zeroed flow. */
void flow_stop(struct flow *f);
