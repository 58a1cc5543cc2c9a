#include <errno.h>

#include "cedar/print-private.h"

static int print_annotation(const struct cedar_annotation *a, struct buf *out)
{
	int r;

	(void)buf_append_char(out, '@');
	(void)buf_append_span(out, a->key);
	if (!a->has_value)
		return buf_append_char(out, ' ');
	(void)buf_append_char(out, '(');
	r = print_string(a->value, out);
	return r < 0 ? r : buf_append_str(out, ") ");
}

static int print_uids(const struct cedar_scope *s, const char *var, struct buf *out)
{
	int r = 0;

	if (s->is_slot)
		return buf_printf(out, "?%s", var);
	if (s->is_list)
		(void)buf_append_char(out, '[');
	for (size_t i = 0; r == 0 && i < s->n_uids; i++) {
		if (i > 0)
			(void)buf_append_str(out, ", ");
		r = print_uid(s->uids[i], out);
	}
	return r < 0 || !s->is_list ? r : buf_append_char(out, ']');
}

static int print_scope(const struct cedar_scope *s, const char *var, struct buf *out)
{
	(void)buf_append_str(out, var);
	switch (s->op) {
	case CEDAR_SCOPE_ANY:
		return out->failed ? -EMSGSIZE : 0;
	case CEDAR_SCOPE_EQ:
		(void)buf_append_str(out, " == ");
		break;
	case CEDAR_SCOPE_IN:
		(void)buf_append_str(out, " in ");
		break;
	case CEDAR_SCOPE_IS:
	case CEDAR_SCOPE_IS_IN:
		(void)buf_append_str(out, " is ");
		(void)buf_append_span(out, s->type_name);
		if (s->op == CEDAR_SCOPE_IS)
			return out->failed ? -EMSGSIZE : 0;
		(void)buf_append_str(out, " in ");
		break;
	}
	return print_uids(s, var, out);
}

static int print_condition(const struct cedar_condition *c, struct buf *out)
{
	int r;

	(void)buf_append_str(out, c->is_unless ? " unless { " : " when { ");
	r = cedar_expr_print(c->body, out);
	return r < 0 ? r : buf_append_str(out, " }");
}

int cedar_policy_print(const struct cedar_policy *p, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_annotations; i++)
		r = print_annotation(&p->annotations[i], out);
	(void)buf_append_str(out, p->is_forbid ? "forbid(" : "permit(");
	if (r == 0)
		r = print_scope(&p->principal, "principal", out);
	(void)buf_append_str(out, ", ");
	if (r == 0)
		r = print_scope(&p->action, "action", out);
	(void)buf_append_str(out, ", ");
	if (r == 0)
		r = print_scope(&p->resource, "resource", out);
	(void)buf_append_char(out, ')');
	for (size_t i = 0; r == 0 && i < p->n_conditions; i++)
		r = print_condition(&p->conditions[i], out);
	return r < 0 ? r : buf_append_char(out, ';');
}
