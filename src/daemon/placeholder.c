#include "daemon/placeholder.h"

#include <errno.h>
#include <sys/random.h>

#include "base/limits.h"

#define MIN_LEN 20
#define MIN_RANDOM 16 /* letters and digits */
/* A beginning such as "sk-ant-api03-" is in the first so many bytes, */
#define PREFIX_MAX 16
/* in parts of so many, with so few digits: more are part of the secret ("550e8400-e29b-"). */
#define PART_MAX 8
#define PART_MAX_DIGITS 2
/* Without any, so many bytes stay: what is looked for must begin with something known. */
#define PREFIX_MIN 4

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static size_t count_random(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += is_digit(s.p[i]) || is_letter(s.p[i]);
	return n;
}

/* How much of it is a beginning that says only what kind of key it is. */
static size_t prefix_len(struct span s)
{
	size_t len = PREFIX_MIN, part = 0, n_digits = 0;

	for (size_t i = 0; i < MIN(s.len, (size_t)PREFIX_MAX); i++) {
		n_digits += is_digit(s.p[i]);
		if (s.p[i] != '-' && s.p[i] != '_')
			continue;
		if (i - part > PART_MAX || n_digits > PART_MAX_DIGITS)
			break;
		if (count_random(span_from(s, i + 1)) >= MIN_RANDOM)
			len = MAX(len, i + 1);
		part = i + 1;
		n_digits = 0;
	}
	return len;
}

/* Small letters all of which are digits of a hexadecimal number stay such. */
static bool is_hexadecimal(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_letter(s.p[i]) && ascii_lower(s.p[i]) > 'f')
			return false;
	return true;
}

/* One of n, each as likely. */
static int draw(unsigned char n, char *ret)
{
	unsigned char byte;

	do {
		if (getentropy(&byte, 1) < 0)
			return -errno;
	} while (byte >= 256 / n * n);
	*ret = (char)(byte % n);
	return 0;
}

static int draw_like(char *c, unsigned char n_letters)
{
	char first = is_digit(*c) ? '0' : *c >= 'a' ? 'a' : 'A';
	char drawn;
	int r;

	if (!is_digit(*c) && !is_letter(*c))
		return 0;
	r = draw(first == '0' ? 10 : n_letters, &drawn);
	if (r == 0)
		*c = (char)(first + drawn);
	return r;
}

static int check(struct span secret, struct err *err)
{
	if (secret.len > LIMIT_SECRET)
		return err_say(err, -EINVAL, "it is longer than %zu bytes", LIMIT_SECRET);
	for (size_t i = 0; i < secret.len; i++)
		if ((unsigned char)secret.p[i] < ' ' || secret.p[i] == 0x7f)
			return err_say(err, -EINVAL,
				       "it holds a control character or a line break, which no "
				       "header can carry");
	if (secret.len < MIN_LEN || count_random(span_from(secret, PREFIX_MIN)) < MIN_RANDOM)
		return err_say(err, -EINVAL,
			       "it is too short to be told apart: at least %d bytes, %d of them "
			       "letters or digits behind the first %d",
			       MIN_LEN, MIN_RANDOM, PREFIX_MIN);
	return 0;
}

int placeholder_make(struct span secret, struct secret *ret, struct err *err)
{
	_cleanup_secret_ struct secret made = { 0 };
	struct span tail;
	int r = check(secret, err);

	if (r == 0)
		r = secret_copy(secret, &made);
	if (r < 0)
		return err && !err->code ? err_set(err, r, "make a placeholder") : r;
	tail = span_from(secret, prefix_len(secret));
	do {
		for (size_t i = secret.len - tail.len; i < made.len && r == 0; i++)
			r = draw_like(&made.p[i], is_hexadecimal(tail) ? 6 : 26);
		if (r < 0)
			return err_set(err, r, "make a placeholder");
	} while (secret_bytes_eq(made.p, secret.p, made.len));
	*ret = made;
	made = (struct secret){ 0 };
	return 0;
}
