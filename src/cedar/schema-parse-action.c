/* Actions in Cedar's schema syntax. */
#include <errno.h>

#include "cedar/diagnostics.h"
#include "cedar/schema-parse.h"
#include "cedar/schema-resolve.h"

#define TARGETS_HELP "every action that applies to something names both, as in `principal: [User]`"

/* (ident | STRING) | path "::" STRING */
static int parse_ref(struct schema_parser *s, struct schema_action_ref *ret)
{
	size_t begin = s->p.token.range.begin;
	struct cedar_range range;
	struct span name;
	int r;

	*ret = (struct schema_action_ref){ 0 };
	if (s->p.token.kind == TOKEN_STRING || parser_peek(&s->p).kind != TOKEN_PATH) {
		return schema_parse_ident_or_string(s, "the name of an action", &ret->id,
						    &ret->range);
	}
	r = schema_parse_path(s, &name, &range);
	if (r == 0) {
		struct cedar_entity_uid uid;

		r = parser_uid_after_name(&s->p, name, &uid);
		if (r == 0)
			*ret = (struct schema_action_ref){ .type = uid.type, .id = uid.id };
	}
	ret->range = (struct cedar_range){ begin, s->p.last_end };
	return r;
}

static int add_ref(struct schema_parser *s, struct schema_action_refs *refs, size_t *cap)
{
	struct schema_action_ref ref;
	void *list = refs->items;

	if (parse_ref(s, &ref) < 0)
		return -EINVAL;
	if (parser_list_grow(&s->p, &list, refs->len, cap, sizeof(ref)) < 0)
		return -ENOMEM;
	refs->items = list;
	refs->items[refs->len++] = ref;
	return 0;
}

static int parse_parents(struct schema_parser *s, struct schema_action_refs *ret)
{
	size_t cap = 0;

	ret->index = s->tree->n_lists++;
	ret->is_written = true;
	if (!parser_accept(&s->p, TOKEN_LBRACKET))
		return add_ref(s, ret, &cap);
	if (schema_open(s) < 0)
		return -EMSGSIZE;
	do {
		if (add_ref(s, ret, &cap) < 0)
			return -EINVAL;
	} while (parser_accept(&s->p, TOKEN_COMMA));
	return schema_close(s, TOKEN_RBRACKET, "`,` or `]`");
}

/* What was read of an appliesTo. */
struct targets {
	struct schema_applies_to *to;
	bool has_principals, has_resources;
	struct cedar_range begin; /* of the word appliesTo */
};

static int report_repeated(struct schema_parser *s, const char *word, struct cedar_range range)
{
	return parser_error(&s->p, "duplicate_declaration", range, "put all into one list",
			    "`%s` is declared twice", word);
}

static int parse_list(struct schema_parser *s, const char *word, bool *has,
		      struct schema_names *ret)
{
	struct cedar_range range = s->p.token.range;

	if (*has)
		(void)report_repeated(s, word, range);
	*has = true;
	parser_advance(&s->p);
	if (parser_expect(&s->p, TOKEN_COLON, "`:`") < 0 || schema_parse_names(s, ret) < 0)
		return -EINVAL;
	if (ret->len == 0)
		(void)parser_error(&s->p, "empty_applies_to", range, TARGETS_HELP,
				   "`%s` cannot be empty", word);
	return 0;
}

/* The name of a common type. JSON has words of its own that a type there cannot be named. */
static int parse_context_name(struct schema_parser *s, struct schema_type *context)
{
	if (s->p.token.kind != TOKEN_IDENT)
		return parser_unexpected(&s->p, "a record or the name of a common type");
	if (schema_parse_path(s, &context->name, &context->range) < 0)
		return -EINVAL;
	if (span_eq(context->name, SPAN("EntityOrCommon")))
		context->kind = SCHEMA_TYPE_NAME;
	if (!schema_builtin(context->name))
		(void)schema_check_common_name(context->name, context->range, s->p.diags);
	return 0;
}

static int parse_context(struct schema_parser *s, struct schema_type **ret)
{
	if (*ret)
		(void)report_repeated(s, "context", s->p.token.range);
	parser_advance(&s->p);
	if (parser_expect(&s->p, TOKEN_COLON, "`:`") < 0)
		return -EINVAL;
	if (s->p.token.kind == TOKEN_LBRACE) {
		*ret = schema_parse_record(s);
		return *ret ? 0 : -EINVAL;
	}
	*ret = schema_type_new(s->tree, SCHEMA_TYPE_COMMON, s->p.token.range.begin);
	return *ret ? parse_context_name(s, *ret) : parser_out_of_memory(&s->p);
}

static int parse_target(struct schema_parser *s, struct targets *t)
{
	if (parser_at_word(&s->p, "principal"))
		return parse_list(s, "principal", &t->has_principals, &t->to->principals);
	if (parser_at_word(&s->p, "resource"))
		return parse_list(s, "resource", &t->has_resources, &t->to->resources);
	if (parser_at_word(&s->p, "context"))
		return parse_context(s, &t->to->context);
	return parser_unexpected(&s->p, "`principal`, `resource` or `context`");
}

static int check_targets(struct schema_parser *s, const struct targets *t)
{
	if (!t->has_principals)
		(void)parser_error(&s->p, "missing_applies_to", t->begin, TARGETS_HELP,
				   "`principal` is missing");
	if (!t->has_resources)
		(void)parser_error(&s->p, "missing_applies_to", t->begin, TARGETS_HELP,
				   "`resource` is missing");
	return 0;
}

static int parse_applies_to(struct schema_parser *s, const struct schema_applies_to **ret)
{
	struct targets t = { .to = arena_new(s->p.arena, struct schema_applies_to),
			     .begin = s->p.token.range };

	if (!t.to)
		return parser_out_of_memory(&s->p);
	parser_advance(&s->p);
	if (parser_expect(&s->p, TOKEN_LBRACE, "`{`") < 0 || schema_open(s) < 0)
		return -EINVAL;
	do {
		if (parse_target(s, &t) < 0)
			return -EINVAL;
	} while (parser_accept(&s->p, TOKEN_COMMA) && s->p.token.kind != TOKEN_RBRACE);
	*ret = t.to;
	if (schema_close(s, TOKEN_RBRACE, "`,` or `}`") < 0)
		return -EINVAL;
	return check_targets(s, &t);
}

/* Actions have no attributes; an empty list of them is accepted. */
static int parse_no_attributes(struct schema_parser *s)
{
	if (!parser_accept_word(&s->p, "attributes"))
		return 0;
	if (parser_expect(&s->p, TOKEN_LBRACE, "`{`") < 0 || schema_open(s) < 0)
		return -EINVAL;
	if (s->p.token.kind != TOKEN_RBRACE)
		return parser_error(&s->p, "unsupported", s->p.token.range, "remove `attributes`",
				    "actions cannot have attributes");
	return schema_close(s, TOKEN_RBRACE, "`}`");
}

static int parse_rest(struct schema_parser *s, struct schema_action *action)
{
	const char *wanted = "`,`, `in`, `appliesTo`, `attributes` or `;`";

	if (parser_accept_word(&s->p, "in")) {
		if (parse_parents(s, &action->parents) < 0)
			return -EINVAL;
		wanted = "`appliesTo`, `attributes` or `;`";
	}
	if (parser_at_word(&s->p, "appliesTo")) {
		if (parse_applies_to(s, &action->applies_to) < 0)
			return -EINVAL;
		wanted = "`attributes` or `;`";
	} else if (s->p.token.kind == TOKEN_LBRACE) {
		return parser_error(&s->p, "unexpected_token", s->p.token.range,
				    "write `appliesTo` before `{`",
				    "unexpected token `{`, expected %s", wanted);
	}
	if (parse_no_attributes(s) < 0)
		return -EINVAL;
	return parser_expect(&s->p, TOKEN_SEMICOLON, wanted);
}

/* One name of the list; the rest of the action is filled in later. */
struct action_name {
	struct span id;
	struct cedar_range range;
};

int schema_parse_action(struct schema_parser *s, const struct schema_annotations *annotations)
{
	static const struct schema_applies_to nothing;
	struct schema_action action = { .annotations = *annotations, .applies_to = &nothing };
	struct action_name *names = NULL;
	size_t n = 0, cap = 0;

	parser_advance(&s->p);
	do {
		void *list = names;

		if (parser_list_grow(&s->p, &list, n, &cap, sizeof(*names)) < 0)
			return -ENOMEM;
		names = list;
		if (schema_parse_ident_or_string(s, "the action's name", &names[n].id,
						 &names[n].range) < 0)
			return -EINVAL;
		n++;
	} while (parser_accept(&s->p, TOKEN_COMMA));
	if (parse_rest(s, &action) < 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		action.id = names[i].id;
		action.range = names[i].range;
		if (schema_namespace_add_action(s->tree, s->ns, &action) < 0)
			return parser_out_of_memory(&s->p);
	}
	return 0;
}
