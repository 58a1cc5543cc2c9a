/*
 * The policy formatter: the layout of Cedar's own formatter, byte for byte,
 * with all comments kept.
 *
 * Policies stand apart by one blank line, annotations on lines of their own,
 * the scope on one line where it says nothing, conditions on one line where
 * they fit. Numbers, strings, parentheses and the order of everything stay as
 * written; blank lines between comments and trailing commas go.
 */
#pragma once

#include "cedar/cedar.h"

#pragma GCC visibility push(default)

struct cedar_format_options {
	size_t width;  /* columns a line should keep to; 0 means 80 */
	size_t indent; /* blanks per level, at most 64; 0 is none */
};

#define CEDAR_FORMAT_DEFAULT ((struct cedar_format_options){ .width = 80, .indent = 2 })

/*
 * Appends the policies of text to out, formatted; a text without policies
 * becomes its comments. The result is read again and compared with text, token
 * by token and comment by comment, so formatting cannot change what is decided
 * or lose a remark. Nothing is appended on failure:
 * -EINVAL when text does not parse (diags says why), -EMSGSIZE when text or
 * result passes a limit, -ENOTRECOVERABLE when the result would say something
 * else, which is our mistake.
 */
int cedar_format(struct span text, const struct cedar_format_options *options,
		 struct cedar_diagnostics *diags, struct buf *out) _must_check_;

#pragma GCC visibility pop
