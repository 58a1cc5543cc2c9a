/* Values of the machine: in from outside, out to the room's functions, equality. */
#include "cedar/value-private.h"
#include "cedar/vm-private.h"

struct vm_value vm_import(const struct cedar_machine *m, const struct cedar_value *v)
{
	struct vm_value out = { .kind = (uint8_t)v->kind, .ref = SYMBOL_NONE, .value = v };

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
		out.ref = symbols_find(&m->store->uids, v->uid);
		break;
	case CEDAR_STRING:
	case CEDAR_SET:
	case CEDAR_RECORD:
	case CEDAR_IPADDR:
	case CEDAR_UNKNOWN:
		break;
	}
	return out;
}

const struct cedar_value *vm_export(struct cedar_machine *m, const struct vm_value *v)
{
	struct cedar_value *out;

	switch ((enum cedar_value_kind)v->kind) {
	case CEDAR_STRING:
	case CEDAR_ENTITY:
	case CEDAR_SET:
	case CEDAR_RECORD:
	case CEDAR_IPADDR:
	case CEDAR_UNKNOWN:
		return v->value;
	case CEDAR_BOOL:
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
		break;
	}
	out = memory_alloc(&m->memory, 1, sizeof(*out));
	if (!out)
		return NULL;
	*out = (struct cedar_value){ .kind = (enum cedar_value_kind)v->kind };
	if (v->kind == CEDAR_BOOL)
		out->boolean = v->integer != 0;
	else
		out->integer = v->integer;
	return out;
}

bool vm_equal(const struct vm_value *a, const struct vm_value *b)
{
	if (a->kind != b->kind)
		return false;
	switch ((enum cedar_value_kind)a->kind) {
	case CEDAR_BOOL:
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
		return a->integer == b->integer;
	case CEDAR_STRING:
		return span_eq(a->value->string, b->value->string);
	case CEDAR_ENTITY:
		return a->ref == b->ref &&
		       (a->ref != SYMBOL_NONE || cedar_uid_eq(a->value->uid, b->value->uid));
	case CEDAR_SET:
	case CEDAR_RECORD:
	case CEDAR_IPADDR:
	case CEDAR_UNKNOWN:
		break;
	}
	return cedar_value_eq(a->value, b->value);
}

int vm_contains(struct cedar_machine *m, const struct vm_value *set, const struct vm_value *item)
{
	const struct cedar_value *out;

	if (set->ref == VM_UIDS) {
		const struct vm_set *uids = (const void *)set->value;

		return item->kind == CEDAR_ENTITY && item->ref != SYMBOL_NONE &&
		       refs_contain(uids->refs, uids->n, item->ref);
	}
	out = vm_export(m, item);
	return out ? value_set_contains(set->value, out) : VM_NO_MEMORY;
}
