#include "cedar/expr-equal.h"

#include "base/map.h"

/* An expression without its negations. */
struct core {
	enum cedar_expr_kind kind;
	const struct cedar_expr *e;
	size_t n_negations;
};

static struct core core_of(const struct cedar_expr *e)
{
	struct core c = { .n_negations = 0 };

	for (; e->kind == CEDAR_EXPR_NOT; e = e->left)
		c.n_negations++;
	c.e = e;
	c.kind = e->kind;
	if (e->kind == CEDAR_EXPR_NE || e->kind == CEDAR_EXPR_GT || e->kind == CEDAR_EXPR_GE) {
		c.n_negations++;
		c.kind = e->kind == CEDAR_EXPR_NE   ? CEDAR_EXPR_EQ
			 : e->kind == CEDAR_EXPR_GT ? CEDAR_EXPR_LE
						    : CEDAR_EXPR_LT;
	}
	return c;
}

#define HASH_LEVELS 3

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

static uint64_t hash_span(uint64_t h, struct span s)
{
	return s.len ? mix(h, hash_bytes(s.p, s.len)) : h;
}

/* The union's members by the kind that uses them. */
static uint64_t scalar_of(enum cedar_expr_kind kind, const struct cedar_expr *e)
{
	if (kind == CEDAR_EXPR_BOOL)
		return e->boolean;
	if (kind == CEDAR_EXPR_LONG)
		return (uint64_t)e->integer;
	if (kind == CEDAR_EXPR_VAR || kind == CEDAR_EXPR_SLOT)
		return (uint64_t)e->var;
	return kind == CEDAR_EXPR_CALL ? e->is_method : 0;
}

static uint64_t hash(const struct cedar_expr *e, size_t levels)
{
	struct core c = core_of(e);
	uint64_t h = mix(c.n_negations, (uint64_t)c.kind);

	e = c.e;
	h = mix(h, scalar_of(c.kind, e));
	h = hash_span(h, e->string);
	h = hash_span(h, e->type_name);
	h = hash_span(h, e->uid.type);
	h = hash_span(h, e->uid.id);
	h = mix(h, e->n_items);
	h = mix(h, e->n_names);
	if (levels == 0)
		return h;
	if (e->left)
		h = mix(h, hash(e->left, levels - 1));
	if (e->right)
		h = mix(h, hash(e->right, levels - 1));
	for (size_t i = 0; i < MIN(e->n_items, (size_t)4); i++)
		h = mix(h, hash(e->items[i], levels - 1));
	return h;
}

uint64_t expr_hash(const struct cedar_expr *e)
{
	return hash(e, HASH_LEVELS);
}

static bool is_same_pattern(const struct cedar_expr *a, const struct cedar_expr *b)
{
	if (a->kind != CEDAR_EXPR_LIKE)
		return true;
	if (a->n_pattern != b->n_pattern)
		return false;
	for (size_t i = 0; i < a->n_pattern; i++)
		if (a->pattern[i].is_wildcard != b->pattern[i].is_wildcard ||
		    !span_eq(a->pattern[i].literal, b->pattern[i].literal))
			return false;
	return true;
}

static bool is_same_node(const struct core *a, const struct core *b)
{
	const struct cedar_expr *x = a->e, *y = b->e;

	if (a->kind != b->kind || a->n_negations != b->n_negations || x->n_items != y->n_items ||
	    x->n_names != y->n_names || scalar_of(a->kind, x) != scalar_of(b->kind, y))
		return false;
	if (!span_eq(x->string, y->string) || !span_eq(x->type_name, y->type_name) ||
	    !cedar_uid_eq(x->uid, y->uid) || !is_same_pattern(x, y))
		return false;
	for (size_t i = 0; i < x->n_names; i++)
		if (!span_eq(x->names[i], y->names[i]))
			return false;
	return true;
}

static bool is_same_child(const struct cedar_expr *a, const struct cedar_expr *b, size_t *steps)
{
	return !a || !b ? a == b : expr_equal(a, b, steps);
}

bool expr_equal(const struct cedar_expr *a, const struct cedar_expr *b, size_t *steps)
{
	struct core x, y;

	(*steps)++;
	if (a == b)
		return true;
	x = core_of(a);
	y = core_of(b);
	if (!is_same_node(&x, &y) || !is_same_child(x.e->left, y.e->left, steps) ||
	    !is_same_child(x.e->right, y.e->right, steps) ||
	    !is_same_child(x.e->third, y.e->third, steps))
		return false;
	for (size_t i = 0; i < x.e->n_items; i++)
		if (!expr_equal(x.e->items[i], y.e->items[i], steps))
			return false;
	return true;
}
