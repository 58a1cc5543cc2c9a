/*
 * How many columns text takes in a terminal, as Cedar's reference formatter
 * counts: ASCII by bytes, other text by Unicode's East Asian Width.
 */
#pragma once

#include "base/span.h"

/* text is valid UTF-8. */
size_t display_width(struct span text);
