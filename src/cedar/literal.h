/*
 * The text between quotes: escapes become characters, and the right side of
 * `like` becomes a pattern. Raw text is UTF-8 and lives in the arena, and so do
 * results, which may be parts of it.
 */
#pragma once

#include "base/arena.h"
#include "cedar/cedar-ast.h"

/*
 * Unescapes raw (without quotes). 0, -EINVAL with the offending bytes in
 * *bad (offsets into raw), or -ENOMEM.
 */
int literal_unescape(struct span raw, struct arena *arena, struct span *ret,
		     struct cedar_range *bad) _must_check_;

/*
 * As above for a pattern, in which `\*` is a star and `*` a wildcard. A star
 * that comes out of \u{2A} or \x2A is a wildcard too, as in the reference.
 */
int literal_pattern(struct span raw, struct arena *arena, struct cedar_pattern_piece **ret,
		    size_t *ret_n, struct cedar_range *bad) _must_check_;
