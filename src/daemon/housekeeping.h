/*
 * Removes old sessions while a new one runs: `leash sessions prune --quiet`, in
 * a process of its own, for deleting waits for the disk. It begins a moment
 * after the command, and ends with the session.
 */
#pragma once

#include <uv.h>

#include "base/attributes.h"

struct housekeeping {
	uv_timer_t timer;
	uv_process_t process;
	bool is_running;
};

/* Failure is no reason to end a session. */
void housekeeping_start(struct housekeeping *h, uv_loop_t *loop);
void housekeeping_stop(struct housekeeping *h);
