/* Literals, variables, logic, arithmetic and what contains other expressions. */
#include "cedar/typecheck.h"

#include <errno.h>

#include "base/limits.h"

void typecheck_init(struct typecheck *t, struct types *types, struct findings *findings)
{
	*t = (struct typecheck){ .types = types, .findings = findings };
	capabilities_init(&t->capabilities, &t->steps);
}

void typecheck_done(struct typecheck *t)
{
	capabilities_done(&t->capabilities);
}

int typecheck_set_env(struct typecheck *t, const struct cedar_request_env *env)
{
	t->action = env->action;
	t->principal = type_entity(t->types, env->principal);
	t->resource = type_entity(t->types, env->resource);
	t->action_type = type_action(t->types, env->action->uid.type);
	t->context = type_import(t->types, env->action->context);
	return t->types->is_limited ? -ENOMEM : 0;
}

bool typecheck_is_limited(const struct typecheck *t)
{
	return t->types->is_limited || t->steps > LIMIT_CEDAR_VALIDATE_STEPS;
}

static struct typed unknown(void)
{
	return (struct typed){ NULL, false };
}

static bool is_true(struct typed x)
{
	return x.type && x.type->kind == CEDAR_TYPE_TRUE;
}

static bool is_false(struct typed x)
{
	return x.type && x.type->kind == CEDAR_TYPE_FALSE;
}

static bool is_bool(struct typed x)
{
	return x.type && type_is_bool(x.type);
}

static bool is_kind(const struct cedar_type *type, enum cedar_type_kind kind)
{
	return type->kind == kind || type->kind == CEDAR_TYPE_NEVER ||
	       (kind == CEDAR_TYPE_BOOL && type_is_bool(type));
}

static const char *help_for(const struct cedar_type *got, enum cedar_type_kind wanted)
{
	if (wanted == CEDAR_TYPE_SET)
		return type_is_entity(got) ? "use `in` to test for membership in a group"
					   : "use `[...]` to write a set";
	return NULL;
}

static _cold_ void report_kind(struct typecheck *t, const struct cedar_expr *e,
			       const struct cedar_type *type, enum cedar_type_kind kind)
{
	const struct cedar_type *expected = type_basic(t->types, kind);
	char got[TYPE_TEXT_MAX], wanted[TYPE_TEXT_MAX];

	if (finding_is_new(t->findings, "unexpected_type", e->range, type, expected))
		finding_add(t->findings, CEDAR_ERROR, "unexpected_type", e->range,
			    help_for(type, kind), "expected %s, but this is %s",
			    type_text(expected, wanted), type_text(type, got));
}

struct typed typecheck_expect(struct typecheck *t, const struct cedar_expr *e, struct typed x,
			      enum cedar_type_kind kind)
{
	if (!x.type || is_kind(x.type, kind))
		return x;
	report_kind(t, e, x.type, kind);
	return (struct typed){ x.type, false };
}

struct typed typecheck_value(struct typecheck *t, const struct cedar_expr *e)
{
	size_t mark = capabilities_mark(&t->capabilities);
	struct typed x = typecheck_expr(t, e);

	capabilities_forget(&t->capabilities, mark);
	return x;
}

struct typed typecheck_kind(struct typecheck *t, const struct cedar_expr *e,
			    enum cedar_type_kind kind)
{
	return typecheck_expect(t, e, typecheck_value(t, e), kind);
}

static bool is_entity_or(const struct cedar_type *type, enum typecheck_also also)
{
	if (type_is_entity(type) || type->kind == CEDAR_TYPE_NEVER)
		return true;
	if (also == TYPECHECK_OR_RECORD)
		return type->kind == CEDAR_TYPE_RECORD;
	return also == TYPECHECK_OR_ENTITIES && type->kind == CEDAR_TYPE_SET &&
	       (!type->element || type_is_entity(type->element) ||
		type->element->kind == CEDAR_TYPE_NEVER);
}

static _cold_ void report_no_entity(struct typecheck *t, const struct cedar_expr *e,
				    const struct cedar_type *type, enum typecheck_also also)
{
	static const char *const wanted[] = {
		[TYPECHECK_ENTITY] = "an entity",
		[TYPECHECK_OR_RECORD] = "an entity or a record",
		[TYPECHECK_OR_ENTITIES] = "an entity or a set of entities",
	};
	const char *help = NULL;
	char got[TYPE_TEXT_MAX];

	if (also == TYPECHECK_OR_ENTITIES && type->kind == CEDAR_TYPE_SET)
		help = "use `contains` to test whether a set has an element";
	else if (also == TYPECHECK_OR_RECORD && type->kind == CEDAR_TYPE_STRING)
		help = "use `like` to look into a string";
	if (finding_is_new(t->findings, "unexpected_type", e->range, type, wanted[also]))
		finding_add(t->findings, CEDAR_ERROR, "unexpected_type", e->range, help,
			    "expected %s, but this is %s", wanted[also], type_text(type, got));
}

struct typed typecheck_entity(struct typecheck *t, const struct cedar_expr *e,
			      enum typecheck_also also)
{
	struct typed x = typecheck_value(t, e);

	if (!x.type || is_entity_or(x.type, also))
		return x;
	report_no_entity(t, e, x.type, also);
	return (struct typed){ x.type, false };
}

static _cold_ void report_join(struct typecheck *t, const struct cedar_expr *e, const char *what,
			       const struct cedar_type *a, const struct cedar_type *b)
{
	char text_a[TYPE_TEXT_MAX], text_b[TYPE_TEXT_MAX];

	if (finding_is_new(t->findings, "incompatible_types", e->range, a, b))
		finding_add(t->findings, CEDAR_ERROR, "incompatible_types", e->range, NULL,
			    "%s must have one type, but these are %s and %s", what,
			    type_text(a, text_a), type_text(b, text_b));
}

const struct cedar_type *typecheck_join(struct typecheck *t, const struct cedar_expr *e,
					const char *what, const struct cedar_type *a,
					const struct cedar_type *b)
{
	const struct cedar_type *join;

	if (!a || !b)
		return NULL;
	join = type_join(t->types, a, b);
	if (!join)
		report_join(t, e, what, a, b);
	return join;
}

/* ---- Logic ------------------------------------------------------------------ */

/* A condition that keeps what it taught, unless it is wrong. */
static struct typed check_condition(struct typecheck *t, const struct cedar_expr *e)
{
	size_t mark = capabilities_mark(&t->capabilities);
	struct typed x = typecheck_expect(t, e, typecheck_expr(t, e), CEDAR_TYPE_BOOL);

	if (!x.is_ok)
		capabilities_forget(&t->capabilities, mark);
	return x;
}

static struct typed negate(const struct typecheck *t, struct typed x)
{
	if (is_true(x))
		return typed_basic(t, CEDAR_TYPE_FALSE, x.is_ok);
	if (is_false(x))
		return typed_basic(t, CEDAR_TYPE_TRUE, x.is_ok);
	return typed_basic(t, CEDAR_TYPE_BOOL, x.is_ok);
}

static struct typed conjunction(const struct typecheck *t, struct typed l, struct typed r)
{
	bool is_ok = l.is_ok && r.is_ok;

	if (!is_bool(l))
		return typed_basic(t, CEDAR_TYPE_BOOL, false);
	if (is_false(r))
		return typed_basic(t, CEDAR_TYPE_FALSE, is_ok);
	if (is_true(l) && is_true(r))
		return typed_basic(t, CEDAR_TYPE_TRUE, is_ok);
	return typed_basic(t, CEDAR_TYPE_BOOL, is_ok);
}

static struct typed check_and(struct typecheck *t, const struct cedar_expr *e)
{
	size_t mark = capabilities_mark(&t->capabilities);
	struct typed l = check_condition(t, e->left), all;

	if (is_false(l)) {
		capabilities_forget(&t->capabilities, mark);
		return l;
	}
	all = conjunction(t, l, check_condition(t, e->right));
	if (is_false(all) || !all.is_ok)
		capabilities_forget(&t->capabilities, mark);
	return all;
}

static struct typed check_or(struct typecheck *t, const struct cedar_expr *e)
{
	size_t mark = capabilities_mark(&t->capabilities);
	struct typed l = check_condition(t, e->left), r;
	struct capability_list left;
	bool is_ok;

	if (is_true(l)) {
		capabilities_forget(&t->capabilities, mark);
		return l;
	}
	left = capabilities_take(&t->capabilities, mark);
	r = check_condition(t, e->right);
	is_ok = l.is_ok && r.is_ok;
	if (is_false(r) && is_ok) {
		for (size_t i = 0; i < left.len; i++)
			capability_learn(&t->capabilities, left.items[i]);
		capability_list_done(&left);
		return l;
	}
	if (is_false(l))
		capability_list_done(&left);
	else
		capabilities_meet(&t->capabilities, mark, &left);
	if (!is_ok)
		capabilities_forget(&t->capabilities, mark);
	if (is_true(r) && is_bool(l))
		return typed_basic(t, CEDAR_TYPE_TRUE, is_ok);
	return typed_basic(t, is_false(l) && is_false(r) ? CEDAR_TYPE_FALSE : CEDAR_TYPE_BOOL,
			   is_ok);
}

static struct typed check_if(struct typecheck *t, const struct cedar_expr *e)
{
	size_t mark = capabilities_mark(&t->capabilities);
	struct typed test = check_condition(t, e->left), yes, no;
	struct capability_list list;
	const struct cedar_type *join;

	if (is_false(test)) {
		capabilities_forget(&t->capabilities, mark);
		no = typecheck_expr(t, e->third);
		return (struct typed){ no.type, no.is_ok && test.is_ok };
	}
	yes = typecheck_expr(t, e->right);
	if (is_true(test))
		return (struct typed){ yes.type, yes.is_ok && test.is_ok };
	list = capabilities_take(&t->capabilities, mark);
	no = typecheck_expr(t, e->third);
	capabilities_meet(&t->capabilities, mark, &list);
	join = typecheck_join(t, e, "both branches of `if`", yes.type, no.type);
	return (struct typed){ join, join && test.is_ok && yes.is_ok && no.is_ok };
}

struct typed typecheck_conditions(struct typecheck *t, const struct cedar_policy *p)
{
	size_t mark = capabilities_mark(&t->capabilities);
	struct typed all = typed_basic(t, CEDAR_TYPE_TRUE, true);
	bool was_bool = true;

	for (size_t i = 0; i < p->n_conditions; i++) {
		const struct cedar_condition *c = &p->conditions[i];
		size_t before = capabilities_mark(&t->capabilities);
		struct typed x = check_condition(t, c->body);

		if (c->is_unless) {
			capabilities_forget(&t->capabilities, before);
			x = negate(t, x);
		}
		all = conjunction(t, all, x);
		if (is_false(x))
			break;
		was_bool = was_bool && is_bool(x);
	}
	capabilities_forget(&t->capabilities, mark);
	/* After a condition of a wrong type, even a false one decides nothing. */
	return was_bool ? all : typed_basic(t, CEDAR_TYPE_BOOL, false);
}

/* ---- Values ------------------------------------------------------------------ */

static struct typed check_variable(const struct typecheck *t, const struct cedar_expr *e)
{
	if (e->kind == CEDAR_EXPR_SLOT)
		return typed_basic(t, CEDAR_TYPE_ANY_ENTITY, true);
	if (e->var == CEDAR_PRINCIPAL)
		return (struct typed){ t->principal, true };
	if (e->var == CEDAR_RESOURCE)
		return (struct typed){ t->resource, true };
	if (e->var == CEDAR_CONTEXT)
		return (struct typed){ t->context, true };
	return (struct typed){ t->action_type, true };
}

/* Unknown types, actions and ids were reported when the policy was surveyed. */
static struct typed check_entity_literal(const struct typecheck *t, const struct cedar_expr *e)
{
	const struct cedar_schema *s = t->types->schema;
	const struct cedar_entity_type *type = cedar_schema_entity(s, e->uid.type);
	const struct cedar_action_type *action;

	if (type)
		return (struct typed){ type_entity(t->types, type), true };
	action = cedar_schema_action(s, e->uid);
	if (!action)
		return unknown();
	return (struct typed){ type_action(t->types, action->uid.type), true };
}

static struct typed check_number(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed l = typecheck_kind(t, e->left, CEDAR_TYPE_LONG);
	struct typed r = { NULL, true };

	if (e->right)
		r = typecheck_kind(t, e->right, CEDAR_TYPE_LONG);
	return typed_basic(t, CEDAR_TYPE_LONG, l.is_ok && r.is_ok);
}

static struct typed check_set(struct typecheck *t, const struct cedar_expr *e)
{
	const struct cedar_type *element = type_basic(t->types, CEDAR_TYPE_NEVER), *other = NULL;
	const struct cedar_type *join;
	bool is_ok = true, is_known = true;

	if (e->n_items == 0 && t->types->mode == CEDAR_STRICT) {
		if (finding_is_new(t->findings, "empty_set", e->range, NULL, NULL))
			finding_add(t->findings, CEDAR_ERROR, "empty_set", e->range,
				    "write `.isEmpty()` to test for an empty set",
				    "an empty set has no type");
		return unknown();
	}
	for (size_t i = 0; i < e->n_items; i++) {
		struct typed x = typecheck_value(t, e->items[i]);

		is_ok = is_ok && x.is_ok;
		is_known = is_known && x.type;
		if (is_known && !other) {
			join = type_join(t->types, element, x.type);
			other = join ? NULL : x.type;
			element = join ? join : element;
		}
	}
	if (is_known && other)
		(void)typecheck_join(t, e, "the elements of a set", element, other);
	if (!is_known || other)
		return unknown();
	return (struct typed){ type_set(t->types, element), is_ok };
}

static struct typed check_record(struct typecheck *t, const struct cedar_expr *e)
{
	struct cedar_attribute_type *attributes;
	bool is_ok = true, is_known = true;

	attributes = arena_alloc_array(&t->types->arena, e->n_items, sizeof(*attributes));
	if (!attributes) {
		t->types->is_limited = true;
		return unknown();
	}
	for (size_t i = 0; i < e->n_items; i++) {
		struct typed x = typecheck_value(t, e->items[i]);

		attributes[i] = (struct cedar_attribute_type){ e->names[i], x.type, true };
		is_ok = is_ok && x.is_ok;
		is_known = is_known && x.type;
	}
	if (!is_known)
		return unknown();
	return (struct typed){ type_record(t->types, attributes, e->n_items, false), is_ok };
}

static struct typed check_like(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed x = typecheck_kind(t, e->left, CEDAR_TYPE_STRING);

	return typed_basic(t, CEDAR_TYPE_BOOL, x.is_ok);
}

static struct typed check_literal(const struct typecheck *t, const struct cedar_expr *e)
{
	if (e->kind == CEDAR_EXPR_BOOL)
		return typed_basic(t, e->boolean ? CEDAR_TYPE_TRUE : CEDAR_TYPE_FALSE, true);
	if (e->kind == CEDAR_EXPR_LONG)
		return typed_basic(t, CEDAR_TYPE_LONG, true);
	if (e->kind == CEDAR_EXPR_STRING)
		return typed_basic(t, CEDAR_TYPE_STRING, true);
	return check_entity_literal(t, e);
}

static struct typed dispatch(struct typecheck *t, const struct cedar_expr *e)
{
	switch (e->kind) {
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_LONG:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
		return check_literal(t, e);
	case CEDAR_EXPR_VAR:
	case CEDAR_EXPR_SLOT:
		return check_variable(t, e);
	case CEDAR_EXPR_NOT:
		return negate(t, typecheck_kind(t, e->left, CEDAR_TYPE_BOOL));
	case CEDAR_EXPR_AND:
		return check_and(t, e);
	case CEDAR_EXPR_OR:
		return check_or(t, e);
	case CEDAR_EXPR_IF:
		return check_if(t, e);
	case CEDAR_EXPR_EQ:
		return typecheck_equality(t, e);
	case CEDAR_EXPR_NE:
		return negate(t, typecheck_equality(t, e));
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_GT:
	case CEDAR_EXPR_GE:
		return typecheck_compare(t, e);
	case CEDAR_EXPR_NEG:
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
		return check_number(t, e);
	case CEDAR_EXPR_IN:
		return typecheck_in(t, e);
	case CEDAR_EXPR_IS:
		return typecheck_is(t, e);
	case CEDAR_EXPR_HAS:
		return typecheck_has(t, e);
	case CEDAR_EXPR_LIKE:
		return check_like(t, e);
	case CEDAR_EXPR_ATTRIBUTE:
		return typecheck_attribute(t, e);
	case CEDAR_EXPR_CALL:
		return typecheck_call(t, e);
	case CEDAR_EXPR_SET:
		return check_set(t, e);
	case CEDAR_EXPR_RECORD:
		return check_record(t, e);
	}
	return unknown();
}

struct typed typecheck_expr(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed x;

	if (t->depth > LIMIT_CEDAR_DEPTH || ++t->steps > LIMIT_CEDAR_VALIDATE_STEPS) {
		t->steps = LIMIT_CEDAR_VALIDATE_STEPS + 1;
		return unknown();
	}
	t->depth++;
	x = dispatch(t, e);
	t->depth--;
	if (t->table && x.type)
		typing_put(t->table, e, x.type);
	return x;
}
