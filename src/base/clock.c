#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		abort();
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_real_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_format_rfc3339(uint64_t real_ns, char out[RFC3339_LEN + 1])
{
	time_t seconds = (time_t)(real_ns / NS_PER_SEC);
	char text[64] = "";
	struct tm tm;
	size_t n;

	if (gmtime_r(&seconds, &tm))
		n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	else
		n = 0;
	(void)snprintf(text + n, sizeof(text) - n, ".%09uZ", (unsigned)(real_ns % NS_PER_SEC));
	memcpy(out, text, RFC3339_LEN);
	out[RFC3339_LEN] = 0;
}
