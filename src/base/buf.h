/*
 * A growable byte buffer that knows how large it may become.
 *
 * Every buffer that a peer feeds is born with a limit. An append that would
 * pass it frees the content and marks the buffer failed; it stays failed until
 * buf_reset, so a forgotten check cannot lead to half a message.
 */
#pragma once

#include <stdint.h>

#include "base/span.h"

#pragma GCC visibility push(default)

struct buf {
	char *data; /* NUL-terminated when not NULL */
	size_t len, cap;
	size_t max; /* 0 means unlimited; then running out of memory aborts */
	bool failed;
};

#define BUF_INIT(limit) { .max = (limit) }

/* All return 0, or -EMSGSIZE once the limit was passed. */
int buf_append(struct buf *b, const void *p, size_t len);
int buf_append_span(struct buf *b, struct span s);
int buf_append_str(struct buf *b, const char *s);
int buf_append_char(struct buf *b, char c);
/* In decimal digits. */
int buf_append_number(struct buf *b, uint64_t number);
int buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);

/* Makes room for n more bytes and returns where they go, or NULL; commit with buf_grow. */
char *buf_reserve(struct buf *b, size_t n) _must_check_;
void buf_grow(struct buf *b, size_t n);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Empties the buffer, keeps its memory, clears failed. */
void buf_reset(struct buf *b);
void buf_done(struct buf *b);
/* Hands the memory over as a NUL-terminated string (never NULL unless failed). */
char *buf_take(struct buf *b) _must_check_;

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){ b->data, b->len };
}

#define _cleanup_buf_ _cleanup_(buf_done)

#pragma GCC visibility pop
