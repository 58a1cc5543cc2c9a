#include "cedar/node.h"

#include "base/limits.h"

static void deepen(struct cedar_expr *e, const struct cedar_expr *child)
{
	e->depth = MAX(e->depth, child->depth + 1);
}

/* A tree refers to its parts for writing, though nobody writes to them once it is made. */
static struct cedar_expr *part(const struct cedar_expr *e)
{
	return (struct cedar_expr *)(uintptr_t)e;
}

struct cedar_expr *node_new(struct arena *a, enum cedar_expr_kind kind, struct cedar_range at,
			    const struct cedar_expr *left, const struct cedar_expr *right)
{
	struct cedar_expr *e = arena_new(a, struct cedar_expr);

	if (!e)
		return NULL;
	e->kind = kind;
	e->range = at;
	e->depth = 1;
	e->left = part(left);
	e->right = part(right);
	if (left)
		deepen(e, left);
	if (right)
		deepen(e, right);
	return e;
}

struct cedar_expr *node_bool(struct arena *a, bool b, struct cedar_range at)
{
	struct cedar_expr *e = node_new(a, CEDAR_EXPR_BOOL, at, NULL, NULL);

	if (e)
		e->boolean = b;
	return e;
}

struct cedar_expr *node_entity(struct arena *a, struct cedar_entity_uid uid, struct cedar_range at)
{
	struct cedar_expr *e = node_new(a, CEDAR_EXPR_ENTITY, at, NULL, NULL);

	if (e)
		e->uid = uid;
	return e;
}

struct cedar_expr *node_var(struct arena *a, enum cedar_var var, struct cedar_range at)
{
	struct cedar_expr *e = node_new(a, CEDAR_EXPR_VAR, at, NULL, NULL);

	if (e)
		e->var = var;
	return e;
}

struct cedar_expr *node_with_items(struct arena *a, const struct cedar_expr *e,
				   struct cedar_expr **items)
{
	struct cedar_expr *copy = arena_new(a, struct cedar_expr);

	if (!copy)
		return NULL;
	*copy = *e;
	copy->items = items;
	copy->depth = 1;
	for (size_t i = 0; i < e->n_items; i++)
		deepen(copy, items[i]);
	return copy;
}

struct cedar_expr *node_error(struct arena *a, struct cedar_range at)
{
	struct cedar_expr *e = node_new(a, CEDAR_EXPR_CALL, at, NULL, NULL);

	if (e)
		e->string = SPAN("error");
	return e;
}

/* ---- Values -------------------------------------------------------------------- */

static struct cedar_expr *value_node(struct arena *a, const struct cedar_value *v,
				     struct cedar_range at, size_t level);

static struct cedar_expr **new_items(struct arena *a, struct cedar_expr *e, size_t n)
{
	e->items = arena_alloc_array(a, n, sizeof(struct cedar_expr *));
	e->n_items = n;
	return e->items;
}

static struct cedar_expr *set_node(struct arena *a, const struct cedar_value *v,
				   struct cedar_range at, size_t level)
{
	struct cedar_expr *e = node_new(a, CEDAR_EXPR_SET, at, NULL, NULL);

	if (!e || !new_items(a, e, v->set.len))
		return NULL;
	for (size_t i = 0; i < v->set.len; i++) {
		e->items[i] = value_node(a, v->set.items[i], at, level + 1);
		if (!e->items[i])
			return NULL;
		deepen(e, e->items[i]);
	}
	return e;
}

static struct cedar_expr *record_node(struct arena *a, const struct cedar_value *v,
				      struct cedar_range at, size_t level)
{
	struct cedar_expr *e = node_new(a, CEDAR_EXPR_RECORD, at, NULL, NULL);

	if (!e || !new_items(a, e, v->record.len))
		return NULL;
	e->names = arena_alloc_array(a, v->record.len, sizeof(*e->names));
	e->n_names = v->record.len;
	if (!e->names)
		return NULL;
	for (size_t i = 0; i < v->record.len; i++) {
		e->names[i] = v->record.entries[i].key;
		e->items[i] = value_node(a, v->record.entries[i].value, at, level + 1);
		if (!e->items[i])
			return NULL;
		deepen(e, e->items[i]);
	}
	return e;
}

/* As the reference writes them here: the prefix of an address also where it is the whole address.
 */
static int print_extension(const struct cedar_value *v, struct buf *out)
{
	int r = cedar_value_print(v, out);

	if (r < 0 || v->kind != CEDAR_IPADDR || memchr(out->data, '/', out->len))
		return r;
	out->len -= strlen("\")");
	return buf_printf(out, "/%u\")", v->ip.prefix);
}

/* Extension values have a text form that is an expression. */
static struct cedar_expr *extension_node(struct arena *a, const struct cedar_value *v)
{
	_cleanup_buf_ struct buf text = BUF_INIT(256);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e = NULL;
	char *kept = NULL;

	if (print_extension(v, &text) == 0)
		kept = arena_dup(a, buf_span(&text));
	if (!kept || cedar_expr_parse(span_make(kept, text.len), a, &diags, &e) < 0)
		e = NULL;
	cedar_diagnostics_done(&diags);
	return e;
}

static struct cedar_expr *unknown_node(struct arena *a, const struct cedar_value *v,
				       struct cedar_range at)
{
	struct cedar_expr *e = node_new(a, CEDAR_EXPR_CALL, at, NULL, NULL);
	struct cedar_expr *name = node_new(a, CEDAR_EXPR_STRING, at, NULL, NULL);

	if (!e || !name || !new_items(a, e, 1))
		return NULL;
	name->string = v->string;
	e->string = SPAN("unknown");
	e->items[0] = name;
	deepen(e, name);
	return e;
}

static struct cedar_expr *scalar_node(struct arena *a, const struct cedar_value *v,
				      struct cedar_range at)
{
	struct cedar_expr *e;

	if (v->kind == CEDAR_BOOL)
		return node_bool(a, v->boolean, at);
	if (v->kind == CEDAR_ENTITY)
		return node_entity(a, v->uid, at);
	e = node_new(a, v->kind == CEDAR_LONG ? CEDAR_EXPR_LONG : CEDAR_EXPR_STRING, at, NULL,
		     NULL);
	if (e && v->kind == CEDAR_LONG)
		e->integer = v->integer;
	else if (e)
		e->string = v->string;
	return e;
}

static struct cedar_expr *value_node(struct arena *a, const struct cedar_value *v,
				     struct cedar_range at, size_t level)
{
	if (level > LIMIT_CEDAR_DEPTH)
		return NULL;
	switch (v->kind) {
	case CEDAR_SET:
		return set_node(a, v, at, level);
	case CEDAR_RECORD:
		return record_node(a, v, at, level);
	case CEDAR_DECIMAL:
	case CEDAR_IPADDR:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
		return extension_node(a, v);
	case CEDAR_UNKNOWN:
		return unknown_node(a, v, at);
	case CEDAR_BOOL:
	case CEDAR_LONG:
	case CEDAR_STRING:
	case CEDAR_ENTITY:
		break;
	}
	return scalar_node(a, v, at);
}

struct cedar_expr *node_value(struct arena *a, const struct cedar_value *v, struct cedar_range at)
{
	return value_node(a, v, at, 0);
}
