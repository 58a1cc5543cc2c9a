/* Policies, templates, links and sets of them from JSON. */
#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "cedar/diagnostics.h"
#include "cedar/json-read-expr.h"
#include "cedar/lexer.h"
#include "cedar/policy-set.h"
#include "cedar/template.h"

static const char *const variables[] = {
	[CEDAR_PRINCIPAL] = "principal",
	[CEDAR_ACTION] = "action",
	[CEDAR_RESOURCE] = "resource",
};

/* ---- Scopes ------------------------------------------------------------- */

static int add_uid(struct json_reader *r, enum cedar_var var, struct cedar_scope *s,
		   const struct json *j)
{
	struct cedar_entity_uid uid;
	int code = json_read_uid(r, j, &uid);

	if (code < 0)
		return code;
	if (var == CEDAR_ACTION && !json_is_action_type(uid.type))
		return json_error(r, "invalid_action", json_range(j),
				  "actions have the type Action, perhaps in a namespace",
				  "expected an action, found an entity of type `%.*s`",
				  SPAN_ARG(diagnostic_quote(uid.type)));
	s->uids[s->n_uids] = uid;
	s->uid_ranges[s->n_uids++] = json_range(j);
	return 0;
}

static int read_uids(struct json_reader *r, enum cedar_var var, struct cedar_scope *s,
		     const struct json *j)
{
	size_t n = s->is_list ? json_count(j) : 1;
	int code = 0;

	s->uids = arena_alloc_array(r->arena, n, sizeof(*s->uids));
	s->uid_ranges = arena_alloc_array(r->arena, n, sizeof(*s->uid_ranges));
	if (!s->uids || !s->uid_ranges)
		return json_out_of_memory(r);
	if (!s->is_list)
		return add_uid(r, var, s, j);
	for (const struct json *it = j->first; it && !r->is_limited; it = it->next)
		if (add_uid(r, var, s, it) < 0)
			code = -EINVAL;
	return code;
}

static int read_slot(struct json_reader *r, enum cedar_var var, struct cedar_scope *s,
		     const struct json *j)
{
	s->is_slot = true;
	if (var == CEDAR_ACTION)
		return json_error(r, "invalid_slot", json_range(j), NULL,
				  "the action cannot be a template slot");
	if (j->type == JSON_STRING && j->text.len && j->text.p[0] == '?' &&
	    span_eq_str(span_from(j->text, 1), variables[var]))
		return 0;
	return json_error(r, "invalid_slot", json_range(j), NULL,
			  "only the slot `?%s` can be used here", variables[var]);
}

/* The entity, slot, or for actions the entities; where several are given the first counts. */
static int read_target(struct json_reader *r, enum cedar_var var, struct cedar_scope *s,
		       const struct json *j)
{
	const struct json *entity = json_get(j, "entity");
	const struct json *entities = json_get(j, "entities");
	const struct json *slot = json_get(j, "slot");

	if (entity)
		return read_uids(r, var, s, entity);
	if (entities && var == CEDAR_ACTION && s->op == CEDAR_SCOPE_IN) {
		if (entities->type != JSON_ARRAY)
			return json_wrong_type(r, entities, "a list of actions");
		s->is_list = true;
		return read_uids(r, var, s, entities);
	}
	if (slot)
		return read_slot(r, var, s, slot);
	return json_error(r, "missing_member", json_range(j), NULL,
			  var == CEDAR_ACTION ? "the constraint needs an entity"
					      : "the constraint needs an entity or a slot");
}

static int read_is(struct json_reader *r, enum cedar_var var, struct cedar_scope *s,
		   const struct json *j)
{
	const struct json *type = json_get(j, "entity_type");
	const struct json *in = json_get(j, "in");
	int code;

	if (!type)
		return json_error(r, "missing_member", json_range(j), NULL,
				  "the constraint needs the member `entity_type`");
	code = json_read_type_name(r, type, &s->type_name);
	if (code < 0 || !in || in->type == JSON_NULL)
		return code;
	s->op = CEDAR_SCOPE_IS_IN;
	return read_target(r, var, s, in);
}

static int read_scope(struct json_reader *r, enum cedar_var var, const struct json *j,
		      struct cedar_scope *s)
{
	const struct json *op = json_get(j, "op");

	s->range = json_range(j);
	if (j->type != JSON_OBJECT)
		return json_wrong_type(r, j, "a constraint, which is an object");
	if (!op || op->type != JSON_STRING)
		return json_error(r, "missing_member", json_range(j), NULL,
				  "the constraint needs the member `op`, a string");
	if (span_eq(op->text, SPAN("All")) || span_eq(op->text, SPAN("all")))
		return 0;
	s->op = CEDAR_SCOPE_EQ;
	if (span_eq(op->text, SPAN("==")))
		return read_target(r, var, s, j);
	s->op = CEDAR_SCOPE_IN;
	if (span_eq(op->text, SPAN("in")))
		return read_target(r, var, s, j);
	s->op = CEDAR_SCOPE_IS;
	if (span_eq(op->text, SPAN("is")) && var != CEDAR_ACTION)
		return read_is(r, var, s, j);
	return json_error(r, "invalid_scope_operator", json_range(op),
			  "move it into a `when` condition",
			  var == CEDAR_ACTION ? "the operators of actions are All, == and in"
					      : "the operators are All, ==, in and is");
}

/* ---- Policies ----------------------------------------------------------- */

static int read_condition(struct json_reader *r, const struct json *j, struct cedar_condition *c)
{
	struct json_member m[] = { { .name = "kind" }, { .name = "body" } };
	const struct json *kind;

	if (json_members(r, j, "a condition", m, 2, /* want_others = */ false) < 0)
		return -EINVAL;
	kind = m[0].value;
	c->range = json_range(j);
	c->is_unless = kind->type == JSON_STRING && span_eq(kind->text, SPAN("unless"));
	if (!c->is_unless && !(kind->type == JSON_STRING && span_eq(kind->text, SPAN("when"))))
		(void)json_error(r, "invalid_condition", json_range(kind), NULL,
				 "the kind of a condition is \"when\" or \"unless\"");
	c->body = json_read_expr(r, m[1].value, /* allow_slots = */ false);
	return c->body ? 0 : -EINVAL;
}

static int read_conditions(struct json_reader *r, const struct json *j, struct cedar_policy *p)
{
	int code = 0;

	if (j->type != JSON_ARRAY)
		return json_wrong_type(r, j, "a list of conditions");
	p->conditions = arena_alloc_array(r->arena, json_count(j), sizeof(*p->conditions));
	if (!p->conditions)
		return json_out_of_memory(r);
	for (const struct json *it = j->first; it && !r->is_limited; it = it->next)
		if (read_condition(r, it, &p->conditions[p->n_conditions++]) < 0)
			code = -EINVAL;
	return code;
}

static int read_annotation(struct json_reader *r, const struct json *j, struct cedar_annotation *a)
{
	a->range = (struct cedar_range){ j->key_begin, j->end };
	a->has_value = j->type != JSON_NULL;
	if (!cedar_is_ident(j->key))
		return json_error(r, "invalid_annotation", json_key_range(j), NULL,
				  "`%.*s` cannot be the name of an annotation",
				  SPAN_ARG(diagnostic_quote(j->key)));
	if (json_keep(r, j->key, &a->key) < 0)
		return -ENOMEM;
	return a->has_value ? json_read_string(r, j, "a string", &a->value) : 0;
}

static int read_annotations(struct json_reader *r, const struct json *j, struct cedar_policy *p)
{
	size_t n;
	int code = 0;

	if (j->type != JSON_OBJECT)
		return json_wrong_type(r, j, "annotations, which are an object");
	n = json_count(j);
	if (n > LIMIT_CEDAR_ANNOTATIONS)
		return json_error(r, "too_many_annotations", json_range(j), NULL,
				  "the policy has too many annotations");
	p->annotations = arena_alloc_array(r->arena, n, sizeof(*p->annotations));
	if (!p->annotations)
		return json_out_of_memory(r);
	for (const struct json *it = j->first; it; it = it->next)
		if (read_annotation(r, it, &p->annotations[p->n_annotations++]) < 0)
			code = -EINVAL;
	return code;
}

static int read_effect(struct json_reader *r, const struct json *j, struct cedar_policy *p)
{
	p->is_forbid = j->type == JSON_STRING && span_eq(j->text, SPAN("forbid"));
	if (p->is_forbid || (j->type == JSON_STRING && span_eq(j->text, SPAN("permit"))))
		return 0;
	return json_error(r, "invalid_effect", json_range(j), NULL,
			  "the effect is \"permit\" or \"forbid\"");
}

static int read_policy(struct json_reader *r, const struct json *j, struct cedar_policy *p)
{
	struct json_member m[] = {
		{ .name = "effect" },	  { .name = "principal" },
		{ .name = "action" },	  { .name = "resource" },
		{ .name = "conditions" }, { .name = "annotations", .is_optional = true }
	};
	size_t n_errors = r->diags->n_errors;

	p->range = json_range(j);
	if (json_members(r, j, "a policy", m, ARRAY_SIZE(m), /* want_others = */ false) < 0)
		return -EINVAL;
	(void)read_effect(r, m[0].value, p);
	(void)read_scope(r, CEDAR_PRINCIPAL, m[1].value, &p->principal);
	(void)read_scope(r, CEDAR_ACTION, m[2].value, &p->action);
	(void)read_scope(r, CEDAR_RESOURCE, m[3].value, &p->resource);
	(void)read_conditions(r, m[4].value, p);
	if (m[5].value)
		(void)read_annotations(r, m[5].value, p);
	p->is_template = p->principal.is_slot || p->resource.is_slot;
	return r->diags->n_errors > n_errors ? -EINVAL : 0;
}

static struct cedar_policy_set *new_set(void)
{
	struct cedar_policy_set *set = xnew(struct cedar_policy_set);

	set->arena.max = LIMIT_CEDAR_ARENA;
	return set;
}

/* NULL after a finding. */
static struct cedar_policy *add_policy(struct json_reader *r, struct cedar_policy_set *set,
				       const struct json *j, struct span id)
{
	struct cedar_policy *p = arena_new(r->arena, struct cedar_policy);

	if (!p) {
		(void)json_out_of_memory(r);
		return NULL;
	}
	if (read_policy(r, j, p) < 0 || json_keep(r, id, &p->id) < 0)
		return NULL;
	if (policy_set_add(set, p) < 0) {
		(void)json_out_of_memory(r);
		return NULL;
	}
	return p;
}

int cedar_policy_parse_json(struct span text, struct cedar_diagnostics *diags,
			    struct cedar_policy_set **ret)
{
	_cleanup_(cleanup_policy_set) struct cedar_policy_set *set = new_set();
	const struct json *j;
	struct json_reader r;
	int code;

	if (json_reader_begin(&r, text, &set->arena, diags, &j) == 0)
		(void)add_policy(&r, set, j, SPAN("policy0"));
	code = json_reader_end(&r);
	if (code == 0)
		*ret = TAKE_PTR(set);
	return code;
}

/* ---- Sets --------------------------------------------------------------- */

struct set_reader {
	struct json_reader r;
	struct cedar_policy_set *set;
	struct map ids; /* -> struct cedar_policy * */
};

static int read_policies(struct set_reader *s, const struct json *j, bool want_templates)
{
	const char *what = want_templates ? "a template" : "a static policy";

	if (j->type != JSON_OBJECT)
		return json_wrong_type(&s->r, j, "policies by their ids, which are an object");
	for (const struct json *it = j->first; it && !s->r.is_limited; it = it->next) {
		struct cedar_policy *p;

		if (map_get(&s->ids, it->key)) {
			(void)json_error(&s->r, "duplicate_id", json_key_range(it), NULL,
					 "the id `%.*s` is used twice",
					 SPAN_ARG(diagnostic_quote(it->key)));
			continue;
		}
		p = add_policy(&s->r, s->set, it, it->key);
		if (!p)
			continue;
		(void)map_put(&s->ids, p->id, p);
		if (p->is_template != want_templates)
			(void)json_error(&s->r, "wrong_policy_kind", json_key_range(it),
					 want_templates ? "put it among the staticPolicies"
							: "put it among the templates",
					 "expected %s, found %s", what,
					 want_templates ? "one without slots" : "one with slots");
	}
	return 0;
}

static int read_link_values(struct json_reader *r, const struct json *j,
			    struct cedar_entity_uid uids[2], struct cedar_link *link)
{
	struct json_member m[] = { { .name = "?principal", .is_optional = true },
				   { .name = "?resource", .is_optional = true } };

	if (json_members(r, j, "the values of a link", m, 2, /* want_others = */ false) < 0)
		return -EINVAL;
	for (size_t i = 0; i < 2; i++)
		if (m[i].value && json_read_uid(r, m[i].value, &uids[i]) < 0)
			return -EINVAL;
	link->principal = m[0].value ? &uids[0] : NULL;
	link->resource = m[1].value ? &uids[1] : NULL;
	return 0;
}

static int read_link(struct set_reader *s, const struct json *j)
{
	struct json_member m[] = { { .name = "templateId" },
				   { .name = "newId" },
				   { .name = "values" } };
	struct json_reader *r = &s->r;
	struct cedar_entity_uid uids[2];
	struct cedar_link link = { 0 };
	struct cedar_policy *p;
	struct err err = { 0 };
	int code;

	if (json_members(r, j, "a link", m, ARRAY_SIZE(m), /* want_others = */ false) < 0 ||
	    json_read_string(r, m[0].value, "the id of a template", &link.template_id) < 0 ||
	    json_read_string(r, m[1].value, "an id", &link.new_id) < 0 ||
	    read_link_values(r, m[2].value, uids, &link) < 0)
		return -EINVAL;
	code = template_link(s->set, map_get(&s->ids, link.template_id),
			     map_get(&s->ids, link.new_id), &link, &p, &err);
	if (code == -ENOMEM)
		return json_out_of_memory(r);
	if (code < 0)
		return json_error(r, "invalid_link", json_range(j), NULL, "%s", err.text);
	p->range = json_range(j);
	(void)map_put(&s->ids, p->id, p);
	return 0;
}

static void read_set(struct set_reader *s, const struct json *j)
{
	struct json_member m[] = { { .name = "staticPolicies", .is_optional = true },
				   { .name = "templates", .is_optional = true },
				   { .name = "templateLinks", .is_optional = true } };

	if (json_members(&s->r, j, "a policy set", m, ARRAY_SIZE(m), /* want_others = */ false) < 0)
		return;
	if (m[0].value)
		(void)read_policies(s, m[0].value, /* want_templates = */ false);
	if (m[1].value)
		(void)read_policies(s, m[1].value, /* want_templates = */ true);
	if (m[2].value && m[2].value->type != JSON_ARRAY) {
		(void)json_wrong_type(&s->r, m[2].value, "a list of links");
		return;
	}
	/* Where a template is wrong, its links would only be found wrong too. */
	for (const struct json *it = m[2].value ? m[2].value->first : NULL;
	     it && s->r.diags->n_errors == s->r.n_errors; it = it->next)
		(void)read_link(s, it);
}

int cedar_policy_set_parse_json(struct span text, struct cedar_diagnostics *diags,
				struct cedar_policy_set **ret)
{
	_cleanup_(cleanup_policy_set) struct cedar_policy_set *set = new_set();
	struct set_reader s = { .set = set };
	const struct json *j;
	int code;

	if (json_reader_begin(&s.r, text, &set->arena, diags, &j) == 0)
		read_set(&s, j);
	map_done(&s.ids, NULL);
	code = json_reader_end(&s.r);
	if (code == 0)
		*ret = TAKE_PTR(set);
	return code;
}
