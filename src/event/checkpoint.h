/*
 * Moves what a session's write-ahead log holds into its database, on a thread:
 * it waits for the disk, which the daemon's loop must not (the terminal and
 * every operation that waits for room in a ring are behind it).
 *
 * First it moves what there is while writing goes on; then it asks the writer
 * to pause, and moves the rest. The log begins again at its start only if
 * nothing was added between the end of that and the next transaction.
 */
#pragma once

#include "base/attributes.h"

struct checkpoint;

/* Unless one is at work. *c belongs to the functions of this file; NULL at first. */
void checkpoint_start(struct checkpoint **c, const char *path);
/* Should the writer begin no transaction now? A question that is asked in vain does no harm. */
bool checkpoint_wants_pause(const struct checkpoint *c);
/* The writer has no transaction open, and begins none while a pause is wanted. */
void checkpoint_pause(struct checkpoint *c);
/* Waits until none is at work, and frees it. Returns what the last one ended with. */
int checkpoint_wait(struct checkpoint **c);
