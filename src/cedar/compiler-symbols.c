/* Names and values of policies into numbers and constants. */
#include <errno.h>
#include <stdlib.h>

#include "cedar/compiler.h"

void compiler_fail(struct compiler *c, int code)
{
	if (!c->failure)
		c->failure = code;
}

void *compiler_alloc(struct compiler *c, size_t n, size_t size)
{
	void *p = arena_alloc_array(&c->program->arena, n, size);

	if (!p)
		compiler_fail(c, -ENOMEM);
	return p;
}

static uint32_t intern(struct compiler *c, struct symbols *s, struct cedar_entity_uid uid)
{
	uint32_t number = 0;

	if (symbols_add(s, &c->program->arena, uid, &number) < 0)
		compiler_fail(c, -ENOMEM);
	return number;
}

uint32_t compiler_type(struct compiler *c, struct span type)
{
	return intern(c, &c->program->types, symbol_name(type));
}

uint32_t compiler_name(struct compiler *c, struct span name)
{
	return intern(c, &c->program->names, symbol_name(name));
}

uint32_t compiler_uid(struct compiler *c, struct cedar_entity_uid uid)
{
	uint32_t number = intern(c, &c->program->uids, uid);
	uint32_t type = compiler_type(c, uid.type);

	if (!c->failure)
		c->program->uids.items[number]->type = type;
	return number;
}

uint32_t compiler_memo(struct compiler *c, enum cedar_var var, struct span name)
{
	uint32_t number = compiler_name(c, name);
	size_t at = (size_t)number * 4 + var;

	while (c->memo_of.len <= at)
		vec_push(&c->memo_of, 0);
	if (!c->memo_of.items[at]) {
		vec_push(&c->memos, (struct vm_memo){ var, number });
		c->memo_of.items[at] = (uint32_t)c->memos.len;
	}
	return c->memo_of.items[at] - 1;
}

static int compare_refs(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* NULL when some member is no entity. */
static struct vm_set *uid_set(struct compiler *c, const struct cedar_value *v)
{
	struct vm_set *set;

	for (size_t i = 0; i < v->set.len; i++)
		if (v->set.items[i]->kind != CEDAR_ENTITY)
			return NULL;
	set = compiler_alloc(c, 1, sizeof(*set));
	if (!set)
		return NULL;
	set->value = *v;
	set->refs = compiler_alloc(c, v->set.len, sizeof(*set->refs));
	if (!set->refs)
		return NULL;
	for (size_t i = 0; i < v->set.len; i++)
		set->refs[set->n++] = compiler_uid(c, v->set.items[i]->uid);
	if (set->n > 1)
		qsort(set->refs, set->n, sizeof(*set->refs), compare_refs);
	return set;
}

static struct vm_value make_constant(struct compiler *c, const struct cedar_value *v)
{
	struct vm_value out = { .kind = (uint8_t)v->kind, .ref = SYMBOL_NONE, .value = v };
	struct vm_set *set;

	switch (v->kind) {
	case CEDAR_BOOL:
		out.integer = v->boolean;
		break;
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
		out.integer = v->integer;
		break;
	case CEDAR_ENTITY:
		out.ref = compiler_uid(c, v->uid);
		break;
	case CEDAR_SET:
		set = uid_set(c, v);
		if (set) {
			out.ref = VM_UIDS;
			out.value = &set->value;
		}
		break;
	case CEDAR_STRING:
	case CEDAR_RECORD:
	case CEDAR_IPADDR:
	case CEDAR_UNKNOWN:
		break;
	}
	return out;
}

uint32_t compiler_constant(struct compiler *c, const struct cedar_value *v)
{
	if (v->kind == CEDAR_BOOL)
		return VM_OPERAND(PLACE_CONSTANT, v->boolean ? 1U : 0U);
	if (c->constants.len >= VM_INDEX_MAX) {
		compiler_fail(c, -ENOMEM);
		return 0;
	}
	vec_push(&c->constants, make_constant(c, v));
	return VM_OPERAND(PLACE_CONSTANT, (uint32_t)c->constants.len - 1);
}
