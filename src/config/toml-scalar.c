/* Numbers, dates and booleans: words without quotes. */
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "config/toml-private.h"

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_char(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '-' || c == '+' || c == '.' || c == ':';
}

/* ---- Dates ----------------------------------------------------------------------- */

/* Takes n digits as a number from low to high. */
static bool take_number(struct span *s, size_t n, unsigned int low, unsigned int high,
			unsigned int *ret)
{
	unsigned int value = 0;

	if (s->len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit((unsigned char)s->p[i]))
			return false;
		value = value * 10 + (unsigned int)(s->p[i] - '0');
	}
	*s = span_from(*s, n);
	*ret = value;
	return value >= low && value <= high;
}

static bool take_char(struct span *s, const char *any)
{
	if (!s->len || !s->p[0] || !strchr(any, s->p[0]))
		return false;
	*s = span_from(*s, 1);
	return true;
}

static unsigned int days_in(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool take_date(struct span *s)
{
	unsigned int year, month, day;

	return take_number(s, 4, 0, 9999, &year) && take_char(s, "-") &&
	       take_number(s, 2, 1, 12, &month) && take_char(s, "-") &&
	       take_number(s, 2, 1, days_in(year, month), &day);
}

/* A leap second is a second of the clock (RFC 3339 §5.6). */
static bool take_time(struct span *s)
{
	unsigned int ignored;
	size_t n = 0;

	if (!take_number(s, 2, 0, 23, &ignored) || !take_char(s, ":") ||
	    !take_number(s, 2, 0, 59, &ignored) || !take_char(s, ":") ||
	    !take_number(s, 2, 0, 60, &ignored))
		return false;
	if (!take_char(s, "."))
		return true;
	while (n < s->len && is_digit((unsigned char)s->p[n]))
		n++;
	*s = span_from(*s, n);
	return n > 0;
}

static bool take_offset(struct span *s)
{
	unsigned int ignored;

	if (take_char(s, "Zz"))
		return true;
	return take_char(s, "+-") && take_number(s, 2, 0, 23, &ignored) && take_char(s, ":") &&
	       take_number(s, 2, 0, 59, &ignored);
}

static bool is_date_time(struct span s)
{
	struct span time = s;

	if (take_time(&time))
		return time.len == 0;
	if (!take_date(&s))
		return false;
	if (!s.len)
		return true;
	if (!take_char(&s, "Tt ") || !take_time(&s))
		return false;
	return !s.len || (take_offset(&s) && !s.len);
}

/* "2024-01-01" or "07:32": no number has such a beginning. */
static bool looks_like_date(struct span s)
{
	return (s.len > 4 && s.p[4] == '-' && is_digit((unsigned char)s.p[0]) &&
		is_digit((unsigned char)s.p[1]) && is_digit((unsigned char)s.p[3])) ||
	       (s.len > 2 && s.p[2] == ':' && is_digit((unsigned char)s.p[0]));
}

/* ---- Numbers --------------------------------------------------------------------- */

/* Copies digits of the base without the underscores between them; false where one is elsewhere. */
static bool take_digits(struct span *s, unsigned int base, struct buf *out)
{
	bool was_digit = false;
	size_t i;

	for (i = 0; i < s->len; i++) {
		int c = (unsigned char)s->p[i];
		unsigned int digit = is_digit(c)	 ? (unsigned int)c - '0'
				     : (c | 0x20) >= 'a' ? (unsigned int)(c | 0x20) - 'a' + 10
							 : 99;

		if (c == '_') {
			if (!was_digit)
				return false;
			was_digit = false;
			continue;
		}
		if (digit >= base)
			break;
		(void)buf_append_char(out, (char)c);
		was_digit = true;
	}
	*s = span_from(*s, i);
	return was_digit;
}

static bool to_integer(const char *digits, int base, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(digits, &end, base);
	return errno == 0 && !*end;
}

/* 0x, 0o, 0b: without sign, zeros may lead. */
static int read_based(struct toml_reader *r, struct span s, unsigned int base, struct toml *ret)
{
	_cleanup_buf_ struct buf digits = BUF_INIT(0);
	struct span rest = span_from(s, 2);

	if (!take_digits(&rest, base, &digits) || rest.len)
		return toml_fail_at(r, r->at, "\"%.*s\" is no number", SPAN_ARG(s));
	if (!to_integer(digits.data, (int)base, &ret->integer))
		return toml_fail_at(r, r->at, "%.*s does not fit 64 bits", SPAN_ARG(s));
	ret->type = TOML_INTEGER;
	return 0;
}

static bool take_exponent(struct span *s, struct buf *out)
{
	if (!take_char(s, "eE"))
		return false;
	(void)buf_append_char(out, 'e');
	if (s->len && (s->p[0] == '+' || s->p[0] == '-')) {
		(void)buf_append_char(out, s->p[0]);
		*s = span_from(*s, 1);
	}
	return take_digits(s, 10, out);
}

static bool take_fraction(struct span *s, struct buf *out)
{
	if (!take_char(s, "."))
		return false;
	(void)buf_append_char(out, '.');
	return take_digits(s, 10, out);
}

static int read_decimal(struct toml_reader *r, struct span s, struct toml *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct span rest = s;
	size_t sign_len = rest.p[0] == '+' || rest.p[0] == '-';
	bool is_good;

	(void)buf_append(&text, rest.p, sign_len);
	rest = span_from(rest, sign_len);
	is_good = take_digits(&rest, 10, &text) &&
		  (text.len - sign_len == 1 || text.data[sign_len] != '0');
	ret->type = is_good && rest.len ? TOML_FLOAT : TOML_INTEGER;
	if (is_good && rest.len && rest.p[0] == '.')
		is_good = take_fraction(&rest, &text);
	if (is_good && rest.len)
		is_good = take_exponent(&rest, &text);
	if (!is_good || rest.len)
		return toml_fail_at(r, r->at, "\"%.*s\" is no value: strings stand in quotes",
				    SPAN_ARG(s));
	if (ret->type == TOML_FLOAT)
		ret->real = strtod(text.data, NULL);
	else if (!to_integer(text.data, 10, &ret->integer))
		return toml_fail_at(r, r->at, "%.*s does not fit 64 bits", SPAN_ARG(s));
	return 0;
}

static bool is_special_float(struct span s, double *ret)
{
	bool is_negative = s.len && s.p[0] == '-';

	if (s.len && (s.p[0] == '+' || s.p[0] == '-'))
		s = span_from(s, 1);
	if (span_eq(s, SPAN("inf")))
		*ret = is_negative ? -INFINITY : INFINITY;
	else if (span_eq(s, SPAN("nan")))
		*ret = NAN;
	else
		return false;
	return true;
}

/* ---- All ------------------------------------------------------------------------ */

/* A date and a time may have a space between them. */
static struct span take_word(struct toml_reader *r)
{
	size_t begin = r->at, end = begin;
	struct span word;

	while (end < r->text.len && is_word_char((unsigned char)r->text.p[end]))
		end++;
	word = span_make(r->text.p + begin, end - begin);
	if (word.len == 10 && looks_like_date(word) && end + 2 < r->text.len &&
	    r->text.p[end] == ' ' && is_digit((unsigned char)r->text.p[end + 1])) {
		for (end++; end < r->text.len && is_word_char((unsigned char)r->text.p[end]);)
			end++;
		word.len = end - begin;
	}
	return word;
}

static int read_number(struct toml_reader *r, struct span word, struct toml *ret)
{
	static const struct {
		const char *prefix;
		unsigned int base;
	} bases[] = { { "0x", 16 }, { "0o", 8 }, { "0b", 2 } };

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
		if (span_starts_with(word, span_of(bases[i].prefix)))
			return read_based(r, word, bases[i].base, ret);
	return read_decimal(r, word, ret);
}

int toml_read_scalar(struct toml_reader *r, struct toml *ret)
{
	struct span word = take_word(r);
	int code = 0;

	if (!word.len)
		return toml_fail_at(r, r->at, "expected a value");
	ret->text = word;
	if (span_eq(word, SPAN("true")) || span_eq(word, SPAN("false"))) {
		ret->type = TOML_BOOLEAN;
		ret->is_true = word.len == 4;
	} else if (is_special_float(word, &ret->real)) {
		ret->type = TOML_FLOAT;
	} else if (looks_like_date(word)) {
		ret->type = TOML_DATETIME;
		if (!is_date_time(word))
			code = toml_fail_at(r, r->at, "\"%.*s\" is no date or time",
					    SPAN_ARG(word));
	} else {
		code = read_number(r, word, ret);
	}
	if (code < 0)
		return code;
	r->at += word.len;
	word.p = arena_dup(r->arena, word);
	ret->text = word;
	return word.p ? 0 : toml_out_of_memory(r);
}
