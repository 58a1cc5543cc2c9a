/*
 * Warnings about text that may deceive a reader: characters that reorder what
 * is shown, words of several scripts, characters that Unicode does not
 * recommend for identifiers (UTS #39).
 */
#pragma once

#include "cedar/findings.h"

void script_check_expr(const struct cedar_expr *e, struct findings *f);
void script_check_uid(struct cedar_entity_uid uid, struct cedar_range range, struct findings *f);
