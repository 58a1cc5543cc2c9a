/*
 * Documents that know how they may be laid out: text, and lines that are a
 * blank (or nothing) where their group fits, else a new line. An algebra in
 * the manner of Wadler's "A prettier printer", with the choices that decide
 * the bytes of Cedar's reference formatter:
 *
 * - a group is flat when its flat form and what follows it, up to the next
 *   line that may break, fit into the width; a hard line never fits;
 * - a new line is indented as the document that comes next asks for, taken
 *   before that document's own nesting.
 *
 * Documents live in an arena, are never changed and may be shared. Each knows
 * its widths, so laying out is linear.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct doc;

struct doc_builder {
	struct arena *arena;
	bool has_failed; /* the arena was exhausted; documents are then incomplete */
};

extern const struct doc *const doc_nil;
extern const struct doc *const doc_space;    /* a blank */
extern const struct doc *const doc_line;     /* a blank, or a new line */
extern const struct doc *const doc_softline; /* nothing, or a new line */
extern const struct doc *const doc_hardline; /* always a new line */

/* Text may hold newlines; they count like any other byte. It is not copied. */
const struct doc *doc_text(struct doc_builder *b, struct span text);
const struct doc *doc_append(struct doc_builder *b, const struct doc *left,
			     const struct doc *right);
const struct doc *doc_nest(struct doc_builder *b, size_t indent, const struct doc *child);
const struct doc *doc_group(struct doc_builder *b, const struct doc *child);

/* All of them, one after the other. */
#define doc_concat(b, ...)                                                                         \
	doc_concat_all((b), (const struct doc *const[]){ __VA_ARGS__ },                            \
		       sizeof((const struct doc *const[]){ __VA_ARGS__ }) /                        \
			       sizeof(const struct doc *))
const struct doc *doc_concat_all(struct doc_builder *b, const struct doc *const *docs, size_t n);

/*
 * Appends the document, laid out for the width. Lines that would be empty are
 * left out, as is an empty beginning. 0, -ENOMEM or -EMSGSIZE.
 */
int doc_render(const struct doc *d, size_t width, struct buf *out) _must_check_;
