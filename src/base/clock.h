/*
 * Time: nanoseconds of the real and the monotonic clock, and RFC 3339 text.
 */
#pragma once

#include "base/attributes.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_SEC UINT64_C(1000000000)

uint64_t clock_real_ns(void);
uint64_t clock_monotonic_ns(void);

#define RFC3339_LEN 30 /* "2026-01-02T03:04:05.123456789Z" */
/* Writes RFC 3339 UTC with nanoseconds and a NUL into out. */
void clock_format_rfc3339(uint64_t real_ns, char out[RFC3339_LEN + 1]);
