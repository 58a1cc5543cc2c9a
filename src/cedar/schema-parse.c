/* Cedar's schema syntax: declarations, namespaces, and going on after mistakes. */
#include "cedar/schema-parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"

/* ---- Annotations -------------------------------------------------------- */

static int parse_annotation(struct schema_parser *s, struct cedar_annotation *ret)
{
	/* An annotation without a value has an empty one; only JSON can say that there is none. */
	*ret = (struct cedar_annotation){ .has_value = true,
					  .value = SPAN(""),
					  .range.begin = s->p.token.range.begin };
	parser_advance(&s->p);
	ret->key = parser_token_text(&s->p);
	if (parser_expect(&s->p, TOKEN_IDENT, "the annotation's name") < 0)
		return -EINVAL;
	if (parser_accept(&s->p, TOKEN_LPAREN)) {
		if (parser_string(&s->p, &ret->value) < 0 ||
		    parser_expect(&s->p, TOKEN_RPAREN, "`)`") < 0)
			return -EINVAL;
	}
	ret->range.end = s->p.last_end;
	return 0;
}

int schema_parse_annotations(struct schema_parser *s, struct schema_annotations *ret)
{
	size_t cap = 0;

	*ret = (struct schema_annotations){ 0 };
	while (s->p.token.kind == TOKEN_AT) {
		void *list = ret->items;

		if (parser_list_grow(&s->p, &list, ret->len, &cap, sizeof(*ret->items)) < 0)
			return -ENOMEM;
		ret->items = list;
		if (parse_annotation(s, &ret->items[ret->len]) < 0)
			return -EINVAL;
		ret->len++;
	}
	schema_annotations_sort(ret, s->p.diags);
	return 0;
}

/* ---- Entity types ------------------------------------------------------- */

static int parse_enum_ids(struct schema_parser *s, struct schema_entity *entity)
{
	size_t cap = 0;

	entity->is_enum = true;
	if (parser_expect(&s->p, TOKEN_LBRACKET, "`[`") < 0 || schema_open(s) < 0)
		return -EINVAL;
	do {
		void *list = entity->enum_ids;

		if (parser_list_grow(&s->p, &list, entity->n_enum_ids, &cap,
				     sizeof(*entity->enum_ids)) < 0)
			return -ENOMEM;
		entity->enum_ids = list;
		if (parser_string(&s->p, &entity->enum_ids[entity->n_enum_ids]) < 0)
			return -EINVAL;
		entity->n_enum_ids++;
	} while (parser_accept(&s->p, TOKEN_COMMA));
	return schema_close(s, TOKEN_RBRACKET, "`,` or `]`");
}

/* ["in" names] [["="] record] ["tags" type] */
static int parse_entity_body(struct schema_parser *s, struct schema_entity *entity)
{
	const char *wanted = "`,`, `in`, `=`, `{`, `tags`, `enum` or `;`";

	if (parser_accept_word(&s->p, "in")) {
		if (schema_parse_names(s, &entity->parents) < 0)
			return -EINVAL;
		wanted = "`=`, `{`, `tags` or `;`";
	}
	if (parser_accept(&s->p, TOKEN_ASSIGN) || s->p.token.kind == TOKEN_LBRACE) {
		entity->shape = schema_parse_record(s);
		if (!entity->shape)
			return -EINVAL;
		wanted = "`tags` or `;`";
	}
	if (parser_accept_word(&s->p, "tags")) {
		entity->tags = schema_parse_type(s);
		if (!entity->tags)
			return -EINVAL;
		wanted = "`;`";
	}
	return parser_expect(&s->p, TOKEN_SEMICOLON, wanted);
}

static int add_entities(struct schema_parser *s, const struct schema_name *names, size_t n,
			struct schema_entity *entity)
{
	for (size_t i = 0; i < n; i++) {
		entity->name = names[i].text;
		entity->range = names[i].range;
		if (schema_check_entity_name(entity->name, entity->range, s->p.diags) < 0)
			continue;
		if (schema_namespace_add_entity(s->tree, s->ns, entity) < 0)
			return parser_out_of_memory(&s->p);
	}
	return 0;
}

static int parse_entity(struct schema_parser *s, const struct schema_annotations *annotations)
{
	struct schema_entity entity = { .annotations = *annotations };
	struct schema_name *names = NULL;
	size_t n = 0, cap = 0;
	int r;

	parser_advance(&s->p);
	do {
		void *list = names;

		if (parser_list_grow(&s->p, &list, n, &cap, sizeof(*names)) < 0)
			return -ENOMEM;
		names = list;
		if (schema_parse_ident(s, "the entity type's name", &names[n].text,
				       &names[n].range) < 0)
			return -EINVAL;
		n++;
	} while (parser_accept(&s->p, TOKEN_COMMA));
	if (parser_accept_word(&s->p, "enum")) {
		r = parse_enum_ids(s, &entity);
		if (r == 0)
			r = parser_expect(&s->p, TOKEN_SEMICOLON, "`;`");
	} else {
		r = parse_entity_body(s, &entity);
	}
	return r < 0 ? r : add_entities(s, names, n, &entity);
}

/* ---- Common types ------------------------------------------------------- */

static int parse_common(struct schema_parser *s, const struct schema_annotations *annotations)
{
	struct schema_common common = { .annotations = *annotations };

	parser_advance(&s->p);
	if (schema_parse_ident(s, "the type's name", &common.name, &common.range) < 0)
		return -EINVAL;
	(void)schema_check_common_name(common.name, common.range, s->p.diags);
	if (parser_expect(&s->p, TOKEN_ASSIGN, "`=`") < 0)
		return -EINVAL;
	common.type = schema_parse_type(s);
	if (!common.type || parser_expect(&s->p, TOKEN_SEMICOLON, "`;`") < 0)
		return -EINVAL;
	if (schema_namespace_add_common(s->tree, s->ns, &common) < 0)
		return parser_out_of_memory(&s->p);
	return 0;
}

/* ---- Declarations ------------------------------------------------------- */

/* Only a declaration begins like this: as attributes these words are followed by ":" or "?". */
static bool starts_declaration(const struct parser *p)
{
	static const char *const words[] = { "entity", "action", "type", "namespace" };
	enum token_kind next;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!parser_at_word(p, words[i]))
			continue;
		next = parser_peek(p).kind;
		return next == TOKEN_IDENT || next == TOKEN_STRING;
	}
	return p->token.kind == TOKEN_AT && p->nesting == 0 && parser_peek(p).kind == TOKEN_IDENT;
}

/* Takes brackets into account; returns whether the namespace ends here. */
static bool count_bracket(struct parser *p, bool is_in_namespace)
{
	switch ((int)p->token.kind) {
	case TOKEN_LBRACE:
	case TOKEN_LBRACKET:
		p->nesting++;
		return false;
	case TOKEN_RBRACE:
	case TOKEN_RBRACKET:
		if (p->nesting == 0)
			return is_in_namespace && p->token.kind == TOKEN_RBRACE;
		p->nesting--;
		return false;
	default:
		return false;
	}
}

/* After a syntax error: behind the declaration's ";", or where the next one or the namespace's end
 * is. */
static void resynchronise(struct schema_parser *s, size_t begin, bool is_in_namespace)
{
	struct parser *p = &s->p;

	p->allow_cedar = false;
	if (p->token.range.begin == begin)
		parser_advance(p);
	while (p->token.kind != TOKEN_END && !p->is_limited && !starts_declaration(p) &&
	       !count_bracket(p, is_in_namespace)) {
		bool is_end = p->token.kind == TOKEN_SEMICOLON && p->nesting == 0;

		parser_advance(p);
		if (is_end)
			break;
	}
	p->nesting = 0;
}

static int unexpected_declaration(struct schema_parser *s, const char *what)
{
	static const char *const words[] = { "entity", "action", "type", "namespace" };
	struct span text = diagnostic_quote(parser_token_text(&s->p));
	const char *nearest;
	char help[40];

	if (s->p.token.kind != TOKEN_IDENT)
		return parser_unexpected(&s->p, what);
	nearest = nearest_word(text, words, ARRAY_SIZE(words));
	if (nearest)
		(void)snprintf(help, sizeof(help), "did you mean `%s`?", nearest);
	return parser_error(&s->p, "unexpected_token", s->p.token.range, nearest ? help : NULL,
			    "unexpected token `%.*s`, expected %s", SPAN_ARG(text), what);
}

static int parse_declaration(struct schema_parser *s, const struct schema_annotations *annotations,
			     const char *what)
{
	if (parser_at_word(&s->p, "entity"))
		return parse_entity(s, annotations);
	if (parser_at_word(&s->p, "action"))
		return schema_parse_action(s, annotations);
	if (parser_at_word(&s->p, "type"))
		return parse_common(s, annotations);
	return unexpected_declaration(s, what);
}

static bool goes_on(const struct schema_parser *s)
{
	return !s->p.is_limited && s->p.token.kind != TOKEN_END &&
	       s->p.diags->n_errors <= s->n_errors + LIMIT_CEDAR_DIAGNOSTICS;
}

static void parse_in_namespace(struct schema_parser *s)
{
	struct schema_annotations annotations;
	size_t begin = s->p.token.range.begin;

	s->p.nesting = 0;
	if (schema_parse_annotations(s, &annotations) < 0 ||
	    parse_declaration(s, &annotations, "`entity`, `action`, `type` or `}`") < 0)
		resynchronise(s, begin, /* is_in_namespace = */ true);
}

/* "namespace" path "{" { declaration } "}" */
static int parse_namespace(struct schema_parser *s, const struct schema_annotations *annotations)
{
	struct schema_namespace *outer = s->ns;
	struct cedar_range range;
	struct span name;

	parser_advance(&s->p);
	if (parser_name(&s->p, &name, &range) < 0 || parser_expect(&s->p, TOKEN_LBRACE, "`{`") < 0)
		return -EINVAL;
	s->ns = schema_tree_namespace_new(s->tree, name, range);
	if (!s->ns)
		return parser_out_of_memory(&s->p);
	s->ns->annotations = *annotations;
	while (goes_on(s) && s->p.token.kind != TOKEN_RBRACE && !parser_at_word(&s->p, "namespace"))
		parse_in_namespace(s);
	s->ns = outer;
	if (s->p.is_limited)
		return -EMSGSIZE;
	if (parser_expect(&s->p, TOKEN_RBRACE, "`entity`, `action`, `type` or `}`") < 0)
		return -EINVAL;
	if (s->p.token.kind != TOKEN_SEMICOLON)
		return 0;
	(void)parser_error(&s->p, "unexpected_token", s->p.token.range, "remove this semicolon",
			   "unexpected token `;`: no semicolon follows a namespace");
	parser_advance(&s->p);
	return 0;
}

static void parse_outside(struct schema_parser *s)
{
	static const char what[] = "`entity`, `action`, `type` or `namespace`";
	struct schema_annotations annotations;
	size_t begin = s->p.token.range.begin;
	int r;

	s->p.nesting = 0;
	r = schema_parse_annotations(s, &annotations);
	if (r == 0)
		r = parser_at_word(&s->p, "namespace") ? parse_namespace(s, &annotations)
						       : parse_declaration(s, &annotations, what);
	if (r < 0)
		resynchronise(s, begin, /* is_in_namespace = */ false);
}

static int parse_all(struct schema_parser *s)
{
	/* "namespace" cannot be spelled empty, so this one is never declared twice. */
	s->ns = schema_tree_namespace_new(s->tree, SPAN(""), (struct cedar_range){ 0, 0 });
	if (!s->ns)
		return parser_out_of_memory(&s->p);
	while (goes_on(s))
		parse_outside(s);
	if (s->p.is_limited)
		return -EMSGSIZE;
	schema_tree_finish(s->tree, s->p.diags);
	return 0;
}

int cedar_schema_tree_parse(struct span text, struct cedar_diagnostics *diags,
			    struct cedar_schema_tree **ret)
{
	_cleanup_(schema_tree_cleanup) struct cedar_schema_tree *tree = schema_tree_new();
	struct schema_parser s = { .tree = tree, .n_errors = diags->n_errors };
	size_t first = diags->len;
	int r;

	r = parser_copy_text(&text, LIMIT_CEDAR_SCHEMA_TEXT, &tree->arena, diags);
	if (r < 0)
		return r;
	parser_init(&s.p, text, &tree->arena, diags);
	r = parse_all(&s);
	diagnostics_sort(diags, first);
	if (r < 0)
		return -EMSGSIZE;
	if (diags->n_errors > s.n_errors)
		return -EINVAL;
	*ret = TAKE_PTR(tree);
	return 0;
}
