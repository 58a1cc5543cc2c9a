#include "cedar/confusable.h"

#include <errno.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cedar/confusable-table.h"
#include "cedar/print-private.h"

/* Embeddings, overrides and isolates, and what ends them. */
static bool is_bidi_control(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_allowed(uint32_t c)
{
	size_t low = 0, high = ARRAY_SIZE(allowed_in_identifiers);

	if (c >= 0x20 && c < 0x7f)
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c > allowed_in_identifiers[middle].last)
			low = middle + 1;
		else if (c < allowed_in_identifiers[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

/* The bits of the scripts that use a character. */
static const uint64_t *scripts_of(uint32_t c)
{
	size_t low = 0, high = ARRAY_SIZE(script_starts);

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (c < script_starts[middle] >> 9)
			high = middle;
		else
			low = middle;
	}
	return script_sets[script_starts[low] & 0x1ff];
}

static bool is_mixed(struct span text)
{
	uint64_t common[SCRIPT_WORDS];
	uint64_t any = 1;
	uint32_t c;
	size_t n;

	memset(common, 0xff, sizeof(common));
	for (; any && (n = utf8_decode(text, &c)) > 0; text = span_from(text, n)) {
		const uint64_t *scripts = scripts_of(c);

		any = 0;
		for (size_t i = 0; i < SCRIPT_WORDS; i++)
			any |= common[i] &= scripts[i];
	}
	return !any;
}

/* ASCII has one script and no control of the kind. */
static bool is_ascii(struct span text)
{
	unsigned char all = 0;

	for (size_t i = 0; i < text.len; i++)
		all |= (unsigned char)text.p[i];
	return all < 0x80;
}

/* The first character that is (not) so. */
static bool find(struct span text, bool (*is)(uint32_t c), bool wanted, uint32_t *ret)
{
	uint32_t c;
	size_t n;

	for (; (n = utf8_decode(text, &c)) > 0; text = span_from(text, n)) {
		if (is(c) == wanted) {
			*ret = c;
			return true;
		}
	}
	return false;
}

enum confusable confusable_string(struct span text)
{
	uint32_t c;

	if (is_ascii(text))
		return CONFUSABLE_NONE;
	if (find(text, is_bidi_control, true, &c))
		return CONFUSABLE_BIDI;
	return is_mixed(text) ? CONFUSABLE_MIXED : CONFUSABLE_NONE;
}

enum confusable confusable_identifier(struct span text, uint32_t *ret_scalar)
{
	uint32_t c;

	if (find(text, is_bidi_control, true, &c))
		return CONFUSABLE_BIDI;
	if (find(text, is_allowed, false, ret_scalar))
		return CONFUSABLE_PROFILE;
	return is_mixed(text) ? CONFUSABLE_MIXED : CONFUSABLE_NONE;
}

int confusable_pattern(const struct cedar_pattern_piece *pieces, size_t n, enum confusable *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_POLICY_TEXT);
	bool all_ascii = true;

	for (size_t i = 0; all_ascii && i < n; i++)
		all_ascii = pieces[i].is_wildcard || is_ascii(pieces[i].literal);
	for (size_t i = 0; !all_ascii && i < n; i++)
		if (!pieces[i].is_wildcard && print_escaped(pieces[i].literal, true, &text) < 0)
			return -ENOMEM;
	*ret = confusable_string(buf_span(&text));
	return 0;
}
