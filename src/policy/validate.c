#include "policy/validate.h"

#include <stdlib.h>

#include "cedar/cedar-validate.h"
#include "policy/names.h"
#include "policy/policy-private.h"
#include "policy/profile.h"

struct schema_validator {
	struct cedar_schema *schema;
	struct cedar_validator *cedar;
};

struct policy_validator {
	struct schema_validator exact;
	struct schema_validator
		network; /* as if every MCP server were on the network; made when needed */
};

static void schema_validator_init(struct schema_validator *v, struct span text)
{
	struct cedar_diagnostics found = { 0 };

	/* The schema is our own and a test reads it, so only memory can be missing. */
	if (cedar_schema_parse(text, &found, &v->schema) < 0)
		abort();
	cedar_diagnostics_done(&found);
	v->cedar = cedar_validator_new(v->schema, NULL);
	if (!v->cedar)
		abort();
}

static void schema_validator_done(struct schema_validator *v)
{
	cedar_validator_free(v->cedar);
	cedar_schema_free(v->schema);
}

struct policy_validator *policy_validator_new(void)
{
	struct policy_validator *v = xnew(struct policy_validator);

	schema_validator_init(&v->exact, policy_schema_text);
	return v;
}

void policy_validator_free(struct policy_validator *v)
{
	if (!v)
		return;
	schema_validator_done(&v->exact);
	if (v->network.cedar)
		schema_validator_done(&v->network);
	xfree(v);
}

/* ---- MCP servers on a pipe ------------------------------------------------------- */

/*
 * A call to one has neither address nor host. Who writes of NetworkConnect and
 * a port seldom thinks of that, and it does no harm: a permit that errs does not
 * apply. So policies about more than tool calls need only fit tools on the
 * network; of a forbid, which denies where it errs, people are told.
 */
static const struct {
	struct span here, there;
} on_network[] = {
	{ SPAN("context: McpContext,"), SPAN("context: McpNetworkContext,") },
	{ SPAN("entity Tool in [Server];"),
	  SPAN("entity Tool in [Server] = { name: String, port?: Long };") },
};

static void append_replaced(struct buf *out, struct span text)
{
	while (text.len) {
		size_t skip = 0;

		for (size_t i = 0; i < ARRAY_SIZE(on_network); i++)
			if (span_starts_with(text, on_network[i].here)) {
				(void)buf_append(out, on_network[i].there.p,
						 on_network[i].there.len);
				skip = on_network[i].here.len;
			}
		if (!skip)
			(void)buf_append_char(out, text.p[0]);
		text = span_from(text, skip ? skip : 1);
	}
}

static struct schema_validator *network_validator(struct policy_validator *v)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	if (!v->network.cedar) {
		append_replaced(&text, policy_schema_text);
		schema_validator_init(&v->network, buf_span(&text));
	}
	return &v->network;
}

static bool is_about_more_than_mcp(const struct cedar_policy *p)
{
	return scope_matches_action(&p->action, POLICY_MCP_CALL) &&
	       scope_matches_action(&p->action, POLICY_HTTP_REQUEST);
}

static void warn_of_pipes(struct lint *l, const struct cedar_policy *p,
			  const struct cedar_diagnostics *found)
{
	for (size_t i = 0; p->is_forbid && i < found->len; i++) {
		const struct cedar_diagnostic *d = &found->items[i];

		if (d->severity != CEDAR_ERROR)
			continue;
		lint_add(
			l, CEDAR_WARNING, "mcp_fact_missing", d->range,
			"ask for it first with `has`, or name the actions that are meant",
			"calls to MCP servers on a pipe have no such fact: there this forbid errs, "
			"and so denies");
		return;
	}
}

/* ---- Attributes that not every request has ----------------------------------------- */

static bool same_range(struct cedar_range a, struct cedar_range b)
{
	return a.begin == b.begin && a.end == b.end;
}

/* Depth is bounded by the parser. */
static const struct cedar_expr *find_access(const struct cedar_expr *e, struct cedar_range range)
{
	const struct cedar_expr *const parts[] = { e->left, e->right, e->third };
	const struct cedar_expr *found;

	if (e->kind == CEDAR_EXPR_ATTRIBUTE && same_range(e->range, range))
		return e;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		found = parts[i] ? find_access(parts[i], range) : NULL;
		if (found)
			return found;
	}
	for (size_t i = 0; i < e->n_items; i++) {
		found = find_access(e->items[i], range);
		if (found)
			return found;
	}
	return NULL;
}

static const struct cedar_expr *find_in_policy(const struct cedar_policy *p,
					       struct cedar_range range)
{
	const struct cedar_expr *found = NULL;

	for (size_t i = 0; !found && i < p->n_conditions; i++)
		found = find_access(p->conditions[i].body, range);
	return found;
}

struct name_list {
	const char *names[POLICY_ACTION_MAX];
	size_t len;
};

static void list_name(struct name_list *list, const char *name)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->names[i], name) == 0)
			return;
	if (list->len < ARRAY_SIZE(list->names))
		list->names[list->len++] = name;
}

/* "a, b and c", "a, b and 7 more"; last is the word before the last name. */
static const char *list_text(struct lint *l, const struct name_list *list, const char *last)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	size_t shown = list->len <= 3 ? list->len : 2;

	for (size_t i = 0; i < shown; i++)
		(void)buf_printf(&out, "%s%s",
				 !i		      ? ""
				 : i + 1 == list->len ? last
						      : ", ",
				 list->names[i]);
	if (shown < list->len)
		(void)buf_printf(&out, " and %zu more", list->len - shown);
	return lint_text(l, "%s", out.data ? out.data : "some requests");
}

static const struct cedar_action_type *action_type(const struct cedar_schema *schema, int action)
{
	const struct cedar_entity_uid uid = { SPAN("Action"), span_of(action_index_name(action)) };

	return cedar_schema_action(schema, uid);
}

static bool scope_admits(const struct cedar_schema *schema, const struct cedar_scope *s,
			 const struct cedar_entity_type *type)
{
	const struct cedar_entity_type *wanted;

	if ((s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN) &&
	    !span_eq(s->type_name, type->name))
		return false;
	if (!s->n_uids)
		return true;
	wanted = cedar_schema_entity(schema, s->uids[0].type);
	return wanted == type ||
	       (wanted && s->op != CEDAR_SCOPE_EQ && cedar_entity_type_is_in(type, wanted));
}

static void missing_in_context(const struct cedar_schema *schema, struct lint *l,
			       const struct cedar_policy *p, const struct cedar_expr *access)
{
	struct name_list actions = { 0 };

	for (int a = 0; a < POLICY_ACTION_MAX; a++)
		if (scope_matches_action(&p->action, a) &&
		    !cedar_type_attribute(action_type(schema, a)->context, access->string))
			list_name(&actions, action_index_name(a));
	lint_add(l, CEDAR_ERROR, "unknown_attribute", access->range,
		 lint_text(l, "name the actions that are meant, or ask `context has %.*s` first",
			   SPAN_ARG(access->string)),
		 "there is no context.%.*s for %s", SPAN_ARG(access->string),
		 list_text(l, &actions, " and "));
}

static void missing_in_resource(const struct cedar_schema *schema, struct lint *l,
				const struct cedar_policy *p, const struct cedar_expr *access)
{
	struct name_list types = { 0 };

	for (int a = 0; a < POLICY_ACTION_MAX; a++) {
		const struct cedar_action_type *action = action_type(schema, a);

		for (size_t i = 0; scope_matches_action(&p->action, a) && i < action->n_resources;
		     i++)
			if (scope_admits(schema, &p->resource, action->resources[i]) &&
			    !cedar_type_attribute(action->resources[i]->shape, access->string))
				list_name(&types, lint_text(l, "%.*s",
							    SPAN_ARG(action->resources[i]->name)));
	}
	lint_add(l, CEDAR_ERROR, "unknown_attribute", access->range,
		 span_eq(access->string, SPAN("path")) ? "write `resource is File` in the scope, "
							 "or name the actions that are meant"
						       : "write `resource is Host` in the scope, "
							 "or name the actions that are meant",
		 "there is no resource.%.*s where the resource is a %s", SPAN_ARG(access->string),
		 list_text(l, &types, " or "));
}

static bool is_about_attributes(const char *code)
{
	return strcmp(code, "optional_attribute") == 0 || strcmp(code, "unknown_attribute") == 0;
}

/* The same mistake shows under several types of resources; it is one to the person who made it. */
static bool is_found(const struct lint *l, const struct cedar_diagnostic *d)
{
	for (size_t i = l->found.len; i > 0 && l->found.items[i - 1].policy == l->policy; i--) {
		const struct cedar_diagnostic *other = &l->found.items[i - 1];

		if (same_range(other->range, d->range) &&
		    (strcmp(other->code, d->code) == 0 ||
		     (is_about_attributes(other->code) && is_about_attributes(d->code))))
			return true;
	}
	return false;
}

/* The validator speaks of types; people think of actions and resources. */
static bool is_said_better(const struct cedar_schema *schema, struct lint *l,
			   const struct cedar_policy *p, const struct cedar_diagnostic *d)
{
	bool is_optional = strcmp(d->code, "optional_attribute") == 0;
	const struct cedar_expr *access;
	const char *var;

	if (!is_about_attributes(d->code))
		return false;
	access = find_in_policy(p, d->range);
	if (!access || access->left->kind != CEDAR_EXPR_VAR || access->left->var < CEDAR_RESOURCE)
		return false;
	var = access->left->var == CEDAR_CONTEXT ? "context" : "resource";
	if (is_optional)
		lint_add(l, CEDAR_ERROR, d->code, d->range,
			 lint_text(l, "ask first: %s has %.*s && %s.%.*s ...", var,
				   SPAN_ARG(access->string), var, SPAN_ARG(access->string)),
			 "%s.%.*s may be missing", var, SPAN_ARG(access->string));
	else if (access->left->var == CEDAR_CONTEXT)
		missing_in_context(schema, l, p, access);
	else
		missing_in_resource(schema, l, p, access);
	return true;
}

/* ---- All ------------------------------------------------------------------------ */

static bool has_code(const struct cedar_diagnostics *found, const char *code)
{
	for (size_t i = 0; i < found->len; i++)
		if (strcmp(found->items[i].code, code) == 0)
			return true;
	return false;
}

static void take(const struct cedar_schema *schema, struct lint *l, const struct cedar_policy *p,
		 const struct cedar_diagnostics *found, const struct cedar_diagnostic *d)
{
	/* A scope that nothing fits says why the policy can never apply. */
	if (strcmp(d->code, "impossible_policy") == 0 && has_code(found, "no_applicable_action"))
		return;
	if (d->severity == CEDAR_ERROR)
		lint_drop_warnings(l, d->range);
	if (!is_found(l, d) && !is_said_better(schema, l, p, d))
		lint_add(l, d->severity, d->code, d->range, d->suggestion, "%s", d->message);
}

static int check(const struct schema_validator *v, struct lint *l, const struct cedar_policy *p,
		 struct cedar_diagnostics *found)
{
	int r = cedar_validator_check(v->cedar, p, found);

	if (r < 0 && !found->n_errors)
		l->n_errors++;
	return r;
}

void policy_validate(struct policy_validator *v, struct lint *l, const struct cedar_policy *p)
{
	const struct schema_validator *by = &v->exact;
	struct cedar_diagnostics found = { 0 };
	struct cedar_diagnostics of_network = { 0 };
	struct cedar_diagnostics *told = &found;

	if (check(by, l, p, &found) < 0 && is_about_more_than_mcp(p)) {
		by = network_validator(v);
		told = &of_network;
		if (check(by, l, p, &of_network) >= 0)
			warn_of_pipes(l, p, &found);
	}
	for (size_t i = 0; i < told->len; i++)
		take(by->schema, l, p, told, &told->items[i]);
	cedar_diagnostics_done(&found);
	cedar_diagnostics_done(&of_network);
}
