/*
 * DnsResolve: the reading of unknown.c as formulas over the host's name. The
 * rails are what can be true, can be false and can err; more than one may hold.
 */
#include "policy/host.h"
#include "policy/image-compile.h"

static bool is_var(const struct cedar_expr *e, enum cedar_var var)
{
	return e && e->kind == CEDAR_EXPR_VAR && e->var == var;
}

static struct rails either(struct compiler *c)
{
	return (struct rails){ cover_always(&c->formula), cover_always(&c->formula),
			       cover_never() };
}

static struct rails anything(struct compiler *c)
{
	struct rails r = either(c);

	r.is_error = cover_always(&c->formula);
	return r;
}

static bool is_unknown_key(struct span name)
{
	int key = context_key_index(name);

	return key == CONTEXT_IP || key == CONTEXT_PORT || key == CONTEXT_PROTOCOL;
}

static bool mentions_unknown(const struct cedar_expr *e)
{
	bool is_member;

	if (!e)
		return false;
	if (is_var(e, CEDAR_RESOURCE) || is_var(e, CEDAR_CONTEXT))
		return true;
	is_member = e->kind == CEDAR_EXPR_ATTRIBUTE || e->kind == CEDAR_EXPR_HAS;
	if (is_member && is_var(e->left, CEDAR_CONTEXT))
		return is_unknown_key(e->kind == CEDAR_EXPR_HAS ? e->names[0] : e->string);
	if (is_member && is_var(e->left, CEDAR_RESOURCE))
		return span_eq(e->kind == CEDAR_EXPR_HAS ? e->names[0] : e->string, SPAN("port"));
	if (mentions_unknown(e->left) || mentions_unknown(e->right) || mentions_unknown(e->third))
		return true;
	for (size_t i = 0; i < e->n_items; i++)
		if (mentions_unknown(e->items[i]))
			return true;
	return false;
}

/* Entities that the connection to come may be in: surely, by the name's tests, or who knows. */
struct within {
	struct test_list surely, with_port;
	bool can_be;
};

static void add_host(struct compiler *c, struct within *w, struct span id)
{
	struct test_list *list;
	struct host_id h;

	if (!host_id_parse(id, &h))
		return;
	if (h.has_address) {
		w->can_be = true;
		return;
	}
	list = h.port ? &w->with_port : &w->surely;
	if (h.is_wildcard && h.name.len == 0)
		list->is_always = true;
	else
		add_text_test(c, list, h.is_wildcard ? TEST_BELOW : TEST_EQUAL, IMAGE_HOST, h.name,
			      ANY_PORT);
}

static void add_entity(struct compiler *c, struct within *w, struct cedar_entity_uid uid)
{
	struct ip_range range;

	if (span_eq(uid.type, TYPE_HOST)) {
		add_host(c, w, uid.id);
	} else if (span_eq(uid.type, TYPE_DNS_ZONE)) {
		add_text_test(c, &w->surely, TEST_EQUAL, IMAGE_HOST, uid.id, ANY_PORT);
		if (uid.id.len)
			add_text_test(c, &w->surely, TEST_BELOW, IMAGE_HOST, uid.id, ANY_PORT);
	} else if (span_eq(uid.type, TYPE_IP_RANGE) && ip_range_parse(uid.id, &range)) {
		w->can_be = true;
	}
}

static struct rails within_rails(struct compiler *c, struct within *w)
{
	struct rails surely = rails_of_tests(c, &w->surely, 0);
	struct rails with_port = rails_of_tests(c, &w->with_port, 0);
	struct rails r = { .is_true = cover_or(&c->formula, surely.is_true, with_port.is_true),
			   .is_false = surely.is_false };

	if (w->can_be)
		r.is_true = cover_always(&c->formula);
	return r;
}

static struct rails within_expr(struct compiler *c, const struct cedar_expr *e)
{
	struct within w = { 0 };

	if (e->kind != CEDAR_EXPR_ENTITY && e->kind != CEDAR_EXPR_SET)
		return anything(c);
	if (e->kind == CEDAR_EXPR_ENTITY)
		add_entity(c, &w, e->uid);
	for (size_t i = 0; i < e->n_items; i++) {
		if (e->items[i]->kind == CEDAR_EXPR_ENTITY) {
			add_entity(c, &w, e->items[i]->uid);
			continue;
		}
		vec_done(&w.surely.tests);
		vec_done(&w.with_port.tests);
		return anything(c);
	}
	return within_rails(c, &w);
}

static struct rails equals_uid(struct compiler *c, struct cedar_entity_uid uid)
{
	struct test_list list = { 0 };
	struct host_id h;
	struct rails r;

	if (!span_eq(uid.type, TYPE_HOST) || !host_id_parse(uid.id, &h) || h.is_wildcard ||
	    h.port == 0)
		return rails_known(&c->formula, false);
	add_text_test(c, &list, TEST_EQUAL, IMAGE_HOST, h.name, ANY_PORT);
	r = rails_of_tests(c, &list, 0);
	r.is_false = cover_always(&c->formula);
	return r;
}

static struct rails unknown_equality(struct compiler *c, const struct cedar_expr *e)
{
	const struct cedar_expr *other = NULL;

	if (is_var(e->left, CEDAR_RESOURCE))
		other = e->right;
	else if (is_var(e->right, CEDAR_RESOURCE))
		other = e->left;
	if (other && other->kind == CEDAR_EXPR_ENTITY)
		return equals_uid(c, other->uid);
	return anything(c);
}

static struct rails type_test(struct compiler *c, const struct cedar_expr *e)
{
	struct rails r;

	if (!is_var(e->left, CEDAR_RESOURCE))
		return anything(c);
	r = rails_known(&c->formula, span_eq(e->type_name, TYPE_HOST));
	return e->right ? rails_and(&c->formula, r, within_expr(c, e->right)) : r;
}

static struct rails outcomes(struct compiler *c, const struct cedar_expr *e)
{
	struct formula *f = &c->formula;

	if (!mentions_unknown(e))
		return rails_of(c, e);
	if (e->kind == CEDAR_EXPR_NOT)
		return rails_not(outcomes(c, e->left));
	if (e->kind == CEDAR_EXPR_AND)
		return rails_and(f, outcomes(c, e->left), outcomes(c, e->right));
	if (e->kind == CEDAR_EXPR_OR)
		return rails_or(f, outcomes(c, e->left), outcomes(c, e->right));
	if (e->kind == CEDAR_EXPR_IF)
		return rails_if(f, outcomes(c, e->left), outcomes(c, e->right),
				outcomes(c, e->third));
	if (e->kind == CEDAR_EXPR_EQ)
		return unknown_equality(c, e);
	if (e->kind == CEDAR_EXPR_NE)
		return rails_not(unknown_equality(c, e));
	if (e->kind == CEDAR_EXPR_IN && is_var(e->left, CEDAR_RESOURCE))
		return within_expr(c, e->right);
	if (e->kind == CEDAR_EXPR_IS)
		return type_test(c, e);
	if (e->kind == CEDAR_EXPR_HAS && e->left->kind == CEDAR_EXPR_VAR)
		return either(c);
	return anything(c);
}

static struct rails scope_outcomes(struct compiler *c, const struct cedar_scope *s)
{
	bool is_host = span_eq(s->type_name, TYPE_HOST);
	struct within w = { 0 };

	switch (s->op) {
	case CEDAR_SCOPE_ANY:
		return rails_known(&c->formula, true);
	case CEDAR_SCOPE_EQ:
		return s->n_uids ? equals_uid(c, s->uids[0]) : rails_known(&c->formula, false);
	case CEDAR_SCOPE_IS:
		return rails_known(&c->formula, is_host);
	case CEDAR_SCOPE_IS_IN:
		if (!is_host)
			return rails_known(&c->formula, false);
		break;
	case CEDAR_SCOPE_IN:
		break;
	}
	if (s->n_uids)
		add_entity(c, &w, s->uids[0]);
	return within_rails(c, &w);
}

struct policy_formula compile_unknown(struct compiler *c, const struct cedar_policy *p)
{
	struct formula *f = &c->formula;
	struct rails all = scope_outcomes(c, &p->resource);
	struct policy_formula r;
	struct cover not_false;

	for (size_t i = 0; i < p->n_conditions && all.is_true.n; i++) {
		struct rails body = outcomes(c, p->conditions[i].body);

		all = rails_and(f, all, p->conditions[i].is_unless ? rails_not(body) : body);
	}
	all.is_true = cover_compact(f, all.is_true);
	all.is_false = cover_compact(f, all.is_false);
	not_false = cover_not(f, all.is_false);
	r.is_satisfied = p->is_forbid ? cover_and(f, all.is_true, not_false) : all.is_true;
	r.is_error = cover_and(f, not_false, cover_not(f, all.is_true));
	return r;
}
