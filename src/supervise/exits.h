/*
 * Ends of programs. Each process that executes one is held by a descriptor of
 * its own, which becomes readable when the process ends; then proc.exit says so,
 * with the exit status where the kernel tells it. Nobody waits for it: a
 * process ends as fast as without.
 *
 * Workers add, the control thread handles. Descriptors are bounded; past that
 * bound programs end without an event.
 */
#pragma once

#include "event/ring.h"

struct exits;

/* proc_fd: of the /proc that numbers processes as events do; like the ring it must outlive exits.
 * NULL with errno. */
struct exits *exits_new(int proc_fd, struct event_ring *ring);
/*
 * A process runs a program: the event's pid, ppid, uid, exe, comm, cwd and
 * path are kept until it ends. The process must be known to be there.
 */
void exits_add(struct exits *x, const struct event *e);
/* Becomes readable when there is something to handle. */
int exits_fd(const struct exits *x);
/* Records those that have ended by now. False: none has. */
bool exits_handle(struct exits *x);
