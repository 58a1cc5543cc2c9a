/*
 * What becomes of the placeholders in one request: each is looked for in every
 * field, replaced where its secret is bound to this destination, and a reason to
 * refuse the request anywhere else. Then instructions are carried out.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "proxy/secrets-private.h"

/* Fields that instructions and the wish for a plain answer add. */
#define MORE_FIELDS(s) ((s)->n_instructions + 2)

struct rewriting {
	const struct secrets *secrets;
	const struct secrets_destination *to;
	const struct http_head *head;
	struct secrets_edit *edit;
	bool has_changed;
};

static bool refuse(struct rewriting *w, struct span name, const char *why)
{
	w->edit->refused_name = name;
	w->edit->why = why;
	return false;
}

static void note_use(struct rewriting *w, struct span name, struct span header)
{
	struct secrets_edit *edit = w->edit;

	for (size_t i = 0; i < edit->n_uses; i++)
		if (span_eq(edit->uses[i].name, name) && span_eq(edit->uses[i].header, header))
			return;
	if (edit->n_uses < SECRETS_MAX_USES)
		edit->uses[edit->n_uses++] = (struct secrets_use){ name, header };
}

/* ---- Is a secret for this destination? ---- */

/*
 * By whole components. An escaped slash, backslash or dot stays one in the normal form, and some
 * server may read it as what it stands for.
 */
static bool is_below(struct span path, struct span prefix)
{
	while (prefix.len && prefix.p[prefix.len - 1] == '/')
		prefix.len--;
	for (size_t i = 0; i + 2 < path.len; i++)
		if (path.p[i] == '%' &&
		    (memcmp(path.p + i, "%2F", 3) == 0 || memcmp(path.p + i, "%5C", 3) == 0 ||
		     memcmp(path.p + i, "%2E", 3) == 0 || memcmp(path.p + i, "%25", 3) == 0))
			return false;
	return span_starts_with(path, prefix) &&
	       (path.len == prefix.len || path.p[prefix.len] == '/');
}

static bool is_bound(const struct secret_rule *rule, const struct secrets_destination *to)
{
	for (size_t i = 0; i < rule->n_places; i++)
		if (secret_place_holds(&rule->places[i], to))
			return true;
	return false;
}

/* NULL: the secret may go there; else why not. */
static const char *why_not(const struct secret_rule *rule, const struct secrets_destination *to,
			   struct span header)
{
	if (!is_bound(rule, to))
		return "the secret is not for this host, port and protocol";
	if (rule->path.len && !is_below(to->path, rule->path))
		return "the secret is not for this path";
	if (rule->header.len && !span_eq(rule->header, header))
		return "the secret is not for this header";
	return NULL;
}

/* ---- Replacing ---- */

/* Memory of the edit; the caller has seen to it that there is enough. */
static char *take_text(struct rewriting *w, size_t len)
{
	struct secrets_edit *edit = w->edit;
	char *p = edit->text.p + edit->n_text;

	if (len > edit->text.len - edit->n_text)
		abort();
	edit->n_text += len;
	return p;
}

static const struct secret_entry *owner(const struct rewriting *w, const struct needle *found)
{
	return w->secrets->entries.items[found->owner];
}

/* The first from there on, and where it is; NULL. */
static const struct needle *find_placeholder(const struct rewriting *w, struct span text,
					     size_t *at)
{
	const struct needles *n = &w->secrets->placeholders;
	const struct needle *found = NULL;

	for (; !found && (*at = needles_next(n, text, *at)) < text.len; *at += !found)
		found = needles_match(n, span_from(text, *at));
	return found;
}

/* In the text, which is ours. True: replaced as far as there was anything. */
static bool replace_in(struct rewriting *w, struct span header, char *text, size_t len,
		       bool *found_any)
{
	const struct needle *found;

	for (size_t i = 0; (found = find_placeholder(w, span_make(text, len), &i));
	     i += found->text.len) {
		const struct secret_rule *rule = &owner(w, found)->rule;
		const char *why = why_not(rule, w->to, header);

		if (why)
			return refuse(w, rule->name, why);
		memcpy(text + i, found->replacement, found->text.len);
		note_use(w, rule->name, header);
		*found_any = true;
	}
	return true;
}

/* RFC 7617: what follows "Basic" is user and password in base64. */
static bool replace_in_basic(struct rewriting *w, struct http_field *field, char *copy)
{
	const struct span scheme = SPAN("basic ");
	struct span value = field->value, coded;
	bool found_any = false;
	char *plain, *again;
	int n;

	if (value.len <= scheme.len || !span_eq_nocase(span_make(value.p, scheme.len), scheme))
		return true;
	coded = span_trim(span_from(value, scheme.len));
	plain = take_text(w, coded.len + 1);
	n = base64_decode(coded, plain);
	if (n < 0)
		return true;
	if (!replace_in(w, field->name, plain, (size_t)n, &found_any))
		return false;
	if (!found_any)
		return true;
	again = take_text(w, BASE64_LEN((size_t)n));
	base64_encode(span_make(plain, (size_t)n), again);
	/* As long as before, padding or not: so many bytes make so many letters. */
	memcpy(copy + (coded.p - value.p), again, coded.len);
	field->is_secret = w->has_changed = true;
	return true;
}

static bool replace_in_field(struct rewriting *w, struct http_field *field)
{
	char *copy = take_text(w, field->value.len + 1);
	bool found_any = false;

	memcpy(copy, field->value.p, field->value.len);
	if (!replace_in(w, field->name, copy, field->value.len, &found_any) ||
	    !replace_in_basic(w, field, copy))
		return false;
	if (found_any)
		field->is_secret = w->has_changed = true;
	field->value.p = copy;
	return true;
}

/* ---- Instructions ---- */

static bool is_clear_for_all(const struct rewriting *w, const struct secrets_instruction *in)
{
	struct span rest = in->value;
	struct secrets_piece piece;
	size_t n = 0;

	while (secrets_next_piece(&rest, &piece)) {
		const struct secret_entry *e =
			piece.is_secret ? secrets_find(w->secrets, piece.text) : NULL;

		if (piece.is_secret && (!e || !is_bound(&e->rule, w->to)))
			return false;
		n += piece.is_secret;
	}
	return n > 0;
}

/* On clear HTTP only where each secret in it may go there, too. */
static bool applies(const struct rewriting *w, const struct secrets_instruction *in)
{
	struct secret_place place = { in->host, in->port, !w->to->is_verified };

	return secret_place_holds(&place, w->to) && (w->to->is_verified || is_clear_for_all(w, in));
}

static bool is_overwritten(const struct rewriting *w, struct span header)
{
	for (size_t i = 0; i < w->secrets->n_instructions; i++)
		if (span_eq(w->secrets->instructions[i].header, header) &&
		    applies(w, &w->secrets->instructions[i]))
			return true;
	return false;
}

static size_t instruction_len(const struct secrets *s, const struct secrets_instruction *in)
{
	struct span rest = in->value;
	struct secrets_piece piece;
	size_t len = 0;

	while (secrets_next_piece(&rest, &piece)) {
		const struct secret_entry *e = piece.is_secret ? secrets_find(s, piece.text) : NULL;

		len += e ? e->rule.value.len : piece.text.len;
	}
	return len;
}

static bool carry_out(struct rewriting *w, const struct secrets_instruction *in,
		      struct http_field *ret)
{
	char *text = take_text(w, instruction_len(w->secrets, in));
	struct span rest = in->value;
	struct secrets_piece piece;
	size_t len = 0, n_secrets = 0;

	while (secrets_next_piece(&rest, &piece)) {
		const struct secret_entry *e = NULL;

		if (piece.is_secret) {
			e = secrets_find(w->secrets, piece.text);
			if (!e)
				return refuse(w, piece.text,
					      "a policy wants a secret set here that is not there");
			note_use(w, e->rule.name, in->header);
			n_secrets++;
		}
		memcpy(text + len, e ? e->rule.value.p : piece.text.p,
		       e ? e->rule.value.len : piece.text.len);
		len += e ? e->rule.value.len : piece.text.len;
	}
	if (!n_secrets)
		note_use(w, (struct span){ 0 }, in->header);
	*ret = (struct http_field){ in->header, span_make(text, len), /* is_secret = */ true };
	w->has_changed = true;
	return true;
}

/* ---- The request ---- */

static struct span plain_connection(const struct http_head *h)
{
	const struct span known[] = { SPAN("close"), SPAN("upgrade"), SPAN("keep-alive") };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (http_list_has(h, "connection", known[i]))
			return known[i];
	return SPAN("");
}

static bool copy_fields(struct rewriting *w, size_t *n)
{
	const struct http_head *h = w->head;
	struct http_field *to = w->edit->fields;

	for (size_t i = 0; i < h->n_fields; i++) {
		to[*n] = h->fields[i];
		/* What is not sent on is left out here: the field that names it need not, and what
		 * is put in cannot be taken out by it. */
		if (!http_is_sent_on(h, &to[*n]) || is_overwritten(w, to[*n].name))
			continue;
		if (span_eq(to[*n].name, SPAN("connection")))
			to[*n].value = plain_connection(h);
		else if (!replace_in_field(w, &to[*n]))
			return false;
		(*n)++;
	}
	for (size_t i = 0; i < w->secrets->n_instructions; i++) {
		const struct secrets_instruction *in = &w->secrets->instructions[i];

		if (applies(w, in) && !carry_out(w, in, &to[(*n)++]))
			return false;
	}
	return true;
}

/* An answer in a form that can be looked through. */
static void ask_for_plain(struct secrets_edit *edit, size_t *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (!span_eq(edit->fields[i].name, SPAN("accept-encoding")))
			edit->fields[kept++] = edit->fields[i];
	edit->fields[kept++] = (struct http_field){ SPAN("accept-encoding"), SPAN("identity") };
	*n = kept;
}

static bool is_in_target(struct rewriting *w)
{
	size_t at = 0;
	const struct needle *found = find_placeholder(w, w->head->target, &at);

	if (!found)
		return false;
	(void)refuse(w, owner(w, found)->rule.name,
		     "a secret is never put into a request's target, where logs would keep it");
	return true;
}

/* Is there anything at all that could be done? Most requests end here. */
static bool is_concerned(const struct rewriting *w)
{
	for (size_t i = 0; i < w->secrets->n_instructions; i++)
		if (applies(w, &w->secrets->instructions[i]))
			return true;
	for (size_t i = 0; i < w->head->n_fields; i++) {
		struct span value = w->head->fields[i].value;
		size_t at = 0;

		if (find_placeholder(w, value, &at) ||
		    (value.len > 6 && span_eq_nocase(span_make(value.p, 6), SPAN("basic "))))
			return true;
	}
	return false;
}

/* Each value copied, decoded and encoded again, and what instructions set. */
static size_t text_room(const struct rewriting *w)
{
	size_t len = 1;

	for (size_t i = 0; i < w->head->n_fields; i++)
		len += 3 * w->head->fields[i].value.len + 8;
	for (size_t i = 0; i < w->secrets->n_instructions; i++)
		len += instruction_len(w->secrets, &w->secrets->instructions[i]);
	return len;
}

static bool rewrite(struct rewriting *w)
{
	struct secrets_edit *edit = w->edit;
	size_t n = 0;

	if (secret_alloc(text_room(w), &edit->text) < 0)
		return refuse(w, (struct span){ 0 }, "there is no memory to put secrets in");
	edit->fields = xnew_array(struct http_field, w->head->n_fields + MORE_FIELDS(w->secrets));
	if (!copy_fields(w, &n))
		return false;
	ask_for_plain(edit, &n);
	if (n > LIMIT_HTTP_FIELDS)
		return refuse(w, (struct span){ 0 }, "with what is set there are too many fields");
	edit->head = *w->head;
	edit->head.fields = edit->fields;
	edit->head.n_fields = n;
	return true;
}

enum secrets_outcome secrets_put_in(const struct secrets *s, const struct secrets_destination *to,
				    const struct http_head *head, struct secrets_edit *edit)
{
	struct rewriting w = { .secrets = s, .to = to, .head = head, .edit = edit };

	if (!s->entries.len && !s->n_instructions)
		return SECRETS_NONE;
	secrets_edit_done(edit);
	if (is_in_target(&w))
		return SECRETS_REFUSED;
	if (!is_concerned(&w))
		return SECRETS_NONE;
	if (!rewrite(&w))
		return SECRETS_REFUSED;
	return w.has_changed ? SECRETS_PUT_IN : SECRETS_NONE;
}

void secrets_edit_done(struct secrets_edit *edit)
{
	xfree(edit->fields);
	secret_done(&edit->text);
	*edit = (struct secrets_edit){ 0 };
}
