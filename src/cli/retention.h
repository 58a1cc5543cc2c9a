/*
 * Which sessions are kept: the oldest go first, by age and by the space that all
 * take. What runs stays, and so does what ended within the last hour.
 */
#pragma once

#include "base/err.h"
#include "base/vec.h"

#define RETENTION_MAX_DAYS 36500
#define RETENTION_MAX_MB (UINT64_C(1) << 40)

struct retention {
	uint64_t days, mb; /* 0: no limit */
};

#define RETENTION_DEFAULT                                                                          \
	{                                                                                          \
		.days = 30, .mb = 1024                                                             \
	}

/* A session that is to go, and why. */
struct retention_victim {
	char *id;
	uint64_t bytes;
	bool is_too_old; /* else the sessions after it take all the space */
};

typedef VEC(struct retention_victim) retention_victims;

/* What would go now, the oldest first, max at most. */
int retention_plan(const struct retention *keep, const char *state, size_t max,
		   retention_victims *ret, struct err *err) _must_check_;
void retention_victims_done(retention_victims *v);
/* Removes a session's directory with the files in it. -EBUSY: it runs. */
int retention_remove(const char *state, const char *id, struct err *err) _must_check_;
