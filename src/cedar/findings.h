/*
 * The validator's findings about one policy. A mistake that shows under many
 * request environments is said once; messages are made only for new ones.
 */
#pragma once

#include "cedar/cedar-validate.h"
#include "cedar/diagnostics.h"
#include "cedar/types.h"

/* Reports keep their large buffers out of the frames of what is always called. */
#define _cold_ __attribute__((noinline, cold))

struct finding_slot;

struct findings {
	struct cedar_diagnostics *diags;
	const struct cedar_policy *policy;
	const struct cedar_schema *schema;
	size_t first; /* of this policy in diags */
	struct finding_slot *slots;
	size_t n_slots, len;
	size_t n_errors;
};

void findings_begin(struct findings *f, const struct cedar_policy *p,
		    struct cedar_diagnostics *diags);
/* Sorts what was found. */
void findings_end(struct findings *f);
void findings_done(struct findings *f);

/*
 * Is this a new one? a and b are what the message speaks of besides the place
 * (interned types, spans of the policy): the same three give the same message.
 * NULL sinks take nothing.
 */
/* The policy is known to be wrong, and no further mistake of it would be kept. */
static inline bool findings_are_full(const struct findings *f)
{
	return f && f->n_errors && diagnostics_are_full(f->diags);
}

bool finding_is_new(struct findings *f, const char *code, struct cedar_range range, const void *a,
		    const void *b);
void finding_add(struct findings *f, enum cedar_severity severity, const char *code,
		 struct cedar_range range, const char *suggestion, const char *fmt, ...)
	_printf_(6, 7);

/* "did you mean `NAME`?", or "" where nothing is near. */
struct hint {
	char text[160];
};
struct hint hint_attribute(const struct cedar_type *record, struct span name);
struct hint hint_entity_type(const struct cedar_schema *s, struct span name);
struct hint hint_action(const struct cedar_schema *s, struct cedar_entity_uid uid);
struct hint hint_enum_id(const struct cedar_entity_type *e, struct span id);

/* The type's name for a message, in a buffer of the caller. */
#define TYPE_TEXT_MAX 120
const char *type_text(const struct cedar_type *type, char text[static TYPE_TEXT_MAX]);
