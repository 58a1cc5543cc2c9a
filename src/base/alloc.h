/*
 * Small allocations whose size we choose ourselves. They abort when memory is
 * gone: every process of leash may die at any time, and its death denies.
 * Anything whose size a peer chooses goes through struct buf or struct arena.
 */
#pragma once

#include <string.h>

#include "base/attributes.h"

void *xcalloc(size_t n, size_t size) _must_check_;
void *xrealloc_array(void *p, size_t n, size_t size) _must_check_;
char *xstrdup(const char *s) _must_check_;
/* Copies len bytes and adds a NUL. */
char *xmemdup0(const void *p, size_t len) _must_check_;
char *xasprintf(const char *fmt, ...) _must_check_ _printf_(1, 2);
/* free(3), under a name that may be used outside base/. */
void xfree(void *p);

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))
#define xnew_array(type, n) ((type *)xcalloc((n), sizeof(type)))
