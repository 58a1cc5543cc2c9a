/*
 * Base64 (RFC 4648 §4).
 */
#pragma once

#include "base/buf.h"

/* Length of n bytes in Base64, padded. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* The first three work in the caller's memory alone: of a secret no copy stays behind. */

/* Writes BASE64_LEN(bytes.len) characters. */
void base64_encode(struct span bytes, char *out);
bool base64_is_letter(char c);
/*
 * Writes at most text.len bytes and returns how many. Padding may be left out.
 * -EBADMSG for anything else that is no Base64.
 */
int base64_decode(struct span text, char *out) _must_check_;

/* As PEM has it. Appends the text, with padding, in lines of line_len characters (a multiple of
 * four; 0: one line without end). */
int base64_append(struct span bytes, size_t line_len, struct buf *out) _must_check_;
/* Appends the bytes; blanks and line ends between characters are skipped. -EINVAL for what is not
 * Base64. */
int base64_decode_lines(struct span text, struct buf *out) _must_check_;
