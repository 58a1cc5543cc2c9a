#include "proxy/scrub.h"

#include <errno.h>

static void wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

/* Passes held bytes on up to that place, but for those that were told before. */
static int tell(struct scrub *s, size_t from, size_t to)
{
	from = MAX(from, s->n_told);
	s->n_told = MAX(s->n_told, to);
	return from < to ? buf_append(&s->out, s->held.data + from, to - from) : 0;
}

static int tell_replacement(struct scrub *s, size_t at, const struct needle *found)
{
	size_t told = s->n_told > at ? s->n_told - at : 0;

	s->n_told = at + found->text.len;
	return told < found->text.len
		       ? buf_append(&s->out, found->replacement + told, found->text.len - told)
		       : 0;
}

/*
 * Keeps what begins at that place. Of it may be told what is the same in every
 * secret and its placeholder that could begin there or behind.
 */
static int hold(struct scrub *s, size_t from)
{
	struct span all = buf_span(&s->held);
	size_t limit = all.len;
	int r;

	for (size_t i = needles_next(s->needles, all, from); i < limit;
	     i = needles_next(s->needles, all, i + 1))
		if (needles_has_outline(s->needles, span_from(all, i)))
			limit = MIN(limit, i + NEEDLE_COMMON);
	r = tell(s, from, limit);
	buf_consume(&s->held, from);
	s->n_told -= MIN(s->n_told, from);
	return r;
}

static int take(struct scrub *s, bool is_end)
{
	struct span all = buf_span(&s->held);
	size_t at = 0;
	int r = 0;

	while (r >= 0 && at < all.len) {
		size_t next = needles_next(s->needles, all, at);
		struct span rest = span_from(all, next);
		const struct needle *found;

		r = tell(s, at, next);
		at = next;
		if (r < 0 || !rest.len)
			break;
		if (!is_end && needles_may_begin(s->needles, rest))
			return hold(s, at);
		found = needles_match(s->needles, rest);
		r = found ? tell_replacement(s, at, found) : tell(s, at, at + 1);
		at += found ? found->text.len : 1;
	}
	wipe(&s->held);
	s->n_told = 0;
	return r;
}

int scrub_feed(struct scrub *s, struct span bytes, struct span *ret)
{
	int r;

	*ret = bytes;
	if (!s->needles)
		return 0;
	if (!s->held.len && needles_next(s->needles, bytes, 0) == bytes.len)
		return 0;
	buf_reset(&s->out);
	r = buf_append_span(&s->held, bytes);
	if (r >= 0)
		r = take(s, /* is_end = */ false);
	*ret = buf_span(&s->out);
	return r < 0 ? r : 0;
}

int scrub_finish(struct scrub *s, struct span *ret)
{
	int r = 0;

	*ret = (struct span){ 0 };
	if (!s->held.len)
		return 0;
	buf_reset(&s->out);
	r = take(s, /* is_end = */ true);
	*ret = buf_span(&s->out);
	return r < 0 ? r : 0;
}

void scrub_done(struct scrub *s)
{
	wipe(&s->held);
	buf_done(&s->out);
	s->n_told = 0;
}

int scrub_text(const struct needles *n, struct arena *a, struct span *text)
{
	char *copy = NULL;

	for (size_t i = needles_next(n, *text, 0); i < text->len;) {
		const struct needle *found = needles_match(n, span_from(*text, i));

		if (found && !copy) {
			copy = arena_dup(a, *text);
			if (!copy)
				return -ENOMEM;
			text->p = copy;
		}
		if (found)
			memcpy(copy + i, found->replacement, found->text.len);
		i = needles_next(n, *text, i + (found ? found->text.len : 1));
	}
	return 0;
}

int scrub_fields(const struct needles *n, struct arena *a, struct http_field *fields,
		 size_t n_fields)
{
	int r = 0;

	for (size_t i = 0; i < n_fields && n->all.len && r == 0; i++) {
		r = scrub_text(n, a, &fields[i].name);
		if (r == 0)
			r = scrub_text(n, a, &fields[i].value);
	}
	return r;
}
