/*
 * A ring of events in shared memory: one process writes (its threads take a
 * lock inside), one process reads. The writer never waits for long: a full
 * ring blocks it for at most RING_BLOCK_MS, then the event is counted as lost
 * and the count is delivered as an EVENT_LOST record as soon as there is room.
 * The reader trusts nothing that it reads: lengths are checked before use, and
 * a writer that broke the format is reported (-EBADMSG), not followed.
 */
#pragma once

#include "base/err.h"
#include "event/event.h"

#define RING_DEFAULT_SIZE ((size_t)512 * 1024) /* bytes of data, a power of two; a busy ring is resident in both processes */
#define RING_BLOCK_MS 1000
#define RING_TEXT_MAX ((size_t)8 * 1024) /* bytes of each text but argv; longer ones are cut and is_cut is set */

struct event_ring; /* one process's view: a mapping of the memfd plus its eventfd */

/* Makes the shared memory and the eventfd that wakes the reader; both close-on-exec, caller owns. */
int event_ring_create(size_t size, int *ret_memory_fd, int *ret_wake_fd, struct err *err) _must_check_;
/* Maps it; takes ownership of neither descriptor (wake_fd must stay open as long as the ring). */
int event_ring_open_writer(int memory_fd, int wake_fd, struct event_ring **ret) _must_check_;
int event_ring_open_reader(int memory_fd, int wake_fd, struct event_ring **ret) _must_check_;
void event_ring_free(struct event_ring *r);

/* Copies the event into the ring. Thread-safe within the writing process; never allocates. */
void event_ring_write(struct event_ring *r, const struct event *e);

/*
 * Calls fn for each event present at the time of the call, oldest first; its
 * spans are valid during the call only. Returns how many, or -EBADMSG, now and
 * ever after, when the writer broke the format. Clears the wake-up, and sets it
 * again if more has come meanwhile: one call per poll is enough.
 */
int event_ring_drain(struct event_ring *r, void (*fn)(const struct event *e, void *ctx), void *ctx);
