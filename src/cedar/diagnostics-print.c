#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "cedar/cedar.h"
#include "cedar/print-private.h"

/* Columns of source shown around a finding; longer lines are cut. */
#define LINE_BEFORE 120
#define LINE_SHOWN 200

/* ---- Positions ----------------------------------------------------------------- */

struct cedar_position_mark {
	size_t at, line, column;
};

/* Bytes between marks. */
#define MARK_DISTANCE ((size_t)4096)

static const struct cedar_position_mark text_begin = { 0, 1, 1 };

/* Goes on from a mark to the offset, or to the end of the character that it is in. */
static void walk(struct cedar_position_mark *m, struct span text, size_t offset)
{
	while (m->at < offset && m->at < text.len) {
		uint32_t scalar;
		size_t n = 1;

		if ((unsigned char)text.p[m->at] >= 0x80)
			n = utf8_decode(span_from(text, m->at), &scalar);
		m->column++;
		if (text.p[m->at] == '\n') {
			m->line++;
			m->column = 1;
		}
		m->at += n ? n : 1;
	}
}

void cedar_position(struct span text, size_t offset, size_t *ret_line, size_t *ret_column)
{
	struct cedar_position_mark m = text_begin;

	walk(&m, text, offset);
	*ret_line = m.line;
	*ret_column = m.column;
}

static void set_marks(struct cedar_positions *p)
{
	struct cedar_position_mark m = text_begin;

	p->n_marks = p->text.len / MARK_DISTANCE + 1;
	p->marks = xnew_array(struct cedar_position_mark, p->n_marks);
	for (size_t i = 0; i < p->n_marks; i++) {
		walk(&m, p->text, i * MARK_DISTANCE);
		p->marks[i] = m;
	}
}

void cedar_positions_find(struct cedar_positions *p, size_t offset, size_t *ret_line,
			  size_t *ret_column)
{
	struct cedar_position_mark m;
	size_t i;

	if (!p->marks)
		set_marks(p);
	i = MIN(offset / MARK_DISTANCE, p->n_marks - 1);
	/* A mark stands behind the character that it fell into. */
	if (i > 0 && p->marks[i].at > offset)
		i--;
	m = p->marks[i];
	walk(&m, p->text, offset);
	*ret_line = m.line;
	*ret_column = m.column;
}

void cedar_positions_done(struct cedar_positions *p)
{
	xfree(p->marks);
	*p = (struct cedar_positions){ 0 };
}

/* ---- Printing ------------------------------------------------------------------ */

/* The part of the line around range that is worth showing. */
static struct cedar_range shown_line(struct span text, struct cedar_range range)
{
	size_t begin = MIN(range.begin, text.len);
	size_t end = begin;

	while (begin > 0 && text.p[begin - 1] != '\n' && range.begin - begin < LINE_BEFORE)
		begin--;
	while (begin < range.begin && ((unsigned char)text.p[begin] & 0xc0) == 0x80)
		begin++;
	while (end < text.len && text.p[end] != '\n' && end - begin < LINE_SHOWN)
		end++;
	while (end > begin && end < text.len && ((unsigned char)text.p[end] & 0xc0) == 0x80)
		end--;
	return (struct cedar_range){ begin, end };
}

/* Appends one character of source for a terminal; *width is the columns it takes. */
static int append_visible(struct buf *out, struct span rest, size_t *ret_len, size_t *ret_width)
{
	uint32_t scalar;
	size_t n = utf8_decode(rest, &scalar);
	char escaped[16];

	*ret_len = n ? n : 1;
	*ret_width = 1;
	if (n && scalar == '\t')
		return buf_append_char(out, ' ');
	if (n && !print_must_escape(scalar))
		return buf_append(out, rest.p, n);
	if (n)
		(void)snprintf(escaped, sizeof(escaped), "\\u{%x}", (unsigned int)scalar);
	else
		(void)snprintf(escaped, sizeof(escaped), "\\x%02x",
			       (unsigned int)(unsigned char)rest.p[0]);
	*ret_width = strlen(escaped);
	return buf_append_str(out, escaped);
}

/* Appends the line, and to carets the marks that belong under it. */
static int append_line(struct span text, struct cedar_range line, struct cedar_range range,
		       struct buf *out, struct buf *carets)
{
	bool is_marked = false;
	size_t at = line.begin;
	int r = 0;

	while (r == 0 && at < line.end) {
		bool is_inside = at >= range.begin && at < range.end;
		struct span rest = { text.p + at, line.end - at };
		size_t len, width;

		r = append_visible(out, rest, &len, &width);
		is_marked = is_marked || is_inside;
		for (size_t i = 0; r == 0 && i < width && (is_inside || at < range.begin); i++)
			r = buf_append_char(carets, is_inside ? '^' : ' ');
		at += len;
	}
	if (r == 0 && !is_marked)
		r = buf_append_char(carets, '^');
	return r;
}

/* Messages quote the source, so they are escaped like it. */
static void append_message(struct buf *out, const char *message)
{
	struct span rest = span_of(message);
	size_t len, width;

	while (rest.len && append_visible(out, rest, &len, &width) == 0)
		rest = span_from(rest, len);
}

static int print_at(const struct cedar_diagnostic *d, const char *file, struct span text,
		    const struct cedar_position_mark *place, bool color, struct buf *out)
{
	static const char *const names[] = { [CEDAR_ERROR] = "error", [CEDAR_WARNING] = "warning" };
	static const char *const colors[] = {
		[CEDAR_ERROR] = "\033[1;31m", [CEDAR_WARNING] = "\033[1;35m"
	};
	const char *on = color ? colors[d->severity] : "";
	const char *off = color ? "\033[0m" : "";
	_cleanup_buf_ struct buf carets = BUF_INIT(0);

	(void)buf_printf(out, "%s:%zu:%zu: %s%s:%s ", file, place->line, place->column, on,
			 names[d->severity], off);
	append_message(out, d->message);
	(void)buf_append_str(out, "\n    ");
	(void)append_line(text, shown_line(text, d->range), d->range, out, &carets);
	(void)buf_printf(out, "\n    %s%s%s\n", on, carets.data, off);
	if (d->suggestion) {
		(void)buf_append_str(out, "    help: ");
		append_message(out, d->suggestion);
		(void)buf_append_char(out, '\n');
	}
	return out->failed ? -EMSGSIZE : 0;
}

int cedar_diagnostic_print(const struct cedar_diagnostic *d, const char *file, struct span text,
			   bool color, struct buf *out)
{
	struct cedar_position_mark place = { 0 };

	cedar_position(text, d->range.begin, &place.line, &place.column);
	return print_at(d, file, text, &place, color, out);
}

int cedar_diagnostic_print_in(const struct cedar_diagnostic *d, const char *file,
			      struct cedar_positions *p, bool color, struct buf *out)
{
	struct cedar_position_mark place = { 0 };

	cedar_positions_find(p, d->range.begin, &place.line, &place.column);
	return print_at(d, file, p->text, &place, color, out);
}
