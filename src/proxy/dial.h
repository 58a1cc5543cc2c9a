/*
 * Opens a TCP connection to the first of some addresses that answers. The
 * caller has decided on each of them; nothing else is ever dialled.
 */
#pragma once

#include <uv.h>

#include "proxy/address.h"

#define DIAL_MAX_ADDRESSES 8

struct dial;

/* fd is the caller's, or a negative errno of the last attempt. Never called from within dial_start.
 */
typedef void (*dial_fn)(void *ctx, int fd, const struct endpoint *to);

/* More addresses that may be dialled: asked for once, when none of the first has answered so far.
 */
typedef size_t (*dial_more_fn)(void *ctx, struct endpoint ret[DIAL_MAX_ADDRESSES]);

struct dial *dial_start(uv_loop_t *loop, const struct endpoint *addresses, size_t n, dial_fn fn,
			dial_more_fn more, void *ctx);
/* fn will not be called any more. NULL allowed. */
void dial_cancel(struct dial *d);
