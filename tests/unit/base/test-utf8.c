/*
 * Text that comes in pieces: the same is well-formed however it is cut, and what
 * nothing can make well-formed any more is found at once.
 */
#include "unit.h"

#include "base/utf8.h"

/* At the edges of what RFC 3629 §4 permits in one place or another. */
static const unsigned char bytes[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
				       0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };

#define N_BYTES ARRAY_SIZE(bytes)
#define LEN 4

/* Could anything behind it make it well-formed? By trying all edges. */
static bool has_good_end(const char *text, size_t len)
{
	char whole[2 * LEN];
	size_t i, j, k;

	memcpy(whole, text, len);
	if (utf8_is_valid(span_make(text, len)))
		return true;
	for (i = 0; i < N_BYTES; i++)
		for (j = 0; j < N_BYTES; j++)
			for (k = 0; k < N_BYTES; k++) {
				const unsigned char end[] = { bytes[i], bytes[j], bytes[k] };

				memcpy(whole + len, end, sizeof(end));
				for (size_t n = 1; n <= sizeof(end); n++)
					if (utf8_is_valid(span_make(whole, len + n)))
						return true;
			}
	return false;
}

static void check_cut(struct span text, size_t at)
{
	struct utf8_check c = { .n_tail = 0 };
	bool is_good = utf8_check_feed(&c, span_make(text.p, at)) &&
		       utf8_check_feed(&c, span_from(text, at)) && utf8_check_is_whole(&c);

	assert_int_equal(is_good, utf8_is_valid(text));
}

static void cuts_do_not_matter(void **state)
{
	char text[LEN];

	(void)state;
	for (size_t n = 0; n < N_BYTES * N_BYTES * N_BYTES * N_BYTES; n++) {
		size_t rest = n;

		for (size_t i = 0; i < LEN; i++, rest /= N_BYTES)
			text[i] = (char)bytes[rest % N_BYTES];
		for (size_t at = 0; at <= LEN; at++)
			check_cut(span_make(text, LEN), at);
	}
}

static void bad_text_is_found_at_once(void **state)
{
	char text[3];

	(void)state;
	for (size_t n = 0; n < N_BYTES * N_BYTES; n++)
		for (size_t len = 1; len <= 2; len++) {
			struct utf8_check c = { .n_tail = 0 };

			text[0] = (char)bytes[n % N_BYTES];
			text[1] = (char)bytes[n / N_BYTES];
			assert_int_equal(utf8_check_feed(&c, span_make(text, len)),
					 has_good_end(text, len));
		}
}

static void long_text(void **state)
{
	char text[200];

	(void)state;
	for (size_t at = 0; at + 3 <= sizeof(text); at++) {
		memset(text, 'a', sizeof(text));
		memcpy(text + at, "\xe2\x82\xac", 3);
		for (size_t cut = 0; cut <= sizeof(text); cut++)
			check_cut(span_make(text, sizeof(text)), cut);
		text[at + 2] = 'a';
		check_cut(span_make(text, sizeof(text)), at + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_do_not_matter),
		cmocka_unit_test(bad_text_is_found_at_once),
		cmocka_unit_test(long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
