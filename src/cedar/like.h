/*
 * The `like` operator. Bytes are compared; on well-formed UTF-8 that equals
 * comparing characters.
 */
#pragma once

#include "cedar/cedar-ast.h"

bool like_matches(struct span text, const struct cedar_pattern_piece *pieces, size_t n);
