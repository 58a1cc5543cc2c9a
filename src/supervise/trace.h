/*
 * Following one exec: the task is seized, its call let go on, and at the exec
 * stop, before the new program runs an instruction, the caller may look at it
 * and release or kill it. The calling thread is the tracer throughout, and
 * traces one task at a time.
 */
#pragma once

#include <sys/types.h>

#include "base/attributes.h"

struct worker;

enum trace_outcome {
	TRACE_GONE,	   /* the task died, or its call was no longer there; nothing is traced */
	TRACE_FAILED,	   /* the exec failed; the task was released */
	TRACE_EXECUTED,	   /* it stands at the exec stop: trace_release or trace_kill it */
	TRACE_UNTRACEABLE, /* another tracer has it, and its call still waits */
};

/*
 * Lets the current call of the worker run under our eyes. *ret_pid: the task at its stop. is_held:
 * on this processor (affinity.h). After an exec that fails it would run on so for a moment, so that
 * is for one that will not.
 */
enum trace_outcome trace_exec(struct worker *w, bool is_held, pid_t *ret_pid);
/* begins_in_loader: its first call will be an open, before any code of its own runs; see
 * affinity.h. */
void trace_release(struct worker *w, pid_t pid, bool begins_in_loader);
void trace_kill(struct worker *w, pid_t pid);
