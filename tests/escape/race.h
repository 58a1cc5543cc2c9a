/* What the races share: a swapper that runs beside, and the tally. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct tally {
	long n_rounds, n_allowed, n_refused, n_reached, n_other;
};

/*
 * Is there another round? ROUNDS of them, and more, up to ten times as many,
 * as long as one side has hardly been met: on a busy machine the swapper may not get to run at
 * first.
 */
bool race_goes_on(const struct tally *t);
/* Counts one round by the content that fd gives; closes it. fd < 0: looks at errno. */
void race_count_fd(struct tally *t, int fd);
/*
 * Verdict: the denied object never; both were met, for a race in which one side always wins proves
 * nothing.
 */
void race_end(const struct tally *t, const char *name);
/* Verdict where neither may be reached, because the operation itself is refused. */
void race_end_refused(const struct tally *t, const char *name);

/* Calls swap(arg) as fast as it can in a thread of this process, or in a process of its own. */
struct swapper;
struct swapper *swapper_start(void (*swap)(void *), void *arg, bool in_process);
void swapper_stop(struct swapper *s);

/* A swapper's function: a byte is one, then the other, for up to some microseconds each. */
struct flip {
	volatile char *byte;
	char one, other;
};
void race_flip(void *flip);

/* ALLOWED and DENIED differ in one byte: a buffer that holds the one, and the byte's place. */
char *race_path(size_t *ret_place);
