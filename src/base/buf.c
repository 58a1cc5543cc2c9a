#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

static int fail(struct buf *b)
{
	buf_done(b);
	b->failed = true;
	return -EMSGSIZE;
}

char *buf_reserve(struct buf *b, size_t n)
{
	size_t need, cap;

	if (b->failed || __builtin_add_overflow(b->len, n, &need) || need > SIZE_MAX / 4 ||
	    (b->max && need > b->max)) {
		(void)fail(b);
		return NULL;
	}
	if (need + 1 > b->cap) {
		cap = MAX(need + 1, MAX(b->cap * 2, (size_t)64));
		b->data = xrealloc_array(b->data, cap, 1);
		b->cap = cap;
	}
	b->data[b->len] = 0;
	return b->data + b->len;
}

void buf_grow(struct buf *b, size_t n)
{
	b->len += n;
	b->data[b->len] = 0;
}

int buf_append(struct buf *b, const void *p, size_t len)
{
	char *to = buf_reserve(b, len);

	if (!to)
		return -EMSGSIZE;
	if (len)
		memcpy(to, p, len);
	buf_grow(b, len);
	return 0;
}

int buf_append_span(struct buf *b, struct span s)
{
	return buf_append(b, s.p, s.len);
}

int buf_append_str(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int buf_append_char(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}

int buf_append_number(struct buf *b, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return buf_append(b, digits + at, sizeof(digits) - at);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return fail(b);
	to = buf_reserve(b, (size_t)n);
	if (!to)
		return -EMSGSIZE;
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_grow(b, (size_t)n);
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
	} else {
		memmove(b->data, b->data + n, b->len - n);
		b->len -= n;
	}
	if (b->data)
		b->data[b->len] = 0;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = 0;
}

void buf_done(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
	b->failed = false;
}

char *buf_take(struct buf *b)
{
	char *data;

	if (b->failed)
		return NULL;
	data = b->data ? b->data : xstrdup("");
	b->data = NULL;
	b->len = b->cap = 0;
	return data;
}
