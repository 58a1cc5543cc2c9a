/*
 * Which event another one follows from, told from what the session's processes
 * reported lately (docs/EVENTS.md, "Causes"). Bounded tables of the latest:
 * what was pushed out by others gives no cause, never a wrong one.
 */
#pragma once

#include "event/event.h"

struct causes;

struct causes *causes_new(void) _must_check_;
void causes_free(struct causes *c);
/* Fills in cause and exec, where known. */
void causes_find(const struct causes *c, struct event *e);
/* The event has been given that seq: later ones may follow from it. */
void causes_note(struct causes *c, const struct event *e, uint64_t seq);
