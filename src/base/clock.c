#include "base/clock.h"

#include <stdlib.h>
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

static char *put_digits(char *to, unsigned value, unsigned n)
{
	for (unsigned i = n; i > 0; i--) {
		to[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	return to + n;
}

/* By hand: strftime and snprintf took a tenth of the time that logging an event takes. */
void clock_format_rfc3339(uint64_t real_ns, char out[RFC3339_LEN + 1])
{
	const time_t seconds = (time_t)(real_ns / NS_PER_SEC);
	char *to = out;
	struct tm tm = { .tm_mday = 1 };

	if (!gmtime_r(&seconds, &tm))
		tm = (struct tm){ .tm_mday = 1 };
	to = put_digits(to, (unsigned)(tm.tm_year + 1900), 4);
	*to++ = '-';
	to = put_digits(to, (unsigned)(tm.tm_mon + 1), 2);
	*to++ = '-';
	to = put_digits(to, (unsigned)tm.tm_mday, 2);
	*to++ = 'T';
	to = put_digits(to, (unsigned)tm.tm_hour, 2);
	*to++ = ':';
	to = put_digits(to, (unsigned)tm.tm_min, 2);
	*to++ = ':';
	to = put_digits(to, (unsigned)tm.tm_sec, 2);
	*to++ = '.';
	to = put_digits(to, (unsigned)(real_ns % NS_PER_SEC), 9);
	*to++ = 'Z';
	*to = 0;
}
