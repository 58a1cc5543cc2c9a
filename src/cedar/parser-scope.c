/* The three constraints in a policy's parentheses. */
#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/parser-private.h"

static const char *const names[] = {
	[CEDAR_PRINCIPAL] = "principal",
	[CEDAR_ACTION] = "action",
	[CEDAR_RESOURCE] = "resource",
	[CEDAR_CONTEXT] = "context",
};

static int expect_variable(struct parser *p, enum cedar_var var)
{
	static const char help[] = "a scope is (principal, action, resource), in this order";
	struct span text = parser_token_text(p);

	if (parser_accept_word(p, names[var]))
		return 0;
	if (p->token.kind == TOKEN_RPAREN)
		return parser_error(p, "missing_scope", p->token.range, help,
				    "the scope lacks `%s`", names[var]);
	if (p->token.kind == TOKEN_IDENT)
		return parser_error(p, "invalid_scope", p->token.range, help,
				    "found `%.*s` where `%s` must stand",
				    SPAN_ARG(diagnostic_quote(text)), names[var]);
	return parser_unexpected(p, names[var]);
}

static int add_uid(struct parser *p, struct cedar_scope *s, size_t *cap,
		   struct cedar_entity_uid uid, struct cedar_range range)
{
	size_t ranges_cap = *cap;
	void *uids = s->uids;
	void *ranges = s->uid_ranges;

	if (parser_list_grow(p, &uids, s->n_uids, cap, sizeof(uid)) < 0 ||
	    parser_list_grow(p, &ranges, s->n_uids, &ranges_cap, sizeof(range)) < 0)
		return -ENOMEM;
	s->uids = uids;
	s->uid_ranges = ranges;
	s->uids[s->n_uids] = uid;
	s->uid_ranges[s->n_uids++] = range;
	return 0;
}

/* Action, or a namespace's Action. */
static bool is_action_type(struct span type)
{
	return span_eq(type, SPAN("Action")) || span_ends_with(type, SPAN("::Action"));
}

static int not_an_entity(struct parser *p, bool want_slot)
{
	const char *wanted = want_slot ? "an entity or a template slot" : "an entity";

	if (p->token.kind == TOKEN_LBRACKET)
		return parser_error(p, "invalid_scope_value", p->token.range, NULL,
				    "expected one entity here, found a list");
	if (p->token.kind == TOKEN_STRING)
		return parser_error(p, "invalid_scope_value", p->token.range,
				    "put the entity type before it: Type::\"id\"",
				    "expected %s, found a string", wanted);
	return parser_unexpected(p, wanted);
}

static int parse_uid(struct parser *p, enum cedar_var var, struct cedar_scope *s, size_t *cap)
{
	struct cedar_range range;
	struct cedar_entity_uid uid;
	struct span name;
	int r;

	r = parser_name(p, &name, &range);
	if (r < 0)
		return r;
	if (p->token.kind != TOKEN_PATH)
		return parser_error(p, "invalid_scope_value", range,
				    "use `is` for a type, or add an id: Type::\"id\"",
				    "expected an entity, found the name `%.*s`",
				    SPAN_ARG(diagnostic_quote(name)));
	r = parser_uid_after_name(p, name, &uid);
	if (r < 0)
		return r;
	range.end = p->last_end;
	if (var == CEDAR_ACTION && !is_action_type(uid.type))
		(void)parser_error(p, "invalid_action", range,
				   "actions have the type Action, perhaps in a namespace",
				   "expected an action, found an entity of type `%.*s`",
				   SPAN_ARG(diagnostic_quote(uid.type)));
	return add_uid(p, s, cap, uid, range);
}

static int parse_slot(struct parser *p, enum cedar_var var, struct cedar_scope *s)
{
	struct span text = diagnostic_quote(parser_token_text(p));

	if (var == CEDAR_ACTION)
		return parser_error(p, "invalid_slot", p->token.range, NULL,
				    "the action cannot be a template slot");
	if (!span_eq_str(span_from(text, 1), names[var]))
		(void)parser_error(p, "invalid_slot", p->token.range, NULL,
				   "only the slot `?%s` can be used here, not `%.*s`", names[var],
				   SPAN_ARG(text));
	s->is_slot = true;
	parser_advance(p);
	return 0;
}

static int parse_list(struct parser *p, struct cedar_scope *s);

/* A uid, a slot, or for `action in` a list; each may stand in parentheses. */
static int parse_value(struct parser *p, enum cedar_var var, bool allow_list, struct cedar_scope *s)
{
	size_t n_open = 0;
	size_t cap = 0;
	int r;

	for (; parser_accept(p, TOKEN_LPAREN); n_open++)
		if (n_open >= LIMIT_CEDAR_NESTING)
			return parser_too_deep(p, p->token.range);
	if (p->token.kind == TOKEN_SLOT)
		r = parse_slot(p, var, s);
	else if (p->token.kind == TOKEN_IDENT)
		r = parse_uid(p, var, s, &cap);
	else if (p->token.kind == TOKEN_LBRACKET && allow_list)
		r = parse_list(p, s);
	else
		r = not_an_entity(p, var != CEDAR_ACTION);
	for (; r == 0 && n_open > 0; n_open--)
		r = parser_expect(p, TOKEN_RPAREN, "`)`");
	return r;
}

static int parse_list_item(struct parser *p, struct cedar_scope *s, size_t *cap)
{
	size_t n_open = 0;
	int r;

	for (; parser_accept(p, TOKEN_LPAREN); n_open++)
		if (n_open >= LIMIT_CEDAR_NESTING)
			return parser_too_deep(p, p->token.range);
	if (p->token.kind == TOKEN_SLOT)
		return parse_slot(p, CEDAR_ACTION, s);
	if (p->token.kind != TOKEN_IDENT)
		return not_an_entity(p, /* want_slot = */ false);
	r = parse_uid(p, CEDAR_ACTION, s, cap);
	for (; r == 0 && n_open > 0; n_open--)
		r = parser_expect(p, TOKEN_RPAREN, "`)`");
	return r;
}

static int parse_list(struct parser *p, struct cedar_scope *s)
{
	size_t cap = 0;
	int r;

	s->is_list = true;
	parser_advance(p);
	while (p->token.kind != TOKEN_RBRACKET) {
		r = parse_list_item(p, s, &cap);
		if (r < 0)
			return r;
		if (p->token.kind == TOKEN_RBRACKET)
			break;
		r = parser_expect(p, TOKEN_COMMA, "`,` or `]`");
		if (r < 0)
			return r;
	}
	parser_advance(p);
	return 0;
}

static int parse_is(struct parser *p, enum cedar_var var, struct cedar_scope *s)
{
	int r;

	if (var == CEDAR_ACTION)
		return parser_error(p, "invalid_scope_operator", p->token.range,
				    "move it into a `when` condition",
				    "`is` cannot constrain the action in the scope");
	parser_advance(p);
	if (p->token.kind == TOKEN_STRING)
		return parser_error(p, "invalid_type_name", p->token.range, "remove the quotes",
				    "the right side of `is` is an entity type, not a string");
	r = parser_name(p, &s->type_name, &s->type_range);
	if (r < 0)
		return r;
	if (p->token.kind == TOKEN_PATH)
		return parser_error(p, "invalid_type_name", s->type_range,
				    "use `==` to compare with one entity",
				    "the right side of `is` is an entity type, not an entity");
	s->op = CEDAR_SCOPE_IS;
	if (!parser_accept_word(p, "in"))
		return 0;
	s->op = CEDAR_SCOPE_IS_IN;
	return parse_value(p, var, /* allow_list = */ false, s);
}

static bool is_wrong_operator(enum token_kind kind)
{
	return kind == TOKEN_NE || kind == TOKEN_LT || kind == TOKEN_LE || kind == TOKEN_GT ||
	       kind == TOKEN_GE;
}

static int parse_constraint(struct parser *p, enum cedar_var var, struct cedar_scope *s)
{
	if (parser_accept(p, TOKEN_EQ)) {
		s->op = CEDAR_SCOPE_EQ;
		return parse_value(p, var, /* allow_list = */ false, s);
	}
	if (parser_accept_word(p, "in")) {
		s->op = CEDAR_SCOPE_IN;
		return parse_value(p, var, var == CEDAR_ACTION, s);
	}
	if (parser_at_word(p, "is"))
		return parse_is(p, var, s);
	if (p->token.kind == TOKEN_COLON)
		return parser_error(p, "invalid_scope_operator", p->token.range,
				    "use `is` to constrain the type", "`:` is not used in scopes");
	if (p->token.kind == TOKEN_ASSIGN)
		return parser_error(p, "unsupported_operator", p->token.range,
				    "use `==` to compare", "`=` is not an operator in Cedar");
	if (is_wrong_operator(p->token.kind))
		return parser_error(p, "invalid_scope_operator", p->token.range,
				    "move it into a `when` condition",
				    "a scope can only use `==`, `in`, `is`, and `is ... in`");
	return 0;
}

/* A second constraint on the same variable. */
static int check_end(struct parser *p, const struct cedar_scope *s)
{
	if (s->op == CEDAR_SCOPE_ANY)
		return 0;
	if (parser_at_word(p, "is"))
		return parser_error(p, "invalid_scope_operator", p->token.range,
				    "write `is T in E`",
				    "`is` must come before `in`, and cannot follow `==`");
	if (p->token.kind == TOKEN_EQ)
		return parser_error(p, "invalid_scope_operator", p->token.range,
				    "use `is T in E`, or `==` alone",
				    "`==` cannot be combined with another constraint");
	if (p->token.kind == TOKEN_AND || p->token.kind == TOKEN_OR)
		return parser_error(p, "invalid_scope_operator", p->token.range,
				    "move the second part into a `when` condition",
				    "a scope holds one constraint for each variable");
	return 0;
}

int parser_scope(struct parser *p, enum cedar_var var, struct cedar_scope *s)
{
	size_t begin = p->token.range.begin;
	int r;

	r = expect_variable(p, var);
	if (r < 0)
		return r;
	r = parse_constraint(p, var, s);
	if (r < 0)
		return r;
	s->range = (struct cedar_range){ begin, p->last_end };
	return check_end(p, s);
}
