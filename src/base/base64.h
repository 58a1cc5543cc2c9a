/*
 * Base64 (RFC 4648 §4), as PEM has it.
 */
#pragma once

#include "base/buf.h"

/* Appends the text, with padding, in lines of line_len characters (a multiple of four; 0: one line
 * without end). */
int base64_append(struct span bytes, size_t line_len, struct buf *out) _must_check_;
/* Appends the bytes; blanks and line ends between characters are skipped. -EINVAL for what is not
 * Base64. */
int base64_decode(struct span text, struct buf *out) _must_check_;
