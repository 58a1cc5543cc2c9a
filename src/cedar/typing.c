/* Types of expressions by address, and the public way to ask for them. */
#include <errno.h>

#include "base/alloc.h"
#include "cedar/typecheck.h"

struct typing_slot {
	const struct cedar_expr *e;
	const struct cedar_type *type;
};

static size_t slot_of(const struct typing_table *t, const struct cedar_expr *e)
{
	uint64_t h = (uint64_t)(uintptr_t)e * 0x9e3779b97f4a7c15ULL;
	size_t at = (size_t)(h >> 32) & (t->n_slots - 1);

	while (t->slots[at].e && t->slots[at].e != e)
		at = (at + 1) & (t->n_slots - 1);
	return at;
}

static void grow(struct typing_table *t)
{
	struct typing_table old = *t;

	t->n_slots = old.n_slots ? old.n_slots * 2 : 64;
	t->slots = xnew_array(struct typing_slot, t->n_slots);
	for (size_t i = 0; i < old.n_slots; i++)
		if (old.slots[i].e)
			t->slots[slot_of(t, old.slots[i].e)] = old.slots[i];
	xfree(old.slots);
}

void typing_put(struct typing_table *t, const struct cedar_expr *e, const struct cedar_type *type)
{
	size_t at;

	if ((t->len + 1) * 2 > t->n_slots)
		grow(t);
	at = slot_of(t, e);
	t->len += !t->slots[at].e;
	t->slots[at] = (struct typing_slot){ e, type };
}

const struct cedar_type *typing_get(const struct typing_table *t, const struct cedar_expr *e)
{
	return t->n_slots ? t->slots[slot_of(t, e)].type : NULL;
}

void typing_done(struct typing_table *t)
{
	xfree(t->slots);
	*t = (struct typing_table){ 0 };
}

/* ---- Public ------------------------------------------------------------------ */

struct cedar_typing {
	struct types types;
	struct typing_table table;
};

void cedar_typing_free(struct cedar_typing *t)
{
	if (!t)
		return;
	typing_done(&t->table);
	types_done(&t->types);
	xfree(t);
}

const struct cedar_type *cedar_typing_of(const struct cedar_typing *t, const struct cedar_expr *e)
{
	return typing_get(&t->table, e);
}

static void cleanup_typing(struct cedar_typing **t)
{
	cedar_typing_free(*t);
}

int cedar_typecheck(const struct cedar_schema *schema, enum cedar_validation_mode mode,
		    const struct cedar_policy *p, const struct cedar_request_env *env,
		    struct cedar_typing **ret)
{
	_cleanup_(cleanup_typing) struct cedar_typing *typing = xnew(struct cedar_typing);
	_cleanup_(typecheck_done) struct typecheck check = { 0 };
	struct typed all;
	int r;

	r = types_init(&typing->types, schema, mode);
	if (r < 0)
		return r;
	typecheck_init(&check, &typing->types, NULL);
	check.table = &typing->table;
	if (typecheck_set_env(&check, env) < 0)
		return -ENOMEM;
	all = typecheck_conditions(&check, p);
	if (typecheck_is_limited(&check))
		return check.types->is_limited ? -ENOMEM : -EMSGSIZE;
	if (!all.is_ok)
		return -EINVAL;
	*ret = TAKE_PTR(typing);
	return 0;
}
