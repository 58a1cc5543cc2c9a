/* From text to formatted text, and the proof that both say the same. */
#include "cedar/cedar-format.h"

#include <errno.h>

#include "base/limits.h"
#include "cedar/format-private.h"
#include "cedar/policy-set.h"

/* Blanks at the end of what was appended since `begin`. */
static void trim_end(struct buf *out, size_t begin)
{
	while (out->len > begin &&
	       (out->data[out->len - 1] == ' ' || out->data[out->len - 1] == '\n'))
		out->len--;
}

static int write_policy(struct formatter *f, const struct cedar_policy *p, size_t width,
			struct buf *out)
{
	size_t begin = out->len;
	const struct doc *d = format_policy(f, p);
	int r;

	if (f->docs.has_failed)
		return -ENOMEM;
	if (f->has_failed)
		return -ENOTRECOVERABLE;
	r = doc_render(d, width, out);
	if (r < 0)
		return r;
	trim_end(out, begin);
	arena_reset(f->docs.arena);
	return buf_append_str(out, "\n");
}

static int write_last_comments(struct formatter *f, struct buf *out)
{
	const struct doc *d = format_comments(f, f->before);
	int r;

	if (f->docs.has_failed)
		return -ENOMEM;
	if (d == doc_nil)
		return 0;
	r = doc_render(d, SIZE_MAX, out);
	return r < 0 ? r : buf_append_str(out, "\n");
}

static int write_set(const struct cedar_policy_set *set, struct span text,
		     const struct cedar_format_options *options, struct buf *out)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(LIMIT_CEDAR_ARENA);
	struct formatter f = { .docs.arena = &arena, .indent = MIN(options->indent, (size_t)64) };
	size_t width = MIN(options->width ? options->width : 80, (size_t)1 << 20);
	int r = 0;

	if (!buf_reserve(out, MIN(text.len + text.len / 8, LIMIT_POLICY_TEXT)))
		return -EMSGSIZE;
	format_start(&f, text);
	if (set->len == 0)
		r = buf_append_str(out, "\n");
	for (size_t i = 0; r == 0 && i < set->len; i++) {
		if (i > 0)
			(void)buf_append_char(out, '\n');
		r = write_policy(&f, set->policies[i], width, out);
	}
	return r < 0 ? r : write_last_comments(&f, out);
}

int cedar_format(struct span text, const struct cedar_format_options *options,
		 struct cedar_diagnostics *diags, struct buf *out)
{
	_cleanup_(cleanup_policy_set) struct cedar_policy_set *set = NULL;
	_cleanup_buf_ struct buf formatted = BUF_INIT(LIMIT_POLICY_TEXT);
	int r;

	r = cedar_policy_set_parse(text, diags, &set);
	if (r < 0)
		return r;
	r = write_set(set, text, options, &formatted);
	if (r < 0)
		return r;
	if (!format_is_same(text, buf_span(&formatted)))
		return -ENOTRECOVERABLE;
	return buf_append_span(out, buf_span(&formatted));
}
