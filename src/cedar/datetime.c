/*
 * datetime: YYYY-MM-DD, or with THH:MM:SS[.mmm] and Z or an offset of +-hhmm; no
 * leap seconds, the Gregorian calendar also before 1582. duration: days, hours,
 * minutes, seconds, milliseconds, in this order. Both are an i64 in ms.
 */
#include <errno.h>

#include "cedar/cedar.h"
#include "cedar/print-private.h"

#define MS_PER_DAY INT64_C(86400000)

/* Exactly n digits at *at; moves behind them. */
static int take_digits(struct span s, size_t *at, size_t n, int64_t *ret)
{
	int64_t value = 0;

	if (s.len - *at < n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		char c = s.p[*at + i];

		if (c < '0' || c > '9')
			return -EINVAL;
		value = value * 10 + (c - '0');
	}
	*at += n;
	*ret = value;
	return 0;
}

static int take_char(struct span s, size_t *at, char c)
{
	if (*at >= s.len || s.p[*at] != c)
		return -EINVAL;
	++*at;
	return 0;
}

static bool is_leap_year(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int64_t days_in_month(int64_t y, int64_t m)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[m - 1] + (m == 2 && is_leap_year(y) ? 1 : 0);
}

/* Days since 1970-01-01; years begin in March, so that the leap day is their last. */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
	int64_t year = y + 400 - (m <= 2 ? 1 : 0); /* one cycle ahead: not negative */
	int64_t month = (m + 9) % 12;
	int64_t before_year = year * 365 + year / 4 - year / 100 + year / 400;
	int64_t before_month = (month * 153 + 2) / 5;

	return before_year + before_month + d - 1 - 719468 - 146097;
}

static int take_date(struct span s, size_t *at, int64_t *ret_ms)
{
	int64_t y, m, d;

	if (take_digits(s, at, 4, &y) < 0 || take_char(s, at, '-') < 0 ||
	    take_digits(s, at, 2, &m) < 0 || take_char(s, at, '-') < 0 ||
	    take_digits(s, at, 2, &d) < 0)
		return -EINVAL;
	if (m < 1 || m > 12 || d < 1 || d > days_in_month(y, m))
		return -EINVAL;
	*ret_ms = days_from_civil(y, m, d) * MS_PER_DAY;
	return 0;
}

/* THH:MM:SS[.mmm] */
static int take_time(struct span s, size_t *at, int64_t *ret_ms)
{
	int64_t hour, minute, second;
	int64_t ms = 0;

	if (take_char(s, at, 'T') < 0 || take_digits(s, at, 2, &hour) < 0 ||
	    take_char(s, at, ':') < 0 || take_digits(s, at, 2, &minute) < 0 ||
	    take_char(s, at, ':') < 0 || take_digits(s, at, 2, &second) < 0)
		return -EINVAL;
	if (hour > 23 || minute > 59 || second > 59)
		return -EINVAL;
	if (take_char(s, at, '.') == 0 && take_digits(s, at, 3, &ms) < 0)
		return -EINVAL;
	*ret_ms = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
	return 0;
}

/* Z, +hhmm or -hhmm: how far the local time is ahead. */
static int take_offset(struct span s, size_t *at, int64_t *ret_ms)
{
	int64_t sign = 1;
	int64_t hour, minute;

	*ret_ms = 0;
	if (take_char(s, at, 'Z') == 0)
		return 0;
	if (take_char(s, at, '-') == 0)
		sign = -1;
	else if (take_char(s, at, '+') < 0)
		return -EINVAL;
	if (take_digits(s, at, 2, &hour) < 0 || take_digits(s, at, 2, &minute) < 0)
		return -EINVAL;
	if (hour > 23 || minute > 59)
		return -EINVAL;
	*ret_ms = sign * (hour * 60 + minute) * 60000;
	return 0;
}

int cedar_datetime_parse(struct span text, int64_t *ret_ms)
{
	int64_t date;
	int64_t time = 0;
	int64_t offset = 0;
	size_t at = 0;

	if (take_date(text, &at, &date) < 0)
		return -EINVAL;
	if (at < text.len &&
	    (take_time(text, &at, &time) < 0 || take_offset(text, &at, &offset) < 0))
		return -EINVAL;
	if (at != text.len)
		return -EINVAL;
	*ret_ms = date + time - offset;
	return 0;
}

/* Digits at *at as a number with the given sign; -ERANGE past i64. */
static int take_number(struct span s, size_t *at, bool is_negative, int64_t *ret)
{
	size_t begin = *at;
	int64_t n = 0;

	for (; *at < s.len && s.p[*at] >= '0' && s.p[*at] <= '9'; ++*at) {
		int64_t digit = s.p[*at] - '0';

		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, is_negative ? -digit : digit, &n))
			return -ERANGE;
	}
	*ret = n;
	return *at == begin ? -EINVAL : 0;
}

int cedar_duration_parse(struct span text, int64_t *ret_ms)
{
	static const struct {
		struct span name;
		int64_t ms;
	} units[] = {
		{ SPAN("d"), MS_PER_DAY }, { SPAN("h"), 3600000 }, { SPAN("m"), 60000 },
		{ SPAN("s"), 1000 },	   { SPAN("ms"), 1 },
	};
	bool is_negative = text.len && text.p[0] == '-';
	size_t at = is_negative ? 1 : 0;
	int64_t total = 0;
	size_t unit = 0;

	do {
		struct span rest;
		int64_t n;

		if (take_number(text, &at, is_negative, &n) < 0)
			return -EINVAL;
		rest = span_from(text, at);
		/* "m" must not take the beginning of "ms". */
		while (unit < ARRAY_SIZE(units) &&
		       !(span_starts_with(rest, units[unit].name) &&
			 !(unit == 2 && span_starts_with(rest, SPAN("ms")))))
			unit++;
		if (unit == ARRAY_SIZE(units))
			return -EINVAL;
		at += units[unit].name.len;
		if (__builtin_mul_overflow(n, units[unit].ms, &n) ||
		    __builtin_add_overflow(total, n, &total))
			return -EINVAL;
		unit++;
	} while (at < text.len);
	*ret_ms = total;
	return 0;
}

/* The inverse of days_from_civil, for days of the years 0000 to 9999. */
static void civil_from_days(int64_t days, int64_t *ret_y, int64_t *ret_m, int64_t *ret_d)
{
	int64_t shifted = days + 719468 + 146097; /* one cycle ahead: not negative */
	int64_t cycle = shifted / 146097;
	int64_t day = shifted % 146097; /* of its 400 years */
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* from March */

	*ret_d = day_of_year - (153 * month + 2) / 5 + 1;
	*ret_m = month < 10 ? month + 3 : month - 9;
	*ret_y = (cycle - 1) * 400 + year + (*ret_m <= 2 ? 1 : 0);
}

int print_iso_datetime(int64_t ms, struct buf *out)
{
	int64_t time = ms % MS_PER_DAY < 0 ? ms % MS_PER_DAY + MS_PER_DAY : ms % MS_PER_DAY;
	int64_t y, m, d;

	if (ms < days_from_civil(0, 1, 1) * MS_PER_DAY ||
	    ms >= days_from_civil(10000, 1, 1) * MS_PER_DAY)
		return -ERANGE;
	civil_from_days((ms - time) / MS_PER_DAY, &y, &m, &d);
	(void)buf_printf(out, "%04d-%02d-%02d", (int)y, (int)m, (int)d);
	if (time)
		(void)buf_printf(out, "T%02d:%02d:%02d.%03dZ", (int)(time / 3600000),
				 (int)(time / 60000 % 60), (int)(time / 1000 % 60),
				 (int)(time % 1000));
	return out->failed ? -EMSGSIZE : 0;
}
