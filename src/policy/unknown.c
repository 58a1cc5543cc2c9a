#include "policy/unknown.h"

#define ANY_OUTCOME (CAN_BE_TRUE | CAN_BE_FALSE | CAN_ERR)
#define EITHER (CAN_BE_TRUE | CAN_BE_FALSE)

struct reading {
	const struct question *q;
	struct arena *arena;
	struct host_id host; /* of the resource, without port */
};

static unsigned int known(bool b)
{
	return b ? CAN_BE_TRUE : CAN_BE_FALSE;
}

static unsigned int negate(unsigned int set)
{
	unsigned int out = set & CAN_ERR;

	if (set & CAN_BE_TRUE)
		out |= CAN_BE_FALSE;
	if (set & CAN_BE_FALSE)
		out |= CAN_BE_TRUE;
	return out;
}

/* a && b, of which b is evaluated only where a is true. */
static unsigned int both(unsigned int a, unsigned int b)
{
	return a & CAN_BE_TRUE ? (a & ~(unsigned int)CAN_BE_TRUE) | b : a;
}

static unsigned int either(unsigned int a, unsigned int b)
{
	return negate(both(negate(a), negate(b)));
}

static bool is_var(const struct cedar_expr *e, enum cedar_var var)
{
	return e && e->kind == CEDAR_EXPR_VAR && e->var == var;
}

static bool context_key_is_unknown(const struct question *q, struct span name)
{
	int key = context_key_index(name);

	return key >= 0 && (q->unknown_keys & CONTEXT_BIT(key));
}

static bool mentions_unknown(const struct question *q, const struct cedar_expr *e)
{
	bool is_member;

	if (!e)
		return false;
	if (is_var(e, CEDAR_RESOURCE) || is_var(e, CEDAR_CONTEXT))
		return true;
	is_member = e->kind == CEDAR_EXPR_ATTRIBUTE || e->kind == CEDAR_EXPR_HAS;
	if (is_member && is_var(e->left, CEDAR_CONTEXT))
		return context_key_is_unknown(q,
					      e->kind == CEDAR_EXPR_HAS ? e->names[0] : e->string);
	if (is_member && is_var(e->left, CEDAR_RESOURCE))
		return span_eq(e->kind == CEDAR_EXPR_HAS ? e->names[0] : e->string, SPAN("port"));
	if (mentions_unknown(q, e->left) || mentions_unknown(q, e->right) ||
	    mentions_unknown(q, e->third))
		return true;
	for (size_t i = 0; i < e->n_items; i++)
		if (mentions_unknown(q, e->items[i]))
			return true;
	return false;
}

/* resource == uid: the connection's resource will be this host with a port. */
static unsigned int resource_equals(const struct reading *in, struct cedar_entity_uid uid)
{
	struct host_id h;

	if (!span_eq(uid.type, TYPE_HOST) || !host_id_parse(uid.id, &h) || h.is_wildcard ||
	    h.port == 0 || !span_eq(h.name, in->host.name))
		return CAN_BE_FALSE;
	return EITHER;
}

static unsigned int host_within(const struct reading *in, struct span parent)
{
	struct host_id h;
	bool is_same_address;

	if (!host_id_parse(parent, &h))
		return CAN_BE_FALSE;
	is_same_address = h.has_address && span_eq(h.name, in->host.name);
	if (host_name_matches(&in->host, &h) || is_same_address)
		return h.port ? EITHER : CAN_BE_TRUE;
	return h.has_address && !in->host.has_address ? EITHER : CAN_BE_FALSE;
}

static unsigned int resource_within(const struct reading *in, struct cedar_entity_uid uid)
{
	struct ip_range range;

	if (span_eq(uid.type, TYPE_HOST))
		return host_within(in, uid.id);
	if (span_eq(uid.type, TYPE_DNS_ZONE))
		return known(host_in_zone(&in->host, uid.id));
	if (!span_eq(uid.type, TYPE_IP_RANGE) || !ip_range_parse(uid.id, &range))
		return CAN_BE_FALSE;
	if (in->host.has_address)
		return known(ip_range_holds(&range, &in->host.address));
	return EITHER;
}

static unsigned int resource_within_expr(const struct reading *in, const struct cedar_expr *e)
{
	unsigned int out = CAN_BE_FALSE;

	if (e->kind == CEDAR_EXPR_ENTITY)
		return resource_within(in, e->uid);
	if (e->kind != CEDAR_EXPR_SET)
		return ANY_OUTCOME;
	for (size_t i = 0; i < e->n_items; i++) {
		if (e->items[i]->kind != CEDAR_EXPR_ENTITY)
			return ANY_OUTCOME;
		out = either(out, resource_within(in, e->items[i]->uid));
	}
	return out;
}

static unsigned int equality(const struct reading *in, const struct cedar_expr *e)
{
	const struct cedar_expr *other = NULL;

	if (is_var(e->left, CEDAR_RESOURCE))
		other = e->right;
	else if (is_var(e->right, CEDAR_RESOURCE))
		other = e->left;
	if (other && other->kind == CEDAR_EXPR_ENTITY)
		return resource_equals(in, other->uid);
	/* Cedar's == never errs, but its operands may. */
	return ANY_OUTCOME;
}

static unsigned int type_test(const struct reading *in, const struct cedar_expr *e)
{
	unsigned int out;

	if (!is_var(e->left, CEDAR_RESOURCE))
		return ANY_OUTCOME;
	out = known(span_eq(e->type_name, TYPE_HOST));
	return e->right ? both(out, resource_within_expr(in, e->right)) : out;
}

static unsigned int exactly(const struct reading *in, const struct cedar_expr *e)
{
	struct cedar_eval_error error = { 0 };
	const struct cedar_value *v;

	if (cedar_eval(e, &in->q->cedar, &in->q->entities, in->arena, &v, &error) < 0 ||
	    v->kind != CEDAR_BOOL)
		return CAN_ERR;
	return known(v->boolean);
}

static unsigned int outcomes(const struct reading *in, const struct cedar_expr *e);

static unsigned int choice(const struct reading *in, const struct cedar_expr *e)
{
	unsigned int condition = outcomes(in, e->left);
	unsigned int out = condition & CAN_ERR;

	if (condition & CAN_BE_TRUE)
		out |= outcomes(in, e->right);
	if (condition & CAN_BE_FALSE)
		out |= outcomes(in, e->third);
	return out;
}

static unsigned int outcomes(const struct reading *in, const struct cedar_expr *e)
{
	if (!mentions_unknown(in->q, e))
		return exactly(in, e);
	if (e->kind == CEDAR_EXPR_NOT)
		return negate(outcomes(in, e->left));
	if (e->kind == CEDAR_EXPR_AND)
		return both(outcomes(in, e->left), outcomes(in, e->right));
	if (e->kind == CEDAR_EXPR_OR)
		return either(outcomes(in, e->left), outcomes(in, e->right));
	if (e->kind == CEDAR_EXPR_IF)
		return choice(in, e);
	if (e->kind == CEDAR_EXPR_EQ)
		return equality(in, e);
	if (e->kind == CEDAR_EXPR_NE)
		return negate(equality(in, e));
	if (e->kind == CEDAR_EXPR_IN && is_var(e->left, CEDAR_RESOURCE))
		return resource_within_expr(in, e->right);
	if (e->kind == CEDAR_EXPR_IS)
		return type_test(in, e);
	if (e->kind == CEDAR_EXPR_HAS && e->left->kind == CEDAR_EXPR_VAR)
		return EITHER;
	return ANY_OUTCOME;
}

static unsigned int scope_outcomes(const struct reading *in, const struct cedar_scope *s)
{
	switch (s->op) {
	case CEDAR_SCOPE_ANY:
		return CAN_BE_TRUE;
	case CEDAR_SCOPE_EQ:
		return s->n_uids ? resource_equals(in, s->uids[0]) : CAN_BE_FALSE;
	case CEDAR_SCOPE_IN:
		return s->n_uids ? resource_within(in, s->uids[0]) : CAN_BE_FALSE;
	case CEDAR_SCOPE_IS:
		return known(span_eq(s->type_name, TYPE_HOST));
	case CEDAR_SCOPE_IS_IN:
		if (!span_eq(s->type_name, TYPE_HOST) || s->n_uids == 0)
			return CAN_BE_FALSE;
		return resource_within(in, s->uids[0]);
	}
	return ANY_OUTCOME;
}

unsigned int rule_outcomes(const struct rule *rule, const struct question *q, struct arena *arena)
{
	struct reading in = { .q = q, .arena = arena };
	unsigned int out;

	if (!host_id_parse(q->cedar.resource.id, &in.host))
		return ANY_OUTCOME;
	out = scope_outcomes(&in, &rule->cedar->resource);
	for (size_t i = 0; i < rule->cedar->n_conditions && (out & CAN_BE_TRUE); i++) {
		const struct cedar_condition *c = &rule->cedar->conditions[i];
		unsigned int body = outcomes(&in, c->body);

		out = both(out, c->is_unless ? negate(body) : body);
	}
	return out;
}
