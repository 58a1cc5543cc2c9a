#include "cedar/survey.h"

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/script.h"

struct walk {
	const struct cedar_schema *schema;
	struct findings *findings;
	struct survey *survey;
	size_t depth;
};

static _cold_ void report_type(struct walk *w, struct span name, struct cedar_range range)
{
	struct hint hint;

	if (!finding_is_new(w->findings, "unknown_entity_type", range, NULL, NULL))
		return;
	hint = hint_entity_type(w->schema, name);
	finding_add(w->findings, CEDAR_ERROR, "unknown_entity_type", range, hint.text,
		    "the schema has no entity type `%.*s`", SPAN_ARG(diagnostic_quote(name)));
}

static void check_type(struct walk *w, struct span name, struct cedar_range range)
{
	if (!survey_is_action_type(name) && !cedar_schema_entity(w->schema, name))
		report_type(w, name, range);
}

static _cold_ void report_action(struct walk *w, struct cedar_entity_uid uid,
				 struct cedar_range range)
{
	struct span type = diagnostic_quote(uid.type), id = diagnostic_quote(uid.id);
	struct hint hint;

	if (!finding_is_new(w->findings, "unknown_action", range, NULL, NULL))
		return;
	hint = hint_action(w->schema, uid);
	finding_add(w->findings, CEDAR_ERROR, "unknown_action", range, hint.text,
		    "the schema has no action `%.*s::\"%.*s\"`", SPAN_ARG(type), SPAN_ARG(id));
}

static bool has_enum_id(const struct cedar_entity_type *type, struct span id)
{
	for (size_t i = 0; i < type->n_enum_ids; i++)
		if (span_eq(type->enum_ids[i], id))
			return true;
	return false;
}

static _cold_ void report_enum(struct walk *w, const struct cedar_entity_type *type,
			       struct cedar_entity_uid uid, struct cedar_range range)
{
	struct span id = diagnostic_quote(uid.id);
	struct hint hint;

	if (!finding_is_new(w->findings, "invalid_enum_id", range, NULL, NULL))
		return;
	hint = hint_enum_id(type, uid.id);
	finding_add(w->findings, CEDAR_ERROR, "invalid_enum_id", range, hint.text,
		    "the enumerated entity type `%.*s` has no entity \"%.*s\"",
		    SPAN_ARG(diagnostic_quote(uid.type)), SPAN_ARG(id));
}

static void check_uid(struct walk *w, struct cedar_entity_uid uid, struct cedar_range type_range,
		      struct cedar_range range)
{
	const struct cedar_entity_type *type;

	if (survey_is_action_type(uid.type)) {
		if (!cedar_schema_action(w->schema, uid))
			report_action(w, uid, range);
		return;
	}
	type = cedar_schema_entity(w->schema, uid.type);
	if (!type)
		report_type(w, uid.type, type_range);
	else if (type->is_enum && !has_enum_id(type, uid.id))
		report_enum(w, type, uid, range);
}

static void walk_expr(struct walk *w, const struct cedar_expr *e)
{
	if (w->depth > LIMIT_CEDAR_DEPTH) {
		w->survey->is_limited = true;
		return;
	}
	w->depth++;
	if (e->kind == CEDAR_EXPR_VAR)
		w->survey->uses[e->var] = true;
	else if (e->kind == CEDAR_EXPR_ENTITY)
		check_uid(w, e->uid, e->type_range, e->range);
	else if (e->kind == CEDAR_EXPR_IS)
		check_type(w, e->type_name, e->type_range);
	script_check_expr(e, w->findings);
	if (e->left)
		walk_expr(w, e->left);
	if (e->right)
		walk_expr(w, e->right);
	if (e->third)
		walk_expr(w, e->third);
	for (size_t i = 0; i < e->n_items; i++)
		walk_expr(w, e->items[i]);
	w->depth--;
}

static void walk_scope(struct walk *w, const struct cedar_scope *s)
{
	if (s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN)
		check_type(w, s->type_name, s->type_range);
	for (size_t i = 0; i < s->n_uids; i++) {
		struct cedar_range range = s->uid_ranges ? s->uid_ranges[i] : s->range;
		struct cedar_range type = range;

		type.end = MIN(range.end, range.begin + s->uids[i].type.len);
		check_uid(w, s->uids[i], type, range);
		script_check_uid(s->uids[i], range, w->findings);
	}
}

void survey_policy(const struct cedar_schema *s, const struct cedar_policy *p, struct findings *f,
		   struct survey *ret)
{
	struct walk w = { .schema = s, .findings = f, .survey = ret };

	*ret = (struct survey){ .is_limited = false };
	walk_scope(&w, &p->principal);
	walk_scope(&w, &p->action);
	walk_scope(&w, &p->resource);
	for (size_t i = 0; i < p->n_conditions; i++)
		walk_expr(&w, p->conditions[i].body);
}
