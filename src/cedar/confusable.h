/*
 * Text that may not be what it looks like: characters that reorder what is
 * shown, scripts that are mixed so that letters can be mistaken for others,
 * and, in identifiers, characters that Unicode does not recommend there. The
 * rules are those of the reference's validator; data from UAX #24 and UTS #39.
 */
#pragma once

#include "cedar/cedar-ast.h"

enum confusable {
	CONFUSABLE_NONE,
	CONFUSABLE_BIDI,    /* has a control character of the bidirectional algorithm */
	CONFUSABLE_PROFILE, /* has a character outside the General Security Profile */
	CONFUSABLE_MIXED,   /* no script uses all of its characters */
};

/* The first of the above that holds, but for CONFUSABLE_PROFILE. text is valid UTF-8. */
enum confusable confusable_string(struct span text);
/* The first that holds; *ret_scalar is the character outside the profile. */
enum confusable confusable_identifier(struct span text, uint32_t *ret_scalar);
/*
 * A pattern as it is printed: with escapes, whose letters count, for the
 * reference looks at the same. -ENOMEM when it is too large to print.
 */
int confusable_pattern(const struct cedar_pattern_piece *pieces, size_t n,
		       enum confusable *ret) _must_check_;
