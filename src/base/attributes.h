/*
 * Compiler attributes and cleanup helpers used in every room.
 *
 * Variables marked _cleanup_* are declared initialised and release what they
 * hold when they leave scope; TAKE_PTR and TAKE_FD hand ownership over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))
#define _noreturn_ __attribute__((noreturn))
#define _unused_ __attribute__((unused))
#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* <sys/param.h> has them too. */
#undef MIN
#undef MAX
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken__ = (p);                                                       \
		(p) = NULL;                                                                        \
		taken__;                                                                           \
	})

#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken__ = fd;                                                                  \
		(fd) = -1;                                                                         \
		taken__;                                                                           \
	})

/* Frees the pointer that *p holds; for _cleanup_free_. */
void cleanup_free(void *p);
/* Closes the descriptor *fd unless it is negative, and keeps errno; for _cleanup_close_. */
void cleanup_close(const int *fd);

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
