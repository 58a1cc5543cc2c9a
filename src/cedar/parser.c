/* Policies: annotations, effect, scope, conditions; and going on after mistakes. */
#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cedar/diagnostics.h"
#include "cedar/parser-private.h"
#include "cedar/policy-set.h"

static int check_annotation(struct parser *p, const struct cedar_policy *policy,
			    const struct cedar_annotation *a)
{
	for (size_t i = 0; i < policy->n_annotations; i++)
		if (span_eq(policy->annotations[i].key, a->key))
			return parser_error(p, "duplicate_annotation", a->range, NULL,
					    "the annotation @%.*s occurs twice",
					    SPAN_ARG(diagnostic_quote(a->key)));
	return 0;
}

/* "@" name [ "(" STRING ")" ] */
static int parse_annotation(struct parser *p, struct cedar_policy *policy, size_t *cap)
{
	struct cedar_annotation a = { .range.begin = p->token.range.begin };
	void *list = policy->annotations;

	parser_advance(p);
	a.key = parser_token_text(p);
	if (parser_expect(p, TOKEN_IDENT, "the annotation's name") < 0)
		return -EINVAL;
	if (parser_accept(p, TOKEN_LPAREN)) {
		a.has_value = true;
		if (parser_string(p, &a.value) < 0 || parser_expect(p, TOKEN_RPAREN, "`)`") < 0)
			return -EINVAL;
	}
	a.range.end = p->last_end;
	if (policy->n_annotations >= LIMIT_CEDAR_ANNOTATIONS)
		return parser_error(p, "too_many_annotations", a.range, NULL,
				    "the policy has too many annotations");
	if (check_annotation(p, policy, &a) < 0)
		return 0;
	if (parser_list_grow(p, &list, policy->n_annotations, cap, sizeof(a)) < 0)
		return -ENOMEM;
	policy->annotations = list;
	policy->annotations[policy->n_annotations++] = a;
	return 0;
}

static int parse_effect(struct parser *p, struct cedar_policy *policy)
{
	static const char *const effects[] = { "permit", "forbid" };
	struct span text = diagnostic_quote(parser_token_text(p));
	const char *nearest;
	char help[40] = "write permit or forbid";

	policy->is_forbid = parser_at_word(p, "forbid");
	if (parser_accept_word(p, "permit") || parser_accept_word(p, "forbid"))
		return 0;
	if (p->token.kind != TOKEN_IDENT)
		return parser_unexpected(p, "`permit` or `forbid`");
	nearest = nearest_word(text, effects, ARRAY_SIZE(effects));
	if (nearest)
		(void)snprintf(help, sizeof(help), "did you mean `%s`?", nearest);
	return parser_error(p, "invalid_effect", p->token.range, help,
			    "a policy begins with `permit` or `forbid`, not `%.*s`",
			    SPAN_ARG(text));
}

static int parse_scopes(struct parser *p, struct cedar_policy *policy)
{
	if (parser_expect(p, TOKEN_LPAREN, "`(`") < 0)
		return -EINVAL;
	if (parser_scope(p, CEDAR_PRINCIPAL, &policy->principal) < 0)
		return -EINVAL;
	if (p->token.kind != TOKEN_RPAREN && parser_expect(p, TOKEN_COMMA, "`,`") < 0)
		return -EINVAL;
	if (parser_scope(p, CEDAR_ACTION, &policy->action) < 0)
		return -EINVAL;
	if (p->token.kind != TOKEN_RPAREN && parser_expect(p, TOKEN_COMMA, "`,`") < 0)
		return -EINVAL;
	if (parser_scope(p, CEDAR_RESOURCE, &policy->resource) < 0)
		return -EINVAL;
	if (parser_accept(p, TOKEN_COMMA) && p->token.kind == TOKEN_IDENT)
		return parser_error(p, "invalid_scope", p->token.range,
				    "a scope is (principal, action, resource), in this order",
				    "the scope has a fourth element");
	policy->is_template = policy->principal.is_slot || policy->resource.is_slot;
	return parser_expect(p, TOKEN_RPAREN, "`)`");
}

/* ("when" | "unless") "{" expr "}" */
static int parse_condition(struct parser *p, struct cedar_policy *policy, size_t *cap)
{
	struct cedar_condition c = { .range.begin = p->token.range.begin };
	void *list = policy->conditions;

	c.is_unless = parser_at_word(p, "unless");
	parser_advance(p);
	if (parser_expect(p, TOKEN_LBRACE, "`{`") < 0)
		return -EINVAL;
	if (p->token.kind == TOKEN_RBRACE)
		return parser_error(p, "empty_condition",
				    (struct cedar_range){ c.range.begin, p->token.range.end },
				    "write the condition, or remove the clause",
				    "a condition cannot be empty");
	c.body = parser_expr(p);
	if (!c.body || parser_expect(p, TOKEN_RBRACE, "an operator or `}`") < 0)
		return -EINVAL;
	c.range.end = p->last_end;
	if (parser_list_grow(p, &list, policy->n_conditions, cap, sizeof(c)) < 0)
		return -ENOMEM;
	policy->conditions = list;
	policy->conditions[policy->n_conditions++] = c;
	return 0;
}

/* Nothing but a policy can begin like this, so it is safe to stop here after an error. */
static bool starts_policy(const struct parser *p)
{
	if (p->token.kind == TOKEN_AT)
		return parser_peek(p).kind == TOKEN_IDENT;
	return (parser_at_word(p, "permit") || parser_at_word(p, "forbid")) &&
	       parser_peek(p).kind == TOKEN_LPAREN;
}

static int parse_end(struct parser *p)
{
	struct span text = diagnostic_quote(parser_token_text(p));

	if (parser_accept(p, TOKEN_SEMICOLON))
		return 0;
	if (starts_policy(p) || p->token.kind == TOKEN_END)
		return parser_error(
			p, p->token.kind == TOKEN_END ? "unexpected_end" : "missing_semicolon",
			(struct cedar_range){ p->last_end, p->last_end }, "write `;` here",
			"the policy does not end with `;`");
	if (p->token.kind == TOKEN_IDENT)
		return parser_error(p, "invalid_condition", p->token.range, NULL,
				    "a condition begins with `when` or `unless`, not `%.*s`",
				    SPAN_ARG(text));
	return parser_unexpected(p, "`when`, `unless` or `;`");
}

static int parse_policy(struct parser *p, struct cedar_policy *policy)
{
	size_t cap = 0;

	policy->range.begin = p->token.range.begin;
	while (p->token.kind == TOKEN_AT)
		if (parse_annotation(p, policy, &cap) < 0 || diagnostics_are_full(p->diags))
			return -EINVAL;
	if (parse_effect(p, policy) < 0 || parse_scopes(p, policy) < 0)
		return -EINVAL;
	cap = 0;
	while (parser_at_word(p, "when") || parser_at_word(p, "unless"))
		if (parse_condition(p, policy, &cap) < 0)
			return -EINVAL;
	if (parse_end(p) < 0)
		return -EINVAL;
	policy->range.end = p->last_end;
	return 0;
}

/* After a syntax error in the policy at begin: to the next one. */
static void resynchronise(struct parser *p, size_t begin)
{
	if (diagnostics_are_full(p->diags))
		return;
	if (p->token.range.begin == begin)
		parser_advance(p);
	while (p->token.kind != TOKEN_END && p->token.kind != TOKEN_SEMICOLON && !starts_policy(p))
		parser_advance(p);
	(void)parser_accept(p, TOKEN_SEMICOLON);
}

static int name_policy(struct parser *p, struct cedar_policy *policy, size_t index)
{
	char digits[24];
	size_t at = sizeof(digits);
	char *id;

	policy->index = index;
	do
		digits[--at] = (char)('0' + index % 10);
	while (index /= 10);
	id = arena_alloc(p->arena, sizeof("policy") + sizeof(digits) - at);
	if (!id)
		return parser_out_of_memory(p);
	memcpy(id, "policy", 6);
	memcpy(id + 6, digits + at, sizeof(digits) - at);
	policy->id = (struct span){ id, 6 + sizeof(digits) - at };
	return 0;
}

static int too_many_policies(struct parser *p)
{
	(void)parser_error(p, "too_many_policies", p->token.range, NULL,
			   "there are more than %zu policies", p->max_policies);
	p->is_limited = true;
	return -EMSGSIZE;
}

static int add_policy(struct parser *p, struct cedar_policy_set *set, size_t *cap)
{
	struct cedar_policy *policy;
	size_t begin = p->token.range.begin;
	void *list = set->policies;

	if (p->max_policies && set->len >= p->max_policies)
		return too_many_policies(p);
	policy = arena_new(p->arena, struct cedar_policy);
	if (!policy || parser_list_grow(p, &list, set->len, cap, sizeof(policy)) < 0)
		return parser_out_of_memory(p);
	set->policies = list;
	if (parse_policy(p, policy) < 0) {
		resynchronise(p, begin);
		return p->is_limited ? -EMSGSIZE : 0;
	}
	if (name_policy(p, policy, set->len) < 0)
		return -ENOMEM;
	set->policies[set->len++] = policy;
	return 0;
}

/* How much of the text is ASCII, in whole words. */
static size_t ascii_len(struct span text)
{
	size_t at = 0;
	uint64_t word;

	for (; at + sizeof(word) <= text.len; at += sizeof(word)) {
		memcpy(&word, text.p + at, sizeof(word));
		if (word & 0x8080808080808080u)
			break;
	}
	return at;
}

static int check_text(struct span text, size_t limit, struct cedar_diagnostics *diags)
{
	if (text.len > limit) {
		diagnostic_add(diags, CEDAR_ERROR, "too_large", (struct cedar_range){ 0, 0 }, NULL,
			       "the text is larger than %zu bytes", limit);
		return -EMSGSIZE;
	}
	for (size_t at = ascii_len(text); at < text.len;) {
		uint32_t scalar;
		size_t n = utf8_decode(span_from(text, at), &scalar);

		if (n == 0) {
			diagnostic_add(diags, CEDAR_ERROR, "invalid_utf8",
				       (struct cedar_range){ at, at + 1 }, NULL,
				       "the text is not UTF-8 here");
			return -EINVAL;
		}
		at += n;
	}
	return 0;
}

int parser_copy_text(struct span *text, size_t limit, struct arena *arena,
		     struct cedar_diagnostics *diags)
{
	int r = check_text(*text, limit, diags);
	const char *copy;

	if (r < 0)
		return r;
	copy = arena_dup(arena, *text);
	if (!copy) {
		diagnostic_add(diags, CEDAR_ERROR, "too_large", (struct cedar_range){ 0, 0 }, NULL,
			       "the text needs more memory than is allowed");
		return -EMSGSIZE;
	}
	text->p = copy;
	return 0;
}

int cedar_policy_set_parse(struct span text, struct cedar_diagnostics *diags,
			   struct cedar_policy_set **ret)
{
	const struct cedar_parse_limits none = { 0 };

	return cedar_policy_set_parse_within(text, &none, diags, ret);
}

int cedar_policy_set_parse_within(struct span text, const struct cedar_parse_limits *limits,
				  struct cedar_diagnostics *diags, struct cedar_policy_set **ret)
{
	_cleanup_(cleanup_policy_set) struct cedar_policy_set *set = xnew(struct cedar_policy_set);
	size_t n_errors = diags->n_errors;
	size_t first = diags->len;
	struct parser p;
	size_t cap = 0;
	int r;

	set->arena.max = limits->memory ? limits->memory : LIMIT_CEDAR_POLICIES;
	r = parser_copy_text(&text, limits->text ? limits->text : LIMIT_POLICY_TEXT, &set->arena,
			     diags);
	if (r < 0)
		return r;
	parser_init(&p, text, &set->arena, diags);
	p.max_policies = limits->policies;
	while (!p.is_limited && p.token.kind != TOKEN_END && !diagnostics_are_full(diags))
		if (add_policy(&p, set, &cap) < 0)
			break;
	diagnostics_sort(diags, first);
	if (p.is_limited)
		return -EMSGSIZE;
	if (diags->n_errors > n_errors)
		return -EINVAL;
	*ret = TAKE_PTR(set);
	return 0;
}

int cedar_expr_parse(struct span text, struct arena *arena, struct cedar_diagnostics *diags,
		     struct cedar_expr **ret)
{
	size_t n_errors = diags->n_errors;
	size_t first = diags->len;
	struct cedar_expr *e;
	struct parser p;
	int r;

	r = parser_copy_text(&text, LIMIT_POLICY_TEXT, arena, diags);
	if (r < 0)
		return r;
	parser_init(&p, text, arena, diags);
	p.allow_slots = true;
	e = parser_expr(&p);
	if (e && p.token.kind != TOKEN_END)
		(void)parser_unexpected(&p, "an operator or the end");
	diagnostics_sort(diags, first);
	if (p.is_limited)
		return -EMSGSIZE;
	if (!e || diags->n_errors > n_errors)
		return -EINVAL;
	*ret = e;
	return 0;
}
