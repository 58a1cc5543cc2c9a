/*
 * One record of an event log in the forms that people and scripts read:
 * docs/EVENTS.md names the keys, man/leash-events.1 shows the forms.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"

/*
 * Text that somebody else chose, for a terminal: bare where it is only letters
 * and signs that cannot mislead, else in double quotes with escapes, so that
 * no two texts look alike and none acts on the terminal.
 */
void show_text(struct span text, struct buf *out);

/* One line: time, decision, kind, program[pid], object, error, policies. */
void show_human(const struct json *event, bool color, struct buf *out);
/* One line of key=value; lists as a,b with \ before a comma that is their own. */
void show_logfmt(const struct json *event, struct buf *out);
