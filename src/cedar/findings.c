#include "cedar/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "cedar/diagnostics.h"

struct finding_slot {
	const char *code; /* NULL: free */
	struct cedar_range range;
	const void *a, *b;
};

/* A table larger than this is not worth clearing for the next policy. */
#define SLOTS_KEPT 1024

void findings_begin(struct findings *f, const struct cedar_policy *p,
		    struct cedar_diagnostics *diags)
{
	f->policy = p;
	f->diags = diags;
	f->first = diags->len;
	f->n_errors = 0;
	if (f->n_slots > SLOTS_KEPT) {
		xfree(f->slots);
		f->slots = NULL;
		f->n_slots = 0;
	} else if (f->len) {
		memset(f->slots, 0, f->n_slots * sizeof(*f->slots));
	}
	f->len = 0;
}

void findings_end(struct findings *f)
{
	diagnostics_sort(f->diags, f->first);
}

void findings_done(struct findings *f)
{
	xfree(f->slots);
	*f = (struct findings){ 0 };
}

static size_t slot_of(const struct findings *f, const struct finding_slot *wanted)
{
	uint64_t h = wanted->range.begin * 0x9e3779b97f4a7c15ULL;
	size_t at;

	h ^= (uint64_t)(uintptr_t)wanted->a * 0xc2b2ae3d27d4eb4fULL;
	h ^= (uint64_t)(uintptr_t)wanted->b ^ wanted->range.end;
	h = (h ^ (uint64_t)(uintptr_t)wanted->code) * 0x9e3779b97f4a7c15ULL;
	at = (size_t)(h >> 32) & (f->n_slots - 1);
	while (f->slots[at].code &&
	       (f->slots[at].code != wanted->code || f->slots[at].a != wanted->a ||
		f->slots[at].b != wanted->b || f->slots[at].range.begin != wanted->range.begin ||
		f->slots[at].range.end != wanted->range.end))
		at = (at + 1) & (f->n_slots - 1);
	return at;
}

static void grow(struct findings *f)
{
	struct finding_slot *old = f->slots;
	size_t n_old = f->n_slots;

	f->n_slots = n_old ? n_old * 2 : 32;
	f->slots = xnew_array(struct finding_slot, f->n_slots);
	for (size_t i = 0; i < n_old; i++)
		if (old[i].code)
			f->slots[slot_of(f, &old[i])] = old[i];
	xfree(old);
}

bool finding_is_new(struct findings *f, const char *code, struct cedar_range range, const void *a,
		    const void *b)
{
	struct finding_slot wanted = { code, range, a, b };
	size_t at;

	if (!f || findings_are_full(f))
		return false;
	if ((f->len + 1) * 2 > f->n_slots)
		grow(f);
	at = slot_of(f, &wanted);
	if (f->slots[at].code)
		return false;
	f->slots[at] = wanted;
	f->len++;
	return true;
}

void finding_add(struct findings *f, enum cedar_severity severity, const char *code,
		 struct cedar_range range, const char *suggestion, const char *fmt, ...)
{
	char message[512];
	size_t len = f->diags->len;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	f->n_errors += severity == CEDAR_ERROR;
	diagnostic_add(f->diags, severity, code, range,
		       suggestion && suggestion[0] ? suggestion : NULL, "%s", message);
	if (f->diags->len > len)
		f->diags->items[len].policy = f->policy;
}

/* ---- What was probably meant ---------------------------------------------- */

/* Is the candidate fewer edits away than the best so far? */
static bool word_is_nearer(struct span word, struct span candidate, size_t *distance)
{
	size_t d = word_distance(word, candidate, *distance);

	if (d >= *distance)
		return false;
	*distance = d;
	return true;
}

static struct hint hint_of(struct span best)
{
	struct hint hint = { "" };
	struct span shown = diagnostic_quote(best);

	if (best.len)
		(void)snprintf(hint.text, sizeof(hint.text), "did you mean `%.*s`?",
			       SPAN_ARG(shown));
	return hint;
}

struct hint hint_attribute(const struct cedar_type *record, struct span name)
{
	size_t distance = word_distance_max(name) + 1;
	struct span best = { 0 };

	for (size_t i = 0; record && i < record->n_attributes; i++)
		if (word_is_nearer(name, record->attributes[i].name, &distance))
			best = record->attributes[i].name;
	return hint_of(best);
}

struct hint hint_entity_type(const struct cedar_schema *s, struct span name)
{
	size_t distance = word_distance_max(name) + 1;
	struct span best = { 0 };

	for (size_t i = 0; i < s->n_entities; i++)
		if (word_is_nearer(name, s->entities[i]->name, &distance))
			best = s->entities[i]->name;
	return hint_of(best);
}

struct hint hint_action(const struct cedar_schema *s, struct cedar_entity_uid uid)
{
	size_t distance = word_distance_max(uid.id) + 1;
	const struct cedar_action_type *best = NULL;
	struct hint hint = { "" };
	struct span type, id;

	for (size_t i = 0; i < s->n_actions; i++) {
		struct cedar_entity_uid other = s->actions[i]->uid;

		if (span_eq(other.id, uid.id) || word_is_nearer(uid.id, other.id, &distance))
			best = s->actions[i];
		if (best && span_eq(other.id, uid.id))
			break;
	}
	if (!best)
		return hint;
	type = diagnostic_quote(best->uid.type);
	id = diagnostic_quote(best->uid.id);
	(void)snprintf(hint.text, sizeof(hint.text), "did you mean `%.*s::\"%.*s\"`?",
		       SPAN_ARG(type), SPAN_ARG(id));
	return hint;
}

struct hint hint_enum_id(const struct cedar_entity_type *e, struct span id)
{
	size_t distance = word_distance_max(id) + 1;
	struct span best = { 0 };
	struct hint hint = { "" };
	size_t len = 0;
	int n;

	for (size_t i = 0; i < e->n_enum_ids; i++)
		if (word_is_nearer(id, e->enum_ids[i], &distance))
			best = e->enum_ids[i];
	if (best.len)
		return hint_of(best);
	for (size_t i = 0; i < e->n_enum_ids && len + 80 < sizeof(hint.text); i++) {
		struct span shown = diagnostic_quote(e->enum_ids[i]);

		n = snprintf(hint.text + len, sizeof(hint.text) - len, "%s\"%.*s\"",
			     i ? ", " : "it may be ", SPAN_ARG(shown));
		len += n > 0 ? (size_t)n : 0;
	}
	return hint;
}

const char *type_text(const struct cedar_type *type, char text[static TYPE_TEXT_MAX])
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	size_t len;

	type_print(type, &out);
	len = MIN(out.len, (size_t)TYPE_TEXT_MAX - 1);
	while (len < out.len && len && ((unsigned char)out.data[len] & 0xc0) == 0x80)
		len--;
	if (len)
		memcpy(text, out.data, len);
	text[len] = 0;
	return text;
}
