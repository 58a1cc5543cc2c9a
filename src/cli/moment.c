#include "cli/moment.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/ascii.h"
#include "base/clock.h"

/* Takes digits from *text; -EINVAL where there are none or too many. */
static int take_number(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t n = 0;

	while (*p >= '0' && *p <= '9') {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return -EINVAL;
		p++;
	}
	if (p == *text)
		return -EINVAL;
	*text = p;
	*ret = n;
	return 0;
}

int moment_parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t n;

	if (take_number(&text, &n) < 0 || *text || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

int moment_parse_flag(const char *flag, const char *value, uint64_t max, uint64_t *ret,
		      struct err *err)
{
	if (moment_parse_number(value, max, ret) == 0)
		return 0;
	return err_say(err, -EINVAL, "--%s %s: expected a number up to %llu", flag, value,
		       (unsigned long long)max);
}

static int parse_duration(const char *text, uint64_t *ret_ns)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	uint64_t n;

	if (take_number(&text, &n) < 0 || !text[0] || text[1])
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (text[0] == units[i].unit)
			return __builtin_mul_overflow(n, units[i].seconds * NS_PER_SEC, ret_ns)
				       ? -EINVAL
				       : 0;
	return -EINVAL;
}

/* What follows the point of a second's fraction; digits beyond nanoseconds do not count. */
static int take_fraction(const char **text, uint64_t *ret_ns)
{
	uint64_t unit = NS_PER_SEC / 10;

	*ret_ns = 0;
	if (**text != '.')
		return 0;
	if ((*text)[1] < '0' || (*text)[1] > '9')
		return -EINVAL;
	for (++*text; **text >= '0' && **text <= '9'; ++*text, unit /= 10)
		*ret_ns += unit * (uint64_t)(**text - '0');
	return 0;
}

/* "Z" or "+01:00": what must be taken off to get UTC. */
static int parse_zone(const char *text, int64_t *ret_seconds)
{
	struct tm tm = { 0 };
	const char *rest;

	*ret_seconds = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return 0;
	if (text[0] != '+' && text[0] != '-')
		return -EINVAL;
	rest = strptime(text + 1, "%H:%M", &tm);
	if (!rest || *rest || strlen(text) != strlen("+01:00"))
		return -EINVAL;
	*ret_seconds = (text[0] == '-' ? -1 : 1) * (int64_t)(tm.tm_hour * 3600 + tm.tm_min * 60);
	return 0;
}

static int parse_time(const char *text, uint64_t *ret_ns)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	uint64_t fraction = 0;
	int64_t zone = 0, seconds;

	if (!rest)
		return -EINVAL;
	if (*rest) {
		if (*rest != 'T' && *rest != 't' && *rest != ' ')
			return -EINVAL;
		rest = strptime(rest + 1, "%H:%M:%S", &tm);
		if (!rest || take_fraction(&rest, &fraction) < 0 || parse_zone(rest, &zone) < 0)
			return -EINVAL;
	}
	seconds = (int64_t)timegm(&tm) - zone;
	if (seconds < 0 || (uint64_t)seconds > INT64_MAX / NS_PER_SEC - 1)
		return -EINVAL;
	*ret_ns = (uint64_t)seconds * NS_PER_SEC + fraction;
	return 0;
}

int moment_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	uint64_t ago;

	if (parse_duration(text, &ago) == 0) {
		*ret_ns = ago < now_ns ? now_ns - ago : 0;
		return 0;
	}
	return parse_time(text, ret_ns);
}

/* One part of a length, "1.5h"; without a unit where none follows and nothing went before. */
static int take_part(const char **text, bool is_first, uint64_t *ret_ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "ns", 1 },	   { "us", 1000 },	     { "ms", NS_PER_MS },
		      { "s", NS_PER_SEC }, { "m", 60 * NS_PER_SEC }, { "h", 3600 * NS_PER_SEC } };
	uint64_t n, fraction, unit = is_first ? NS_PER_SEC : 0;
	size_t len;

	if (take_number(text, &n) < 0 || take_fraction(text, &fraction) < 0)
		return -EINVAL;
	len = strspn(*text, "numsh");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].unit) == len && strncmp(units[i].unit, *text, len) == 0)
			unit = units[i].ns;
	if (!unit || (!len && **text) || __builtin_mul_overflow(n, unit, ret_ns))
		return -EINVAL;
	if (len && unit < NS_PER_SEC && fraction)
		fraction = (uint64_t)((double)fraction / NS_PER_SEC * (double)unit);
	else
		fraction *= unit / NS_PER_SEC;
	*text += len;
	return __builtin_add_overflow(*ret_ns, fraction, ret_ns) ? -EINVAL : 0;
}

int moment_parse_length(const char *text, uint64_t *ret_ms)
{
	const char *p = text;
	uint64_t sum = 0;

	do {
		uint64_t part;

		if (take_part(&p, p == text, &part) < 0 || __builtin_add_overflow(sum, part, &sum))
			return -EINVAL;
	} while (*p);
	*ret_ms = sum / NS_PER_MS;
	return *ret_ms ? 0 : -EINVAL;
}
