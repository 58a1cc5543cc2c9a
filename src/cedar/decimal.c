/* decimal: -?[0-9]+\.[0-9]{1,4}, an i64 in ten-thousandths. */
#include <errno.h>

#include "cedar/cedar.h"

#define FRACTION_DIGITS 4

static bool add_digit(int64_t *n, char c, bool is_negative)
{
	int64_t digit = c - '0';

	return __builtin_mul_overflow(*n, 10, n) ||
	       __builtin_add_overflow(*n, is_negative ? -digit : digit, n);
}

static size_t count_digits(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

int cedar_decimal_parse(struct span text, int64_t *ret)
{
	bool is_negative = text.len && text.p[0] == '-';
	struct span whole = span_from(text, is_negative ? 1 : 0);
	size_t n_whole = count_digits(whole);
	struct span fraction = span_from(whole, n_whole + 1);
	int64_t n = 0;

	if (n_whole == 0 || n_whole >= whole.len || whole.p[n_whole] != '.')
		return -EINVAL;
	if (fraction.len == 0 || fraction.len > FRACTION_DIGITS ||
	    count_digits(fraction) != fraction.len)
		return -EINVAL;
	for (size_t i = 0; i < n_whole; i++)
		if (add_digit(&n, whole.p[i], is_negative))
			return -EINVAL;
	for (size_t i = 0; i < FRACTION_DIGITS; i++)
		if (add_digit(&n, i < fraction.len ? fraction.p[i] : '0', is_negative))
			return -EINVAL;
	*ret = n;
	return 0;
}
