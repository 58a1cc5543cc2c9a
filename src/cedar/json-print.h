/*
 * Writing Cedar's JSON forms: what the writers of expressions, policies and
 * entities share.
 */
#pragma once

#include "base/json-writer.h"
#include "base/limits.h"
#include "cedar/cedar-json.h"

struct json_printer {
	struct json_writer w;
	struct arena scratch; /* for sorting */
};

#define JSON_PRINTER_INIT(buffer)                                                                  \
	{                                                                                          \
		.w = { .out = (buffer) }, .scratch = ARENA_INIT(LIMIT_CEDAR_ARENA)                 \
	}

/* Something to be written under a name, in the order of names. */
struct json_named {
	struct span name;
	const void *item;
};

/* Room for n of them, or NULL, and then the writing has failed. */
struct json_named *json_print_sorted(struct json_printer *p, size_t n);
void json_print_sort(struct json_named *list, size_t n);

/* {"type": ..., "id": ...} */
void json_print_uid(struct json_writer *w, struct cedar_entity_uid uid);
/* {"__entity": {"type": ..., "id": ...}} */
void json_print_entity(struct json_printer *p, struct cedar_entity_uid uid);
/* "?principal" or "?resource" */
void json_print_slot(struct json_writer *w, enum cedar_var var);
const char *json_variable_name(enum cedar_var var);
void json_print_expr(struct json_printer *p, const struct cedar_expr *e);
/* Frees the scratch memory; 0, or -EMSGSIZE if something did not fit. */
int json_printer_end(struct json_printer *p);
