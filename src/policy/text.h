/*
 * Bytes of the system as Cedar strings, and back.
 *
 * Paths and arguments are any bytes; Cedar strings are Unicode. A byte that is
 * no part of well-formed UTF-8 becomes the scalar U+10FF00 + byte, and the four
 * bytes of a real scalar in U+10FF00..U+10FFFF are written the same way, one
 * by one. So no two byte strings share a text, and policies can name any path.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* Is the text of these bytes the bytes themselves? */
bool text_is_plain(struct span bytes);
/* Appends the text of the bytes. */
int text_from_bytes(struct span bytes, struct buf *out);
/* The text of the bytes: the bytes themselves where plain, else in the arena. False: out of memory.
 */
bool text_in_arena(struct span bytes, struct arena *arena, struct span *ret) _must_check_;
/* Appends the bytes a text stands for (U+10FF80..U+10FFFF become bytes; policies write those). */
int text_to_bytes(struct span text, struct buf *out);
/* Appends the text of the bytes as a Cedar string literal, quotes included. */
int text_append_literal(struct span bytes, struct buf *out);
