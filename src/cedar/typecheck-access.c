/* Attributes: `has`, `.name`. */
#include "cedar/typecheck.h"

#include <stdio.h>

#include "cedar/diagnostics.h"

static _cold_ void report_unknown(struct typecheck *t, const struct cedar_expr *e, struct span name,
				  const struct cedar_type *type)
{
	const struct cedar_type *shape = type;
	char text[TYPE_TEXT_MAX];
	struct hint hint;

	if (!finding_is_new(t->findings, "unknown_attribute", e->range, name.p, type))
		return;
	if (type->kind == CEDAR_TYPE_ENTITY)
		shape = type->entity ? type_shape(t->types, type->entity) : NULL;
	hint = hint_attribute(shape, name);
	finding_add(t->findings, CEDAR_ERROR, "unknown_attribute", e->range, hint.text,
		    "%s has no attribute `%.*s`", type_text(type, text),
		    SPAN_ARG(diagnostic_quote(name)));
}

static _cold_ void report_optional(struct typecheck *t, const struct cedar_expr *e,
				   struct span name, const struct cedar_type *type)
{
	char text[TYPE_TEXT_MAX], help[128];
	struct span shown = diagnostic_quote(name);

	if (!finding_is_new(t->findings, "optional_attribute", e->range, name.p, type))
		return;
	(void)snprintf(help, sizeof(help), "test for it before: e has %.*s && ...",
		       SPAN_ARG(shown));
	finding_add(t->findings, CEDAR_ERROR, "optional_attribute", e->range, help,
		    "the attribute `%.*s` of %s may be missing", SPAN_ARG(shown),
		    type_text(type, text));
}

/* The type of x.name; place is where x is, so that a test for the attribute is remembered. */
static struct typed get(struct typecheck *t, const struct cedar_expr *e, struct span name,
			struct typed x, const struct cedar_expr *of)
{
	const struct cedar_type *type;
	bool is_required, may_exist;
	uint32_t place;

	type_find_attribute(t->types, x.type, name, &type, &is_required, &may_exist);
	if (!type) {
		report_unknown(t, e, name, x.type);
		return (struct typed){ NULL, false };
	}
	if (is_required)
		return (struct typed){ type, x.is_ok };
	place = place_attribute(&t->capabilities, place_of(&t->capabilities, of), name);
	if (capability_is_known(&t->capabilities, place))
		return (struct typed){ type, x.is_ok };
	report_optional(t, e, name, x.type);
	return (struct typed){ type, false };
}

struct typed typecheck_attribute(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed x = typecheck_entity(t, e->left, TYPECHECK_OR_RECORD);

	if (!x.type || (!type_is_entity(x.type) && x.type->kind != CEDAR_TYPE_RECORD))
		return (struct typed){ NULL, false };
	return get(t, e, e->string, x, e->left);
}

/* ---- has ------------------------------------------------------------------------ */

/* x has name; *ret is the attribute's type, NULL where it is not known. */
static enum cedar_type_kind has_one(struct typecheck *t, const struct cedar_type *x,
				    struct span name, uint32_t place, const struct cedar_type **ret)
{
	bool is_required, may_exist;

	type_find_attribute(t->types, x, name, ret, &is_required, &may_exist);
	if (!may_exist)
		return CEDAR_TYPE_FALSE;
	if (!*ret)
		return CEDAR_TYPE_BOOL;
	if (capability_is_known(&t->capabilities, place))
		return CEDAR_TYPE_TRUE;
	/* An entity may itself be missing, with all its attributes. */
	return is_required && x->kind == CEDAR_TYPE_RECORD ? CEDAR_TYPE_TRUE : CEDAR_TYPE_BOOL;
}

/* In e has a.b: e.a must be something that can have attributes. */
static bool check_step(struct typecheck *t, const struct cedar_expr *e, struct span name,
		       const struct cedar_type *of, const struct cedar_type *type)
{
	char text[TYPE_TEXT_MAX];
	struct span shown = diagnostic_quote(name);

	if (!type) {
		report_unknown(t, e, name, of);
		return false;
	}
	if (type_is_entity(type) || type->kind == CEDAR_TYPE_RECORD)
		return true;
	if (finding_is_new(t->findings, "unexpected_type", e->range, type, name.p))
		finding_add(t->findings, CEDAR_ERROR, "unexpected_type", e->range, NULL,
			    "expected an entity or a record, but the attribute `%.*s` is %s",
			    SPAN_ARG(shown), type_text(type, text));
	return false;
}

struct typed typecheck_has(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed x = typecheck_entity(t, e->left, TYPECHECK_OR_RECORD);
	enum cedar_type_kind all = CEDAR_TYPE_TRUE;
	size_t mark = capabilities_mark(&t->capabilities);
	const struct cedar_type *type = x.type;
	uint32_t place;

	if (!type || (!type_is_entity(type) && type->kind != CEDAR_TYPE_RECORD))
		return typed_basic(t, CEDAR_TYPE_BOOL, false);
	place = place_of(&t->capabilities, e->left);
	for (size_t i = 0; i < e->n_names; i++) {
		const struct cedar_type *of = type;
		enum cedar_type_kind has;

		place = place_attribute(&t->capabilities, place, e->names[i]);
		has = has_one(t, of, e->names[i], place, &type);
		if (has == CEDAR_TYPE_FALSE) {
			capabilities_forget(&t->capabilities, mark);
			return typed_basic(t, CEDAR_TYPE_FALSE, x.is_ok);
		}
		if (has == CEDAR_TYPE_BOOL)
			all = CEDAR_TYPE_BOOL;
		capability_learn(&t->capabilities, place);
		if (i + 1 < e->n_names && !check_step(t, e, e->names[i], of, type)) {
			capabilities_forget(&t->capabilities, mark);
			return typed_basic(t, CEDAR_TYPE_BOOL, false);
		}
	}
	if (!x.is_ok)
		capabilities_forget(&t->capabilities, mark);
	return typed_basic(t, all, x.is_ok);
}
