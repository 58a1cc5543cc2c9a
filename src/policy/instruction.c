#include "policy/instruction.h"

#include "policy/entities.h"
#include "policy/host.h"
#include "policy/http.h"
#include "policy/names.h"

static bool is_http_rewrite(struct cedar_entity_uid uid)
{
	return span_eq(uid.type, TYPE_ACTION) && action_index(uid.id) == ACTION_HTTP_REWRITE;
}

bool instruction_is_named(const struct cedar_policy *p)
{
	for (size_t i = 0; i < p->action.n_uids; i++)
		if (is_http_rewrite(p->action.uids[i]))
			return true;
	return false;
}

bool instruction_is(const struct cedar_policy *p)
{
	for (size_t i = 0; i < p->action.n_uids; i++)
		if (!is_http_rewrite(p->action.uids[i]))
			return false;
	return p->action.n_uids > 0;
}

/* ---- Conditions ---- */

static bool is_context(const struct cedar_expr *e, const char *key)
{
	return e->kind == CEDAR_EXPR_ATTRIBUTE && e->left->kind == CEDAR_EXPR_VAR &&
	       e->left->var == CEDAR_CONTEXT && span_eq_str(e->string, key);
}

static bool take_comparison(const struct cedar_expr *member, struct cedar_expr *literal,
			    struct instruction *to)
{
	if (literal->kind != CEDAR_EXPR_STRING)
		return false;
	if (is_context(member, "header") && !to->header.len) {
		to->header = literal->string;
		return literal->string.len > 0;
	}
	if (is_context(member, "value") && !to->value_expr) {
		to->value = literal->string;
		to->value_expr = literal;
		return true;
	}
	return false;
}

/* As deep as Cedar lets a tree be. */
static bool take_condition(const struct cedar_expr *e, struct instruction *to)
{
	if (e->kind == CEDAR_EXPR_AND)
		return take_condition(e->left, to) && take_condition(e->right, to);
	return e->kind == CEDAR_EXPR_EQ &&
	       (take_comparison(e->left, e->right, to) || take_comparison(e->right, e->left, to));
}

/* Those that say where a message begins and ends, whom it is for, and in what form it comes back.
 */
static bool is_of_leash(struct span header)
{
	static const char *const names[] = { "accept-encoding",
					     "connection",
					     "content-length",
					     "expect",
					     "host",
					     "keep-alive",
					     "te",
					     "trailer",
					     "transfer-encoding",
					     "upgrade",
					     "proxy-authorization",
					     "proxy-connection",
					     "sec-websocket-extensions" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_eq_nocase(header, span_of(names[i])))
			return true;
	return false;
}

static bool is_header_value(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return false;
	return true;
}

/* ---- The host ---- */

static bool take_host(const struct cedar_scope *s, struct instruction *to)
{
	struct host_id h;

	if ((s->op != CEDAR_SCOPE_EQ && s->op != CEDAR_SCOPE_IN) || s->n_uids != 1 ||
	    !span_eq(s->uids[0].type, TYPE_HOST) || !host_id_parse(s->uids[0].id, &h) ||
	    !h.name.len)
		return false;
	to->host = h.name;
	if (h.is_wildcard)
		to->host = span_make(s->uids[0].id.p,
				     (size_t)(h.name.p - s->uids[0].id.p) + h.name.len);
	to->port = h.port;
	return true;
}

const char *instruction_read(const struct cedar_policy *p, struct instruction *ret)
{
	struct instruction i = { 0 };

	if (p->is_forbid)
		return "HttpRewrite sets a header: only a permit can do that";
	if (!take_host(&p->resource, &i))
		return "HttpRewrite needs a host: resource == Host::\"api.example.com\"";
	for (size_t k = 0; k < p->n_conditions; k++)
		if (p->conditions[k].is_unless || !take_condition(p->conditions[k].body, &i))
			return "HttpRewrite understands nothing but context.header == \"...\" && "
			       "context.value == \"...\"";
	if (!i.header.len || !i.value_expr)
		return "HttpRewrite needs context.header == \"...\" && context.value == \"...\"";
	if (!policy_is_token(i.header) || is_of_leash(i.header))
		return "HttpRewrite cannot set this header";
	if (!is_header_value(i.value))
		return "HttpRewrite cannot set a value with control characters";
	*ret = i;
	return NULL;
}

bool instruction_has_literal(const struct instruction *i)
{
	return !memmem(i->value.p, i->value.len, "${secret:", 9);
}
