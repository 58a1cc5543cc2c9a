/*
 * What follows "Basic" in HTTP (RFC 7617): user and password in Base64. Into
 * memory of the caller's, because of what it holds no copy may stay behind.
 */
#pragma once

#include "base/span.h"

/* Length of n bytes in base64, padded. */
#define BASIC_LEN(n) (((n) + 2) / 3 * 4)

/* Writes BASIC_LEN(bytes.len) characters. */
void basic_encode(struct span bytes, char *out);
bool basic_is_letter(char c);
/*
 * Writes at most text.len bytes and returns how many. Padding may be left out.
 * -EBADMSG for anything else that is no base64.
 */
int basic_decode(struct span text, char *out) _must_check_;
