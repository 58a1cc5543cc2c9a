/*
 * Memory for what nobody may see: pages of its own, kept out of swap and core
 * dumps, zero in a forked child, wiped before they are given back. There is no
 * helper that formats it.
 */
#pragma once

#include "base/span.h"

struct secret {
	char *p; /* NULL: none */
	size_t len;
};

/* Zeroed memory of so many bytes, at least one. -ENOMEM. */
int secret_alloc(size_t len, struct secret *ret) _must_check_;
/* The same with a copy of the bytes. */
int secret_copy(struct span bytes, struct secret *ret) _must_check_;
/* Wipes and unmaps; the struct may be used again. */
void secret_done(struct secret *s);
/* Can such memory be kept out of swap here (RLIMIT_MEMLOCK)? Where not, it works all the same. */
bool secret_can_be_locked(void);

static inline struct span secret_span(const struct secret *s)
{
	return (struct span){ s->p, s->len };
}

/* Do n bytes agree? Takes the same time wherever they differ. */
bool secret_bytes_eq(const char *a, const char *b, size_t n);

#define _cleanup_secret_ _cleanup_(secret_done)
