#include "cedar/doc.h"

#include <errno.h>

#include "base/vec.h"
#include "cedar/display-width.h"

enum doc_kind {
	DOC_NIL,
	DOC_TEXT,
	DOC_LINE, /* flat: width blanks */
	DOC_HARDLINE,
	DOC_APPEND,
	DOC_NEST,
	DOC_GROUP,
};

/* Widths saturate; nothing that wide ever fits. */
#define WIDTH_MAX ((uint32_t)1 << 30)

struct doc {
	enum doc_kind kind : 8;
	bool may_break;	   /* broken, it has a new line */
	uint32_t flat;	   /* width when flat; WIDTH_MAX with a hard line */
	uint32_t to_break; /* when broken: width before the first new line */
	union {
		struct span text;
		struct {
			const struct doc *left, *right;
		};
		struct {
			const struct doc *child;
			size_t indent;
		};
	};
};

static const struct doc nil = { .kind = DOC_NIL };
static const struct doc space = { .kind = DOC_TEXT, .flat = 1, .to_break = 1, .text = { " ", 1 } };
static const struct doc line = { .kind = DOC_LINE, .may_break = true, .flat = 1 };
static const struct doc softline = { .kind = DOC_LINE, .may_break = true };
static const struct doc hardline = { .kind = DOC_HARDLINE, .may_break = true, .flat = WIDTH_MAX };

const struct doc *const doc_nil = &nil;
const struct doc *const doc_space = &space;
const struct doc *const doc_line = &line;
const struct doc *const doc_softline = &softline;
const struct doc *const doc_hardline = &hardline;

static uint32_t add_width(uint32_t a, uint32_t b)
{
	return MIN(a + b, WIDTH_MAX);
}

static struct doc *new_doc(struct doc_builder *b, enum doc_kind kind)
{
	struct doc *d = arena_new(b->arena, struct doc);

	if (d)
		d->kind = kind;
	else
		b->has_failed = true;
	return d;
}

const struct doc *doc_text(struct doc_builder *b, struct span text)
{
	struct doc *d = new_doc(b, DOC_TEXT);

	if (!d)
		return doc_nil;
	d->flat = d->to_break = (uint32_t)MIN(display_width(text), WIDTH_MAX);
	d->text = text;
	return d;
}

const struct doc *doc_append(struct doc_builder *b, const struct doc *left, const struct doc *right)
{
	struct doc *d;

	if (left == doc_nil)
		return right;
	if (right == doc_nil)
		return left;
	d = new_doc(b, DOC_APPEND);
	if (!d)
		return doc_nil;
	d->may_break = left->may_break || right->may_break;
	d->flat = add_width(left->flat, right->flat);
	d->to_break = left->may_break ? left->to_break : add_width(left->to_break, right->to_break);
	d->left = left;
	d->right = right;
	return d;
}

const struct doc *doc_concat_all(struct doc_builder *b, const struct doc *const *docs, size_t n)
{
	const struct doc *all = doc_nil;

	while (n > 0)
		all = doc_append(b, docs[--n], all);
	return all;
}

static const struct doc *wrap(struct doc_builder *b, enum doc_kind kind, const struct doc *child,
			      size_t indent)
{
	struct doc *d = new_doc(b, kind);

	if (!d)
		return doc_nil;
	d->may_break = child->may_break;
	d->flat = child->flat;
	d->to_break = child->to_break;
	d->child = child;
	d->indent = indent;
	return d;
}

const struct doc *doc_nest(struct doc_builder *b, size_t indent, const struct doc *child)
{
	return child == doc_nil || indent == 0 ? child : wrap(b, DOC_NEST, child, indent);
}

const struct doc *doc_group(struct doc_builder *b, const struct doc *child)
{
	return child->may_break ? wrap(b, DOC_GROUP, child, 0) : child;
}

/* ---- Laying out ---------------------------------------------------------- */

struct pending {
	const struct doc *doc;
	size_t indent;
	bool is_flat;
};

struct renderer {
	VEC(struct pending) stack; /* the next document last */
	struct buf *out;
	size_t width, column;
	size_t line_begin;  /* in out, behind the newline */
	size_t string_end;  /* in out, while only blanks followed the string; else 0 */
	bool line_has_text; /* more than blanks */
};

static void push(struct renderer *r, const struct doc *d, size_t indent, bool is_flat)
{
	vec_push(&r->stack, (struct pending){ d, indent, is_flat });
}

/* Would d be followed by a new line within the width, if it were flat? */
static bool fits(const struct renderer *r, const struct doc *d)
{
	size_t column = r->column + d->flat;

	for (size_t i = r->stack.len; i > 0 && column <= r->width; i--) {
		const struct doc *next = r->stack.items[i - 1].doc;

		column += next->to_break;
		if (next->may_break)
			break;
	}
	return column <= r->width;
}

/*
 * An empty line does not end, it becomes the next. So does, as in the
 * reference, the empty rest of a line behind a string and a blank.
 */
static int new_line(struct renderer *r, size_t indent)
{
	char *to;

	if (r->string_end && r->out->len > r->string_end)
		r->out->len = r->string_end;
	else if (r->line_has_text)
		(void)buf_append_char(r->out, '\n');
	else
		r->out->len = r->line_begin;
	r->line_begin = r->out->len;
	r->string_end = 0;
	r->line_has_text = false;
	r->column = indent;
	to = buf_reserve(r->out, indent);
	if (!to)
		return -EMSGSIZE;
	memset(to, ' ', indent);
	buf_grow(r->out, indent);
	return 0;
}

static int write_text(struct renderer *r, const struct doc *d)
{
	r->column += d->flat;
	if (d == doc_space)
		return buf_append_char(r->out, ' ');
	r->line_has_text = true;
	r->string_end = 0;
	if (buf_append_span(r->out, d->text) < 0)
		return -EMSGSIZE;
	if (span_ends_with(d->text, SPAN("\"")) && span_starts_with(d->text, SPAN("\"")))
		r->string_end = r->out->len;
	return 0;
}

static int write_line(struct renderer *r, const struct pending *p)
{
	if (p->is_flat)
		return p->doc == doc_line ? write_text(r, doc_space) : 0;
	return new_line(r, r->stack.len ? r->stack.items[r->stack.len - 1].indent : p->indent);
}

static int render_next(struct renderer *r, struct pending p)
{
	switch (p.doc->kind) {
	case DOC_NIL:
		break;
	case DOC_TEXT:
		return write_text(r, p.doc);
	case DOC_LINE:
	case DOC_HARDLINE:
		return write_line(r, &p);
	case DOC_APPEND:
		push(r, p.doc->right, p.indent, p.is_flat);
		push(r, p.doc->left, p.indent, p.is_flat);
		break;
	case DOC_NEST:
		push(r, p.doc->child, p.indent + p.doc->indent, p.is_flat);
		break;
	case DOC_GROUP:
		push(r, p.doc->child, p.indent, p.is_flat || fits(r, p.doc));
		break;
	}
	return 0;
}

int doc_render(const struct doc *d, size_t width, struct buf *out)
{
	struct renderer r = { .out = out, .width = width, .line_begin = out->len };
	int ret = 0;

	push(&r, d, 0, /* is_flat = */ false);
	while (ret == 0 && r.stack.len > 0)
		ret = render_next(&r, r.stack.items[--r.stack.len]);
	vec_done(&r.stack);
	return ret;
}
