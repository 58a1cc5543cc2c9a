/*
 * Base64 (RFC 4648 §4), as the Basic scheme of HTTP uses it.
 */
#pragma once

#include "base/span.h"

/* Length of n bytes in base64, padded. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_LEN(bytes.len) characters. */
void base64_encode(struct span bytes, char *out);
bool base64_is_letter(char c);
/*
 * Writes at most text.len bytes and returns how many. Padding may be left out.
 * -EBADMSG for anything else that is no base64.
 */
int base64_decode(struct span text, char *out) _must_check_;
