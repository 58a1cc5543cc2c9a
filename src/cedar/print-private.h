/*
 * Writing Cedar text: what the printers of values, expressions, policies and
 * diagnostics share.
 */
#pragma once

#include "base/buf.h"
#include "cedar/cedar.h"

/*
 * Whether a scalar must not reach a terminal as it is: controls, invisible and
 * unknown characters, and those that reorder or break lines (a policy must not
 * look different from what it says). The same that the reference escapes.
 */
bool print_must_escape(uint32_t scalar);
/* Whether it changes the look of the character before it; escaped where it is the first. */
bool print_extends(uint32_t scalar);
/* Appends "text" in quotes, escaped so that the lexer reads the same text back. */
int print_string(struct span text, struct buf *out);
/* As print_string, without quotes; with for_pattern a star becomes \*. */
int print_escaped(struct span text, bool for_pattern, struct buf *out);
/* Type::"id" */
int print_uid(struct cedar_entity_uid uid, struct buf *out);
/* YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.mmmZ; -ERANGE outside of the years 0000 to 9999. */
int print_iso_datetime(int64_t ms, struct buf *out);
