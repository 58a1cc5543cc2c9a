/*
 * Handing a descriptor to the caller. The caller puts it into its table itself:
 * it is woken for that, and the worker waits. The two can do so on two processors or
 * on one (affinity.h); which is faster depends on the machine and on what else
 * runs there, so it is measured all the time.
 */
#pragma once

#include <stdint.h>

#include "base/attributes.h"

struct worker;

/* Of one worker. */
struct give_times {
	uint64_t apart_ns, beside_ns; /* what it took lately; 0: not known yet */
	unsigned n;
};

/* Puts fd into the caller's table; the call still waits. Its number there, or a negative errno. */
int give(struct worker *w, int fd, bool close_on_exec) _must_check_;
/* The same, and the call returns that number. */
int give_and_answer(struct worker *w, int fd, bool close_on_exec) _must_check_;
