/* Tokens and the comments around them. */
#include "base/utf8.h"
#include "cedar/format-private.h"

struct span format_trim(struct span s)
{
	uint32_t c;
	size_t n;

	while (s.len && (s.p[0] == ' ' || s.p[0] == '\n'))
		s = span_from(s, 1);
	while ((n = utf8_decode(s, &c)) > 0 && cedar_is_space(c))
		s = span_from(s, n);
	while (s.len > 0) {
		size_t last = s.len - 1;

		while (last > 0 && ((unsigned char)s.p[last] & 0xc0) == 0x80)
			last--;
		n = utf8_decode(span_from(s, last), &c);
		if (n == 0 || !cedar_is_space(c))
			break;
		s.len = last;
	}
	return s;
}

/* Takes the first line off, newline included. */
static struct span take_line(struct span *text)
{
	const char *end = text->len ? memchr(text->p, '\n', text->len) : NULL;
	struct span line = { text->p, end ? (size_t)(end - text->p) : text->len };

	*text = span_from(*text, line.len + 1);
	return line;
}

/* The comment behind a token, empty if there is none. */
static struct span first_line(struct span text)
{
	if (text.len < 2)
		return SPAN("");
	return format_trim(take_line(&text));
}

struct span format_take_comment(struct span *text)
{
	size_t len = 0;
	struct span line;

	while (len < text->len && text->p[len] != '\n' && text->p[len] != '\r')
		len++;
	line = (struct span){ text->p, len };
	*text = span_from(*text, len + 1);
	return format_trim(line);
}

static struct span gap(const struct formatter *f, size_t begin, size_t end)
{
	return (struct span){ f->lexer.text.p + begin, end - begin };
}

/* Looks at what is behind the current token. */
static void look_ahead(struct formatter *f)
{
	f->next = lexer_next(&f->lexer);
	f->behind = gap(f, f->token.range.end, f->next.range.begin);
}

void format_start(struct formatter *f, struct span text)
{
	f->lexer = (struct lexer){ .text = text };
	f->token = lexer_next(&f->lexer);
	f->before = gap(f, 0, f->token.range.begin);
	look_ahead(f);
}

static void advance(struct formatter *f)
{
	struct span rest = gap(f, f->token.range.end, f->next.range.begin);

	(void)take_line(&rest);
	f->before = rest;
	f->token = f->next;
	look_ahead(f);
}

bool format_at(const struct formatter *f, enum token_kind kind)
{
	return f->token.kind == kind;
}

static struct span token_text(const struct formatter *f)
{
	return gap(f, f->token.range.begin, f->token.range.end);
}

bool format_at_word(const struct formatter *f, struct span word)
{
	return format_at(f, TOKEN_IDENT) && span_eq(token_text(f), word);
}

const struct doc *format_comments(struct formatter *f, struct span text)
{
	const struct doc *all = doc_nil;

	while (text.len > 1) {
		struct span line = format_take_comment(&text);

		if (line.len == 0)
			continue;
		if (all != doc_nil)
			all = doc_append(&f->docs, all, doc_hardline);
		all = doc_append(&f->docs, all, doc_text(&f->docs, line));
	}
	return all;
}

static const struct doc *lines_before(struct formatter *f, struct span text)
{
	const struct doc *lines = format_comments(f, text);

	return lines == doc_nil ? doc_nil : doc_concat(&f->docs, doc_hardline, lines, doc_hardline);
}

static const struct doc *comment_behind(struct formatter *f, const struct doc *after)
{
	struct span line = first_line(f->behind);

	if (line.len == 0)
		return after;
	return doc_concat(&f->docs, doc_space, doc_text(&f->docs, line), doc_hardline);
}

const struct doc *format_before(struct formatter *f)
{
	const struct doc *d = doc_nil;

	for (size_t i = 0; i < ARRAY_SIZE(f->left_out); i++)
		d = doc_append(&f->docs, d, lines_before(f, f->left_out[i]));
	d = doc_append(&f->docs, d, lines_before(f, f->before));
	f->left_out[0] = f->left_out[1] = f->before = SPAN("");
	return d;
}

/* The next token, spelled like this. */
static const struct doc *spelled(struct formatter *f, struct span text, const struct doc *after)
{
	const struct doc *before = format_before(f);
	const struct doc *token = doc_text(&f->docs, text);
	const struct doc *behind = comment_behind(f, after);

	advance(f);
	return doc_append(&f->docs, before, doc_append(&f->docs, token, behind));
}

const struct doc *format_token(struct formatter *f, const struct doc *after)
{
	return spelled(f, token_text(f), after);
}

const struct doc *format_number(struct formatter *f)
{
	struct span digits = token_text(f);

	while (digits.len > 1 && digits.p[0] == '0')
		digits = span_from(digits, 1);
	return spelled(f, digits, doc_nil);
}

const struct doc *format_expect(struct formatter *f, enum token_kind kind, const struct doc *after)
{
	if (!format_at(f, kind)) {
		f->has_failed = true;
		return doc_nil;
	}
	return format_token(f, after);
}

void format_skip(struct formatter *f, bool want_behind)
{
	struct span before = f->before;
	struct span remark = first_line(f->behind);

	advance(f);
	f->left_out[0] = before;
	if (want_behind && format_trim(f->before).len == 0 && first_line(f->behind).len == 0)
		f->behind = remark;
	else
		f->left_out[1] = remark;
}

const struct doc *format_nest(struct formatter *f, const struct doc *d)
{
	return doc_nest(&f->docs, f->indent, d);
}
