#include "proxy/secrets-private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "proxy/needle-forms.h"

struct secrets *secrets_new(void)
{
	return xnew(struct secrets);
}

static void entry_free(struct secret_entry *e)
{
	secret_done(&e->memory);
	buf_done(&e->text);
	xfree(e);
}

static void forget_literals(struct secrets *s)
{
	for (size_t i = 0; i < s->literals.len; i++)
		secret_done(&s->literals.items[i]);
	vec_done(&s->literals);
}

void secrets_free(struct secrets *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->entries.len; i++)
		entry_free(s->entries.items[i]);
	vec_done(&s->entries);
	forget_literals(s);
	needles_done(&s->values);
	needles_done(&s->placeholders);
	xfree(s);
}

const struct needles *secrets_values(const struct secrets *s)
{
	return &s->values;
}

const struct secret_entry *secrets_find(const struct secrets *s, struct span name)
{
	for (size_t i = 0; i < s->entries.len; i++)
		if (span_eq(s->entries.items[i]->rule.name, name))
			return s->entries.items[i];
	return NULL;
}

/* ---- What is looked for ---- */

/* Value, placeholder, and the forms of both. */
#define ENTRY_MEMORY(len) (2 * (len) + NEEDLE_FORMS_ROOM(len))

static int add_needles(struct secrets *s, struct secret_entry *e, size_t number)
{
	struct span value = e->rule.value, placeholder = e->rule.placeholder;
	int r = needle_forms_add(&s->values,
				 &(struct needle){ .text = value, .replacement = placeholder.p },
				 e->memory.p + 2 * value.len);

	if (r == 0)
		r = needles_add(&s->placeholders, &(struct needle){ .text = placeholder,
								    .replacement = value.p,
								    .owner = number });
	return r;
}

/* ---- Adding one ---- */

static struct span keep_text(struct buf *to, struct span text)
{
	size_t at = to->len;

	(void)buf_append_span(to, text);
	return span_make(to->data + at, text.len);
}

/* The buffer must not move while spans into it are made. */
static void copy_texts(struct secret_entry *e, const struct secret_rule *rule)
{
	size_t len = rule->name.len + rule->path.len + rule->header.len;

	for (size_t i = 0; i < rule->n_places; i++)
		len += rule->places[i].host.len;
	if (!buf_reserve(&e->text, len))
		abort();
	e->rule = *rule;
	e->rule.name = keep_text(&e->text, rule->name);
	e->rule.path = keep_text(&e->text, rule->path);
	e->rule.header = keep_text(&e->text, rule->header);
	for (size_t i = 0; i < rule->n_places; i++)
		e->rule.places[i].host = keep_text(&e->text, rule->places[i].host);
}

static int copy_values(struct secret_entry *e, const struct secret_rule *rule)
{
	size_t len = rule->value.len;
	int r = secret_alloc(ENTRY_MEMORY(len), &e->memory);

	if (r < 0)
		return r;
	memcpy(e->memory.p, rule->value.p, len);
	memcpy(e->memory.p + len, rule->placeholder.p, len);
	e->rule.value = span_make(e->memory.p, len);
	e->rule.placeholder = span_make(e->memory.p + len, len);
	return 0;
}

static const char *check(const struct secrets *s, const struct secret_rule *rule)
{
	if (s->entries.len >= LIMIT_SECRETS)
		return "there are too many secrets";
	if (secrets_find(s, rule->name))
		return "there is one of that name already";
	if (rule->value.len > LIMIT_SECRET || rule->value.len != rule->placeholder.len ||
	    !http_is_value(rule->value) || !http_is_value(rule->placeholder))
		return "its value cannot stand in a header";
	return NULL;
}

int secrets_add(struct secrets *s, const struct secret_rule *rule, struct err *err)
{
	const char *why = check(s, rule);
	struct secret_entry *e;
	int r;

	if (why)
		return err_say(err, -EINVAL, "the secret %.*s: %s", SPAN_ARG(rule->name), why);
	e = xnew(struct secret_entry);
	copy_texts(e, rule);
	r = copy_values(e, rule);
	if (r == 0)
		r = add_needles(s, e, s->entries.len);
	/* Also where it failed: some needles may point into it already. */
	vec_push(&s->entries, e);
	return r < 0 ? err_say(err, r, "the secret %.*s cannot be told apart", SPAN_ARG(rule->name))
		     : 0;
}

/* ---- Instructions ---- */

bool secrets_next_piece(struct span *rest, struct secrets_piece *ret)
{
	const struct span open = SPAN("${secret:");
	const char *at = rest->len ? memmem(rest->p, rest->len, open.p, open.len) : NULL;
	const char *close;

	if (!rest->len)
		return false;
	if (at == rest->p && (close = memchr(at, '}', rest->len))) {
		*ret = (struct secrets_piece){
			span_make(at + open.len, (size_t)(close - at) - open.len), true
		};
		*rest = span_from(*rest, (size_t)(close - at) + 1);
		return true;
	}
	/* Without an end it is text. */
	if (at == rest->p || !at)
		at = rest->p + rest->len;
	*ret = (struct secrets_piece){ span_make(rest->p, (size_t)(at - rest->p)), false };
	*rest = span_from(*rest, ret->text.len);
	return true;
}

/* What stands in a literal's place: its outline, and its first bytes. */
static void blank(struct span text, char *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		bool is_kept = i < NEEDLE_COMMON;

		out[i] = is_kept		? c
			 : c >= 'a' && c <= 'z' ? 'x'
			 : c >= 'A' && c <= 'Z' ? 'X'
			 : c >= '0' && c <= '9' ? '0'
						: c;
	}
}

/* Shorter words are in every other text as well. */
#define LITERAL_MIN_LEN 8

/* The last word: what goes before it names the scheme. */
static int add_literal(struct secrets *s, struct span text)
{
	struct secret memory;
	size_t begin = text.len;
	int r;

	while (begin > 0 && text.p[begin - 1] != ' ')
		begin--;
	text = span_from(text, begin);
	if (text.len < LITERAL_MIN_LEN)
		return 0;
	r = secret_alloc(2 * text.len, &memory);
	if (r < 0)
		return r;
	memcpy(memory.p, text.p, text.len);
	blank(text, memory.p + text.len);
	vec_push(&s->literals, memory);
	return needles_add(&s->values, &(struct needle){ .text = span_make(memory.p, text.len),
							 .replacement = memory.p + text.len });
}

static int find_again(struct secrets *s)
{
	int r = 0;

	needles_done(&s->values);
	needles_done(&s->placeholders);
	for (size_t i = 0; i < s->entries.len && r == 0; i++)
		r = add_needles(s, s->entries.items[i], i);
	return r;
}

int secrets_instruct(struct secrets *s, const struct secrets_instruction *items, size_t n,
		     struct err *err)
{
	int r;

	forget_literals(s);
	r = find_again(s);
	s->instructions = items;
	s->n_instructions = n;
	for (size_t i = 0; i < n && r == 0; i++) {
		struct span rest = items[i].value;
		struct secrets_piece piece;

		while (r == 0 && secrets_next_piece(&rest, &piece))
			if (!piece.is_secret)
				r = add_literal(s, piece.text);
	}
	return r < 0 ? err_set(err, r, "take the HttpRewrite policies over") : 0;
}

/* ---- Places ---- */

bool secret_place_holds(const struct secret_place *place, const struct secrets_destination *to)
{
	struct span host = place->host;

	if (place->is_clear == to->is_verified || (place->port && place->port != to->port))
		return false;
	if (!span_starts_with(host, SPAN("*.")))
		return span_eq(host, to->host);
	host = span_from(host, 1);
	return to->host.len > host.len && span_ends_with(to->host, host);
}
