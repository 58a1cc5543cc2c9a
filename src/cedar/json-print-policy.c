/* Policies and policy sets as JSON. */
#include <errno.h>

#include "cedar/json-print.h"
#include "cedar/policy-set.h"

/* The entity, the entities or the slot; a list of one is an entity, as the reference has it. */
static void print_target(struct json_printer *p, const struct cedar_scope *s, enum cedar_var var)
{
	if (s->is_slot) {
		json_key(&p->w, "slot");
		json_print_slot(&p->w, var);
	} else if (s->n_uids == 1) {
		json_key(&p->w, "entity");
		json_print_uid(&p->w, s->uids[0]);
	} else {
		json_key(&p->w, "entities");
		json_begin_array(&p->w);
		for (size_t i = 0; i < s->n_uids; i++)
			json_print_uid(&p->w, s->uids[i]);
		json_end_array(&p->w);
	}
}

static void print_scope(struct json_printer *p, const struct cedar_scope *s, enum cedar_var var)
{
	static const char *const ops[] = {
		[CEDAR_SCOPE_ANY] = "All", [CEDAR_SCOPE_EQ] = "==",    [CEDAR_SCOPE_IN] = "in",
		[CEDAR_SCOPE_IS] = "is",   [CEDAR_SCOPE_IS_IN] = "is",
	};

	json_key(&p->w, json_variable_name(var));
	json_begin_object(&p->w);
	json_key_string(&p->w, "op", span_of(ops[s->op]));
	if (s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN)
		json_key_string(&p->w, "entity_type", s->type_name);
	if (s->op == CEDAR_SCOPE_EQ || s->op == CEDAR_SCOPE_IN)
		print_target(p, s, var);
	if (s->op == CEDAR_SCOPE_IS_IN) {
		json_key(&p->w, "in");
		json_begin_object(&p->w);
		print_target(p, s, var);
		json_end_object(&p->w);
	}
	json_end_object(&p->w);
}

static void print_conditions(struct json_printer *p, const struct cedar_policy *policy)
{
	json_key(&p->w, "conditions");
	json_begin_array(&p->w);
	for (size_t i = 0; i < policy->n_conditions; i++) {
		const struct cedar_condition *c = &policy->conditions[i];

		json_begin_object(&p->w);
		json_key_string(&p->w, "kind", c->is_unless ? SPAN("unless") : SPAN("when"));
		json_key(&p->w, "body");
		json_print_expr(p, c->body);
		json_end_object(&p->w);
	}
	json_end_array(&p->w);
}

static void print_annotations(struct json_printer *p, const struct cedar_policy *policy)
{
	struct json_named *list = json_print_sorted(p, policy->n_annotations);

	if (!list || policy->n_annotations == 0)
		return;
	for (size_t i = 0; i < policy->n_annotations; i++)
		list[i] =
			(struct json_named){ policy->annotations[i].key, &policy->annotations[i] };
	json_print_sort(list, policy->n_annotations);
	json_key(&p->w, "annotations");
	json_begin_object(&p->w);
	for (size_t i = 0; i < policy->n_annotations; i++) {
		const struct cedar_annotation *a = list[i].item;

		json_key_span(&p->w, a->key);
		if (a->has_value)
			json_string(&p->w, a->value);
		else
			json_null(&p->w);
	}
	json_end_object(&p->w);
}

static void print_policy(struct json_printer *p, const struct cedar_policy *policy)
{
	json_begin_object(&p->w);
	json_key_string(&p->w, "effect", policy->is_forbid ? SPAN("forbid") : SPAN("permit"));
	print_scope(p, &policy->principal, CEDAR_PRINCIPAL);
	print_scope(p, &policy->action, CEDAR_ACTION);
	print_scope(p, &policy->resource, CEDAR_RESOURCE);
	print_conditions(p, policy);
	print_annotations(p, policy);
	json_end_object(&p->w);
}

int cedar_policy_print_json(const struct cedar_policy *policy, struct buf *out)
{
	struct json_printer p = JSON_PRINTER_INIT(out);

	print_policy(&p, policy);
	return json_printer_end(&p);
}

static void print_link_value(struct json_printer *p, const struct cedar_scope *slot,
			     const struct cedar_scope *filled, enum cedar_var var)
{
	if (!slot->is_slot || filled->n_uids != 1)
		return;
	json_key(&p->w, var == CEDAR_RESOURCE ? "?resource" : "?principal");
	json_print_uid(&p->w, filled->uids[0]);
}

static void print_link(struct json_printer *p, const struct cedar_policy *policy)
{
	const struct cedar_policy *template = policy->linked_from;

	json_begin_object(&p->w);
	json_key_string(&p->w, "templateId", template->id);
	json_key_string(&p->w, "newId", policy->id);
	json_key(&p->w, "values");
	json_begin_object(&p->w);
	print_link_value(p, &template->principal, &policy->principal, CEDAR_PRINCIPAL);
	print_link_value(p, &template->resource, &policy->resource, CEDAR_RESOURCE);
	json_end_object(&p->w);
	json_end_object(&p->w);
}

static void print_policies(struct json_printer *p, const struct cedar_policy_set *set,
			   const char *key, bool want_templates)
{
	json_key(&p->w, key);
	json_begin_object(&p->w);
	for (size_t i = 0; i < set->len; i++) {
		const struct cedar_policy *policy = set->policies[i];

		if (policy->linked_from || policy->is_template != want_templates)
			continue;
		json_key_span(&p->w, policy->id);
		print_policy(p, policy);
	}
	json_end_object(&p->w);
}

int cedar_policy_set_print_json(const struct cedar_policy_set *set, struct buf *out)
{
	struct json_printer p = JSON_PRINTER_INIT(out);

	json_begin_object(&p.w);
	print_policies(&p, set, "templates", /* want_templates = */ true);
	print_policies(&p, set, "staticPolicies", /* want_templates = */ false);
	json_key(&p.w, "templateLinks");
	json_begin_array(&p.w);
	for (size_t i = 0; i < set->len; i++)
		if (set->policies[i]->linked_from)
			print_link(&p, set->policies[i]);
	json_end_array(&p.w);
	json_end_object(&p.w);
	return json_printer_end(&p);
}
