/*
 * Numbers and points in time on the command line.
 */
#pragma once

#include "base/err.h"

#define MOMENT_FORMS                                                                               \
	"an event's number, how long ago (90s, 10m, 2h, 3d), or a time like 2026-01-31T14:25:00Z"

/* Digits alone. -EINVAL. */
int moment_parse_number(const char *text, uint64_t max, uint64_t *ret) _must_check_;
/* The same for a flag's value; says what was expected. */
int moment_parse_flag(const char *flag, const char *value, uint64_t max, uint64_t *ret,
		      struct err *err) _must_check_;
/*
 * A duration ("90s", "10m", "2h", "3d") before now, or a time (RFC 3339;
 * "2026-01-31" alone is its first moment in UTC), as real nanoseconds. -EINVAL.
 */
int moment_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns) _must_check_;
/* How long: seconds, or a sum of parts ("90", "1m30s", "1.5h", "500ms"), more than nothing.
 * -EINVAL. */
int moment_parse_length(const char *text, uint64_t *ret_ms) _must_check_;
