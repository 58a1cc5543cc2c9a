/*
 * A typed growable array: VEC(struct thing) things = { 0 }; vec_push(&things, t);
 * For counts that we choose or that a limit bounds; growing aborts when memory
 * is gone. Pointers into items are invalid after the next push.
 */
#pragma once

#include "base/alloc.h"

#define VEC(type)            \
	struct {             \
		type *items; \
		size_t len, cap; \
	}

#define vec_push(v, ...)                                                                    \
	do {                                                                                \
		if ((v)->len == (v)->cap) {                                                 \
			(v)->cap = (v)->cap ? (v)->cap * 2 : 8;                             \
			(v)->items = xrealloc_array((v)->items, (v)->cap, sizeof(*(v)->items)); \
		}                                                                           \
		(v)->items[(v)->len++] = (__VA_ARGS__);                                     \
	} while (0)

#define vec_done(v)               \
	do {                      \
		xfree((v)->items); \
		(v)->items = NULL; \
		(v)->len = (v)->cap = 0; \
	} while (0)
