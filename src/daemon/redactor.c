#include "daemon/redactor.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/ascii.h"
#include "proxy/needle-forms.h"

/* Of one event's texts, all of them full of values: a record has not more than that anyway. */
#define CLEAN_MAX ((size_t)4 * 1024 * 1024)
/* Nothing that is shorter shows enough of a value (see needles_match_cut). */
#define SHORTEST (NEEDLE_COMMON + NEEDLE_CUT_MIN)

struct redactor {
	struct needles needles; /* each one's owner is a place in marks */
	struct secret memory;	/* the values, what stands for them in needles, and the forms */
	size_t longest;		/* form of a value */
	VEC(char *) marks;
	struct secret decoded; /* a text without its percent-encoding */
	struct buf text;       /* one that is put together */
	struct arena texts;    /* the last event's */
};

/* ---- What is looked for ---------------------------------------------------- */

static size_t room_of(const struct secret_spec *s)
{
	return 2 * s->value.len + NEEDLE_FORMS_ROOM(s->value.len);
}

/* In room are copies: the specs are wiped. */
static int add(struct redactor *r, const struct secret_spec *s, char *room)
{
	size_t len = s->value.len;
	const struct needle plain = { .text = span_make(room, len),
				      .replacement = room + len,
				      .owner = r->marks.len };

	memcpy(room, s->value.p, len);
	memcpy(room + len, s->placeholder.p, len);
	vec_push(&r->marks, xasprintf("[secret %s]", s->name));
	return needle_forms_add(&r->needles, &plain, room + 2 * len);
}

static int add_all(struct redactor *r, const secret_specs *specs, size_t room, struct err *err)
{
	char *at;
	int code = secret_alloc(room, &r->memory);

	if (code < 0)
		return err_set(err, code, "keep the secrets out of the log");
	at = r->memory.p;
	for (size_t i = 0; i < specs->len; i++) {
		const struct secret_spec *s = &specs->items[i];

		if (!s->value.len)
			continue;
		if (s->placeholder.len != s->value.len || add(r, s, at) < 0)
			return err_say(err, -EINVAL, "the secret %s cannot be told apart", s->name);
		at += room_of(s);
	}
	for (size_t i = 0; i < r->needles.all.len; i++)
		r->longest = MAX(r->longest, r->needles.all.items[i].text.len);
	return 0;
}

int redactor_new(const secret_specs *specs, struct redactor **ret, struct err *err)
{
	struct redactor *r;
	size_t room = 0;
	int code;

	for (size_t i = 0; specs && i < specs->len; i++)
		room += specs->items[i].value.len ? room_of(&specs->items[i]) : 0;
	*ret = NULL;
	if (!room)
		return 0;
	r = xnew(struct redactor);
	r->texts.max = CLEAN_MAX;
	r->text.max = CLEAN_MAX;
	code = add_all(r, specs, room, err);
	if (code < 0) {
		redactor_free(r);
		return code;
	}
	*ret = r;
	return 0;
}

void redactor_free(struct redactor *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->marks.len; i++)
		xfree(r->marks.items[i]);
	vec_done(&r->marks);
	needles_done(&r->needles);
	secret_done(&r->memory);
	secret_done(&r->decoded);
	buf_done(&r->text);
	arena_done(&r->texts);
	xfree(r);
}

/* ---- Looking --------------------------------------------------------------- */

struct finding {
	size_t from, to; /* to 0: none */
	size_t owner;
};

/*
 * Up to the argument's end (of what is no list that is the text's), but no more
 * than any needle has: an agent may write a text that is full of beginnings.
 */
static struct span argument_at(const struct redactor *r, struct span text, size_t at)
{
	struct span rest = span_make(text.p + at, MIN(text.len - at, r->longest));
	const char *end = memchr(rest.p, 0, rest.len);

	return end ? span_make(rest.p, (size_t)(end - rest.p)) : rest;
}

static struct finding find(const struct redactor *r, struct span text, size_t from)
{
	const struct needles *n = &r->needles;

	for (size_t i = needles_next(n, text, from); i + SHORTEST <= text.len;
	     i = needles_next(n, text, i + 1)) {
		struct span rest = argument_at(r, text, i);
		const struct needle *one = needles_match(n, rest);

		if (one)
			return (struct finding){ i, i + one->text.len, one->owner };
		one = needles_match_cut(n, rest);
		if (one)
			return (struct finding){ i, i + rest.len, one->owner };
	}
	return (struct finding){ 0 };
}

/* ---- Percent-encoding ------------------------------------------------------ */

/*
 * How many bytes of the text there are for its next one without the encoding,
 * which is *ret. An escape that is cut off ends an argument, as what it was cut
 * off with does.
 */
static size_t decode_one(struct span text, size_t at, char *ret)
{
	struct span rest = span_from(text, at + 1);
	int high = rest.len > 0 ? ascii_hex_value(rest.p[0]) : -1;
	int low = rest.len > 1 ? ascii_hex_value(rest.p[1]) : -1;

	*ret = text.p[at];
	if (text.p[at] != '%')
		return 1;
	if (high >= 0 && low >= 0) {
		*ret = (char)(high << 4 | low);
		return 3;
	}
	if (rest.len == 0 || !rest.p[0] || (high >= 0 && (rest.len == 1 || !rest.p[1])))
		*ret = 0;
	return 1;
}

static int decode(struct redactor *r, struct span text, struct span *ret)
{
	size_t n = 0;

	if (r->decoded.len < text.len) {
		secret_done(&r->decoded);
		if (secret_alloc(text.len, &r->decoded) < 0)
			return -ENOMEM;
	}
	for (size_t at = 0; at < text.len; n++)
		at += decode_one(text, at, &r->decoded.p[n]);
	*ret = span_make(r->decoded.p, n);
	return 0;
}

/* ---- Replacing ------------------------------------------------------------- */

/* A text that is looked at, as it is or decoded, and how far of it has been taken. */
struct view {
	struct span text, seen; /* seen: the same, or the text decoded */
	size_t at, at_seen;
};

/* Where in the text it is that the place in seen stands for. */
static size_t advance(struct view *v, size_t to_seen)
{
	char ignored;

	if (v->text.p == v->seen.p)
		v->at = to_seen;
	else
		for (size_t n = to_seen - v->at_seen; n > 0; n--)
			v->at += decode_one(v->text, v->at, &ignored);
	v->at_seen = to_seen;
	return v->at;
}

/* Values may lie across each other: none is left of which another hides a part. */
static size_t mark(struct redactor *r, struct span seen, struct finding found)
{
	size_t end = found.to, owner = found.owner;

	(void)buf_append_str(&r->text, r->marks.items[owner]);
	for (size_t at = found.from + 1; at < end; at = found.from + 1) {
		found = find(r, seen, at);
		if (!found.to || found.from >= end)
			break;
		if (found.to > end && found.owner != owner) {
			owner = found.owner;
			(void)buf_append_str(&r->text, r->marks.items[owner]);
		}
		end = MAX(end, found.to);
	}
	return end;
}

/* Into r->text; false where there is nothing to be replaced. */
static bool replace(struct redactor *r, struct span text, struct span seen)
{
	struct view v = { .text = text, .seen = seen };
	struct finding found = find(r, seen, 0);

	if (!found.to)
		return false;
	buf_reset(&r->text);
	while (found.to) {
		size_t from = v.at;

		(void)buf_append(&r->text, text.p + from, advance(&v, found.from) - from);
		(void)advance(&v, mark(r, seen, found));
		found = find(r, seen, v.at_seen);
	}
	(void)buf_append_span(&r->text, span_from(text, v.at));
	return true;
}

/* What was put together, or, where there was no room, nothing but that there was something. */
static struct span keep(struct redactor *r)
{
	struct span made = r->text.failed ? SPAN("[secret]") : buf_span(&r->text);
	char *copy = arena_dup(&r->texts, made);

	return copy ? span_make(copy, made.len) : SPAN("[secret]");
}

static bool clean_decoded(struct redactor *r, struct span *text)
{
	struct span decoded;

	if (decode(r, *text, &decoded) < 0) {
		*text = SPAN("[secret]");
		return true;
	}
	if (!replace(r, *text, decoded))
		return false;
	*text = keep(r);
	return true;
}

/* True where *text became another one. */
static bool clean(struct redactor *r, struct span *text)
{
	bool is_changed = false;

	if (text->len < SHORTEST)
		return false;
	/* Decoded first: that sees all values but those with an escape of their own. */
	if (memchr(text->p, '%', text->len))
		is_changed = clean_decoded(r, text);
	if (!replace(r, *text, *text))
		return is_changed;
	*text = keep(r);
	return true;
}

void redactor_clean_event(struct redactor *r, struct event *e)
{
	arena_reset(&r->texts);
	for (size_t i = 0; i < EVENT_N_TEXTS; i++)
		if (clean(r, event_text(e, i)))
			e->is_redacted = true;
}

char *redactor_clean_text(struct redactor *r, const char *text)
{
	struct span cleaned = span_of(text);

	if (r) {
		arena_reset(&r->texts);
		(void)clean(r, &cleaned);
	}
	return xmemdup0(cleaned.p, cleaned.len);
}
