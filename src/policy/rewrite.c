#include "policy/rewrite.h"

#include "policy/entities.h"
#include "policy/instruction.h"
#include "policy/names.h"
#include "policy/policy-private.h"
#include "policy/uid.h"

static bool is_var(const struct cedar_expr *e, enum cedar_var var)
{
	return e && e->kind == CEDAR_EXPR_VAR && e->var == var;
}

static bool is_member_of(const struct cedar_expr *e, enum cedar_var var, struct span name)
{
	return e && e->kind == CEDAR_EXPR_ATTRIBUTE && is_var(e->left, var) &&
	       span_eq(e->string, name);
}

/* Is the expression a path, so that a string compared with it is one too? */
static bool is_path(const struct cedar_expr *e)
{
	return is_member_of(e, CEDAR_RESOURCE, SPAN("path")) ||
	       is_member_of(e, CEDAR_CONTEXT, SPAN("exe")) ||
	       is_member_of(e, CEDAR_CONTEXT, SPAN("cwd"));
}

static bool is_host_name(const struct cedar_expr *e)
{
	return is_member_of(e, CEDAR_RESOURCE, SPAN("name")) ||
	       is_member_of(e, CEDAR_CONTEXT, SPAN("hostname"));
}

static struct cedar_expr *new_expr(struct lint *l, enum cedar_expr_kind kind,
				   const struct cedar_expr *from)
{
	struct cedar_expr *e = arena_new(l->arena, struct cedar_expr);

	if (!e) {
		l->n_errors++;
		return NULL;
	}
	*e = (struct cedar_expr){ .kind = kind, .range = from->range, .depth = from->depth };
	return e;
}

static struct cedar_expr *copy_expr(struct lint *l, const struct cedar_expr *from)
{
	struct cedar_expr *e = new_expr(l, from->kind, from);

	if (e)
		*e = *from;
	return e;
}

/* Replaces *slot by `*slot kind other`. */
static void join(struct lint *l, struct cedar_expr **slot, enum cedar_expr_kind kind,
		 struct cedar_expr *other)
{
	struct cedar_expr *e = other ? new_expr(l, kind, *slot) : NULL;

	if (!e)
		return;
	e->left = *slot;
	e->right = other;
	e->depth = MAX((*slot)->depth, other->depth) + 1;
	*slot = e;
}

/* ---- == and != ------------------------------------------------------------ */

/* Makes the literal normal; *ret_link is a second literal that means the same object, or NULL. */
static bool normal_literal(struct lint *l, struct cedar_expr *literal, struct cedar_expr **ret_link)
{
	bool is_entity = literal->kind == CEDAR_EXPR_ENTITY;
	struct normal_uid n;

	*ret_link = NULL;
	if (is_entity ? !uid_normalise(l, literal->uid, literal->range, &n)
		      : !path_text_normalise(l, literal->string, literal->range, &n))
		return false;
	if (is_entity)
		literal->uid = n.uid;
	else
		literal->string = n.uid.id;
	if (!n.has_link)
		return true;
	*ret_link = copy_expr(l, literal);
	if (*ret_link && is_entity)
		(*ret_link)->uid = n.link;
	else if (*ret_link)
		(*ret_link)->string = n.link.id;
	return true;
}

/* `resource == Dir::"/x/"` can only mean the files in it, `!=` those elsewhere. */
static void equal_to_group(struct lint *l, struct cedar_expr **slot)
{
	struct cedar_expr *e = *slot;
	struct cedar_expr * not ;
	bool is_negated = e->kind == CEDAR_EXPR_NE;

	lint_add(l, CEDAR_WARNING, "equals_group", e->range, "write \"in\"",
		 "%.*s::\"%.*s\" stands for what is in it: read as \"in\"",
		 SPAN_ARG(e->right->uid.type), SPAN_ARG(e->right->uid.id));
	e->kind = CEDAR_EXPR_IN;
	if (!is_negated)
		return;
	not = new_expr(l, CEDAR_EXPR_NOT, e);
	if (!not )
		return;
	not ->left = e;
	not ->depth = e->depth + 1;
	*slot = not ;
}

static void lower_case(struct lint *l, struct span *text)
{
	char *copy = arena_dup(l->arena, *text);

	for (size_t i = 0; copy && i < text->len; i++)
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] - 'A' + 'a');
	if (!copy)
		l->n_errors++;
	*text = span_make(copy, copy ? text->len : 0);
}

static void rewrite_equality(struct lint *l, struct cedar_expr **slot)
{
	struct cedar_expr *e = *slot;
	bool is_swapped = e->left->kind == CEDAR_EXPR_ENTITY || e->left->kind == CEDAR_EXPR_STRING;
	struct cedar_expr *literal = is_swapped ? e->left : e->right;
	struct cedar_expr *other = is_swapped ? e->right : e->left;
	struct cedar_expr *link = NULL, *twin;

	if (is_swapped && other->kind == CEDAR_EXPR_ENTITY && !normal_literal(l, other, &link))
		return;
	if (literal->kind == CEDAR_EXPR_STRING && is_host_name(other)) {
		lower_case(l, &literal->string);
		return;
	}
	if (literal->kind != CEDAR_EXPR_ENTITY &&
	    !(literal->kind == CEDAR_EXPR_STRING && is_path(other)))
		return;
	if (!normal_literal(l, literal, &link))
		return;
	if ((is_var(other, CEDAR_RESOURCE) || is_var(other, CEDAR_ACTION)) &&
	    literal->kind == CEDAR_EXPR_ENTITY && uid_is_group(literal->uid)) {
		e->left = other;
		e->right = literal;
		equal_to_group(l, slot);
		return;
	}
	twin = link ? copy_expr(l, e) : NULL;
	if (!twin)
		return;
	*(is_swapped ? &twin->left : &twin->right) = link;
	join(l, slot, e->kind == CEDAR_EXPR_EQ ? CEDAR_EXPR_OR : CEDAR_EXPR_AND, twin);
}

/* ---- The rest of expressions ----------------------------------------------- */

/* A set gets the second names of its members as further members. */
static void rewrite_set(struct lint *l, struct cedar_expr *e)
{
	struct cedar_expr **items = arena_alloc_array(l->arena, e->n_items * 2, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; items && i < e->n_items; i++) {
		struct cedar_expr *link = NULL;

		if (e->items[i]->kind == CEDAR_EXPR_ENTITY)
			(void)normal_literal(l, e->items[i], &link);
		items[n++] = e->items[i];
		if (link)
			items[n++] = link;
	}
	if (!items)
		l->n_errors++;
	else
		e->items = items;
	e->n_items = items ? n : 0;
}

static struct cedar_expr *set_of_type(struct lint *l, const struct cedar_expr *mixed,
				      struct span type)
{
	struct cedar_expr *set = new_expr(l, CEDAR_EXPR_SET, mixed);

	if (set)
		set->items = arena_alloc_array(l->arena, mixed->n_items, sizeof(*set->items));
	if (!set || !set->items) {
		l->n_errors++;
		return NULL;
	}
	for (size_t i = 0; i < mixed->n_items; i++)
		if (span_eq(mixed->items[i]->uid.type, type))
			set->items[set->n_items++] = mixed->items[i];
	return set;
}

static bool is_set_of_entities(const struct cedar_expr *e)
{
	for (size_t i = 0; i < e->n_items; i++)
		if (e->items[i]->kind != CEDAR_EXPR_ENTITY)
			return false;
	return e->n_items > 0;
}

#define N_TYPES 9

/* The types of the set's members; 0 where there are more than exist. */
static size_t types_of_set(const struct cedar_expr *set, struct span types[N_TYPES])
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_items; i++) {
		size_t at = 0;

		while (at < n && !span_eq(types[at], set->items[i]->uid.type))
			at++;
		if (at == N_TYPES)
			return 0;
		if (at == n)
			types[n++] = set->items[i]->uid.type;
	}
	return n;
}

/*
 * `x in [Dir::"a", File::"b"]`: sets have one type in Cedar's strict mode, so
 * each type gets its own `in`, which means the same.
 */
static void split_set(struct lint *l, struct cedar_expr **slot)
{
	struct cedar_expr *first = *slot;
	const struct cedar_expr *mixed = first->right;
	struct span types[N_TYPES];
	size_t n;

	if (mixed->kind != CEDAR_EXPR_SET || !is_set_of_entities(mixed))
		return;
	n = types_of_set(mixed, types);
	for (size_t i = 0; n > 1 && i < n; i++) {
		struct cedar_expr *in = i ? copy_expr(l, first) : first;
		struct cedar_expr *set = set_of_type(l, mixed, types[i]);

		if (!in || !set)
			return;
		in->right = set;
		if (i)
			join(l, slot, CEDAR_EXPR_OR, in);
	}
}

static void rewrite_like(struct lint *l, struct cedar_expr *e)
{
	struct cedar_pattern_piece *first = e->n_pattern ? &e->pattern[0] : NULL;

	if (is_host_name(e->left)) {
		for (size_t i = 0; i < e->n_pattern; i++)
			if (!e->pattern[i].is_wildcard)
				lower_case(l, &e->pattern[i].literal);
		return;
	}
	if (is_path(e->left) && first && !first->is_wildcard)
		(void)path_prefix_normalise(l, first->literal, e->range, &first->literal);
}

/* Tool calls come without what is known of requests; elsewhere the schema says who has them. */
static bool is_given(const struct lint *l, struct span name)
{
	if (instruction_is(l->policy) &&
	    (span_eq(name, SPAN("header")) || span_eq(name, SPAN("value"))))
		return true;
	if (context_key_is_of_http(name))
		return scope_matches_action(&l->policy->action, POLICY_HTTP_REQUEST);
	return context_key_index(name) >= 0;
}

static void check_context_key(struct lint *l, struct span name, struct cedar_range range)
{
	const char *near;

	if (is_given(l, name))
		return;
	if (context_key_index(name) >= 0 || context_key_is_planned(name)) {
		lint_add(l, CEDAR_WARNING, "key_not_available", range, NULL,
			 "context.%.*s is not known yet where this is decided: the policy errs, a "
			 "permit does not apply and a forbid always does",
			 SPAN_ARG(name));
		return;
	}
	near = nearest_context_key(name);
	lint_add(l, CEDAR_ERROR, "unknown_context_key", range,
		 near ? lint_text(l, "did you mean context.%s?", near) : NULL,
		 "unknown context key \"%.*s\"", SPAN_ARG(name));
}

static void check_member(struct lint *l, const struct cedar_expr *e, struct span name)
{
	const char *near;

	if (is_var(e->left, CEDAR_CONTEXT))
		check_context_key(l, name, e->range);
	if (!is_var(e->left, CEDAR_RESOURCE) || resource_attribute_is_known(name))
		return;
	near = nearest_resource_attribute(name);
	lint_add(l, CEDAR_ERROR, "unknown_attribute", e->range,
		 near ? lint_text(l, "did you mean resource.%s?", near)
		      : "resources have path (File, Dir) or name and port (Host)",
		 "unknown attribute \"%.*s\" of resource", SPAN_ARG(name));
}

static void check_call(struct lint *l, const struct cedar_expr *e)
{
	struct cedar_ipaddr ip;
	int64_t time;

	if (e->is_method || e->n_items != 1 || e->items[0]->kind != CEDAR_EXPR_STRING)
		return;
	if (span_eq(e->string, SPAN("ip")) && cedar_ipaddr_parse(e->items[0]->string, &ip) < 0)
		lint_add(l, CEDAR_ERROR, "bad_ip", e->range, NULL, "\"%.*s\" is no address",
			 SPAN_ARG(e->items[0]->string));
	if (span_eq(e->string, SPAN("datetime")) &&
	    cedar_datetime_parse(e->items[0]->string, &time) < 0)
		lint_add(l, CEDAR_ERROR, "bad_datetime", e->range, NULL, "\"%.*s\" is no date",
			 SPAN_ARG(e->items[0]->string));
}

static void rewrite_expr(struct lint *l, struct cedar_expr **slot);

static void rewrite_children(struct lint *l, struct cedar_expr *e)
{
	if (e->left)
		rewrite_expr(l, &e->left);
	if (e->right)
		rewrite_expr(l, &e->right);
	if (e->third)
		rewrite_expr(l, &e->third);
	if (e->kind == CEDAR_EXPR_SET)
		rewrite_set(l, e);
	for (size_t i = 0; i < e->n_items; i++)
		if (e->kind != CEDAR_EXPR_SET || e->items[i]->kind != CEDAR_EXPR_ENTITY)
			rewrite_expr(l, &e->items[i]);
}

/* `x in File::"link"`: either of its names. */
static void rewrite_entity(struct lint *l, struct cedar_expr **slot)
{
	struct cedar_expr *link = NULL, *set;

	if (!normal_literal(l, *slot, &link) || !link)
		return;
	set = new_expr(l, CEDAR_EXPR_SET, *slot);
	if (set)
		set->items = arena_alloc_array(l->arena, 2, sizeof(*set->items));
	if (!set || !set->items) {
		l->n_errors++;
		return;
	}
	set->items[0] = *slot;
	set->items[1] = link;
	set->n_items = 2;
	set->depth = (*slot)->depth + 1;
	*slot = set;
}

static void rewrite_expr(struct lint *l, struct cedar_expr **slot)
{
	struct cedar_expr *e = *slot;

	if (e->kind == CEDAR_EXPR_EQ || e->kind == CEDAR_EXPR_NE) {
		if (e->left->kind != CEDAR_EXPR_ENTITY)
			rewrite_expr(l, &e->left);
		if (e->right->kind != CEDAR_EXPR_ENTITY)
			rewrite_expr(l, &e->right);
		rewrite_equality(l, slot);
		return;
	}
	if (e->kind == CEDAR_EXPR_NOT) {
		l->is_negated = !l->is_negated;
		rewrite_expr(l, &e->left);
		l->is_negated = !l->is_negated;
		return;
	}
	if ((e->kind == CEDAR_EXPR_IN || e->kind == CEDAR_EXPR_IS) && e->right &&
	    e->right->kind == CEDAR_EXPR_ENTITY) {
		rewrite_expr(l, &e->left);
		rewrite_entity(l, &e->right);
	} else {
		rewrite_children(l, e);
	}
	if (e->kind == CEDAR_EXPR_IN && e->right->kind == CEDAR_EXPR_SET) {
		split_set(l, slot);
	} else if (e->kind == CEDAR_EXPR_ENTITY) {
		struct cedar_expr *link;

		(void)normal_literal(l, e, &link);
	} else if (e->kind == CEDAR_EXPR_IS) {
		e->type_name = type_normalise(l, e->type_name, e->range);
	} else if (e->kind == CEDAR_EXPR_LIKE) {
		rewrite_like(l, e);
	} else if (e->kind == CEDAR_EXPR_ATTRIBUTE) {
		check_member(l, e, e->string);
	} else if (e->kind == CEDAR_EXPR_HAS) {
		check_member(l, e, e->names[0]);
	} else if (e->kind == CEDAR_EXPR_CALL) {
		check_call(l, e);
	}
}

/* ---- Scopes ---------------------------------------------------------------- */

static void rewrite_action_scope(struct lint *l, struct cedar_scope *s)
{
	for (size_t i = 0; i < s->n_uids; i++) {
		struct normal_uid n;

		if (!span_eq(s->uids[i].type, TYPE_ACTION))
			lint_add(l, CEDAR_ERROR, "unknown_entity_type", s->uid_ranges[i],
				 "actions are written Action::\"FileOpen\"",
				 "%.*s is no action type", SPAN_ARG(s->uids[i].type));
		else if (uid_normalise(l, s->uids[i], s->uid_ranges[i], &n) &&
			 s->op == CEDAR_SCOPE_EQ && uid_is_group(n.uid)) {
			lint_add(l, CEDAR_WARNING, "equals_group", s->range, "write \"in\"",
				 "Action::\"%.*s\" has members: read as \"in\"",
				 SPAN_ARG(n.uid.id));
			s->op = CEDAR_SCOPE_IN;
		}
	}
}

static void rewrite_principal_scope(struct lint *l, struct cedar_scope *s)
{
	if (s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN)
		s->type_name = type_normalise(l, s->type_name, s->range);
	for (size_t i = 0; i < s->n_uids; i++) {
		struct normal_uid n;

		if (uid_normalise(l, s->uids[i], s->uid_ranges[i], &n))
			s->uids[i] = n.uid;
	}
}

static struct cedar_expr *resource_equals(struct lint *l, struct cedar_entity_uid uid,
					  const struct cedar_expr *from)
{
	struct cedar_expr *e = new_expr(l, CEDAR_EXPR_EQ, from);
	struct cedar_expr *left = new_expr(l, CEDAR_EXPR_VAR, from);
	struct cedar_expr *right = new_expr(l, CEDAR_EXPR_ENTITY, from);

	if (!e || !left || !right)
		return NULL;
	left->var = CEDAR_RESOURCE;
	right->uid = uid;
	e->left = left;
	e->right = right;
	e->depth = 2;
	return e;
}

static void add_condition(struct lint *l, struct cedar_policy *p, struct cedar_expr *body)
{
	struct cedar_condition *all =
		arena_alloc_array(l->arena, p->n_conditions + 1, sizeof(*all));

	if (!all || !body) {
		l->n_errors++;
		return;
	}
	all[0] = (struct cedar_condition){ .body = body, .range = body->range };
	if (p->n_conditions)
		memcpy(all + 1, p->conditions, p->n_conditions * sizeof(*all));
	p->conditions = all;
	p->n_conditions++;
}

/* A scope holds one literal: of two names, the scope becomes a first condition. */
static void scope_to_condition(struct lint *l, struct cedar_policy *p, const struct normal_uid *n)
{
	const struct cedar_expr at = { .range = p->resource.range, .depth = 1 };
	struct cedar_expr *body = resource_equals(l, n->uid, &at);

	if (body)
		join(l, &body, CEDAR_EXPR_OR, resource_equals(l, n->link, &at));
	add_condition(l, p, body);
	p->resource = (struct cedar_scope){ .op = CEDAR_SCOPE_ANY, .range = p->resource.range };
}

static void rewrite_resource_scope(struct lint *l, struct cedar_policy *p)
{
	struct cedar_scope *s = &p->resource;
	struct normal_uid n;

	if (s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN)
		s->type_name = type_normalise(l, s->type_name, s->range);
	if (s->n_uids == 0 || !uid_normalise(l, s->uids[0], s->uid_ranges[0], &n))
		return;
	s->uids[0] = n.uid;
	if (s->op == CEDAR_SCOPE_EQ && uid_is_group(n.uid)) {
		if (!instruction_is(p))
			lint_add(l, CEDAR_WARNING, "equals_group", s->range, "write \"in\"",
				 "%.*s::\"%.*s\" stands for what is in it: read as \"in\"",
				 SPAN_ARG(n.uid.type), SPAN_ARG(n.uid.id));
		s->op = CEDAR_SCOPE_IN;
	}
	if (n.has_link)
		scope_to_condition(l, p, &n);
}

enum resource_class {
	CLASS_FILE = 1,
	CLASS_NETWORK = 2,
	CLASS_MCP = 4,
};

static unsigned int class_of_type(struct span type)
{
	if (span_eq(type, TYPE_FILE) || span_eq(type, TYPE_DIR))
		return CLASS_FILE;
	if (span_eq(type, TYPE_MCP_SERVER) || span_eq(type, TYPE_MCP_TOOL))
		return CLASS_MCP;
	/* A tool is in its server's host. */
	return CLASS_NETWORK | CLASS_MCP;
}

static unsigned int class_of_actions(const struct cedar_scope *s)
{
	unsigned int classes = 0;

	for (int a = 0; a < POLICY_ACTION_MAX; a++) {
		if (!scope_matches_action(s, a))
			continue;
		if (a <= POLICY_PROCESS_EXEC)
			classes |= CLASS_FILE;
		else
			classes |= a == POLICY_MCP_CALL ? CLASS_MCP : CLASS_NETWORK;
	}
	return classes;
}

/* A forbid that can never apply protects nothing, so it is an error like a misspelt name. */
static void check_classes(struct lint *l, const struct cedar_policy *p, struct span type)
{
	unsigned int actions = class_of_actions(&p->action);

	if (actions && !(actions & class_of_type(type)))
		lint_add(l, CEDAR_ERROR, "resource_mismatch", p->resource.range, NULL,
			 "no action of this policy is about a %.*s: it could never apply",
			 SPAN_ARG(type));
}

/* An instruction is carried out or not; there is nothing between. */
static void check_instruction(struct lint *l, const struct cedar_policy *p)
{
	struct instruction i;
	const char *why = instruction_is(p) ? instruction_read(p, &i)
					    : "HttpRewrite is an instruction, and stands alone: "
					      "its other actions count";

	if (why)
		lint_add(l, CEDAR_WARNING, "not_carried_out", p->action.range, NULL, "%s", why);
}

void policy_rewrite(struct lint *l, struct cedar_policy *p)
{
	size_t n_errors = l->n_errors;
	struct span type = { 0 };

	l->is_permit = !p->is_forbid;
	if (p->is_template) {
		lint_add(l, CEDAR_ERROR, "template", p->range,
			 "name the principal and the resource", "templates are not linked here");
		return;
	}
	rewrite_principal_scope(l, &p->principal);
	rewrite_action_scope(l, &p->action);
	for (size_t i = 0; i < p->n_conditions; i++) {
		l->is_negated = p->conditions[i].is_unless;
		rewrite_expr(l, &p->conditions[i].body);
		l->is_negated = false;
	}
	rewrite_resource_scope(l, p);
	if (p->resource.op == CEDAR_SCOPE_IS || p->resource.op == CEDAR_SCOPE_IS_IN)
		type = p->resource.type_name;
	else if (p->resource.n_uids)
		type = p->resource.uids[0].type;
	if (type.len && l->n_errors == n_errors)
		check_classes(l, p, type);
	if (instruction_is_named(p) && l->n_errors == n_errors)
		check_instruction(l, p);
}
