/*
 * What the commands that list sessions share: their two flags, the text that
 * they gather, and the time at which a session began, as a person reads it.
 */
#pragma once

#include "cli/usage.h"

struct list {
	bool want_json, is_quiet;
	struct buf out;
};

enum { LIST_OPTION_JSON = 1, LIST_OPTION_QUIET };

#define LIST_ROWS                                                                                  \
	{ "json", 0, NULL, "one JSON object a line", LIST_OPTION_JSON, 0 },                        \
		{ "quiet", 'q', NULL, "the ids alone", LIST_OPTION_QUIET, 0 }, OPTION_HELP_ROW

/* Reads the flags into a struct list; for usage_parse. */
int list_option(int id, const char *value, void *list, struct err *err);
/* Appends it in local time, padded to 19 columns; blanks where it is none. */
void list_show_time(const char *rfc3339, struct buf *out);
