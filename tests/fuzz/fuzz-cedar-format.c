/*
 * Any bytes into the formatter. What parses must format, at any width and
 * indentation that the first bytes choose, to text that parses and has the
 * same policies; formatting that text again changes at most where remarks
 * stand, and formatting that changes nothing more.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "cedar/cedar-format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* All policies on a line each, as the printer writes them; false where text does not parse. */
static bool print_set(struct span text, struct buf *out)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	bool ok = cedar_policy_set_parse(text, &diags, &set) == 0;

	for (size_t i = 0; ok && i < cedar_policy_set_len(set); i++)
		require(cedar_policy_print(cedar_policy_set_at(set, i), out) == 0);
	cedar_policy_set_free(set);
	cedar_diagnostics_done(&diags);
	return ok;
}

static int format(struct span text, const struct cedar_format_options *options, struct buf *out)
{
	struct cedar_diagnostics diags = { 0 };
	int r = cedar_format(text, options, &diags, out);

	require((r == -EINVAL) == (diags.n_errors > 0) || r == -EMSGSIZE);
	cedar_diagnostics_done(&diags);
	return r;
}

static void require_same_policies(struct span a, struct span b)
{
	_cleanup_buf_ struct buf before = BUF_INIT(0);
	_cleanup_buf_ struct buf after = BUF_INIT(0);

	require(print_set(a, &before) && print_set(b, &after));
	require(span_eq(buf_span(&before), buf_span(&after)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf first = BUF_INIT(0);
	_cleanup_buf_ struct buf second = BUF_INIT(0);
	_cleanup_buf_ struct buf third = BUF_INIT(0);
	struct cedar_format_options options;
	struct span text;
	int r;

	if (size < 2)
		return 0;
	options = (struct cedar_format_options){ .width = data[0], .indent = data[1] % 16 };
	text = span_make(data + 2, size - 2);
	r = format(text, &options, &first);
	if (r == -EMSGSIZE || r == -EINVAL)
		return 0;
	require(r == 0);
	require_same_policies(text, buf_span(&first));
	require(format(buf_span(&first), &options, &second) == 0);
	require(format(buf_span(&second), &options, &third) == 0);
	require(span_eq(buf_span(&second), buf_span(&third)));
	return 0;
}
