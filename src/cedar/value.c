#include <errno.h>
#include <stdlib.h>

#include "cedar/value-private.h"

static int cmp_int(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int cmp_uid(struct cedar_entity_uid a, struct cedar_entity_uid b)
{
	int c = span_cmp(a.type, b.type);

	return c ? c : span_cmp(a.id, b.id);
}

static int cmp_ip(const struct cedar_ipaddr *a, const struct cedar_ipaddr *b)
{
	int c;

	if (a->is_v6 != b->is_v6)
		return a->is_v6 ? 1 : -1;
	c = memcmp(a->bytes, b->bytes, a->is_v6 ? 16 : 4);
	return c ? c : cmp_int(a->prefix, b->prefix);
}

static int cmp_set(const struct cedar_value *a, const struct cedar_value *b)
{
	size_t n = MIN(a->set.len, b->set.len);

	for (size_t i = 0; i < n; i++) {
		int c = value_cmp(a->set.items[i], b->set.items[i]);

		if (c)
			return c;
	}
	return (a->set.len > b->set.len) - (a->set.len < b->set.len);
}

static int cmp_record(const struct cedar_value *a, const struct cedar_value *b)
{
	size_t n = MIN(a->record.len, b->record.len);

	for (size_t i = 0; i < n; i++) {
		const struct cedar_record_entry *x = &a->record.entries[i];
		const struct cedar_record_entry *y = &b->record.entries[i];
		int c = span_cmp(x->key, y->key);

		c = c ? c : value_cmp(x->value, y->value);
		if (c)
			return c;
	}
	return (a->record.len > b->record.len) - (a->record.len < b->record.len);
}

int value_cmp(const struct cedar_value *a, const struct cedar_value *b)
{
	if (a == b)
		return 0;
	if (a->kind != b->kind)
		return a->kind > b->kind ? 1 : -1;
	switch (a->kind) {
	case CEDAR_BOOL:
		return a->boolean - b->boolean;
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
		return cmp_int(a->integer, b->integer);
	case CEDAR_STRING:
	case CEDAR_UNKNOWN:
		return span_cmp(a->string, b->string);
	case CEDAR_ENTITY:
		return cmp_uid(a->uid, b->uid);
	case CEDAR_SET:
		return cmp_set(a, b);
	case CEDAR_RECORD:
		return cmp_record(a, b);
	case CEDAR_IPADDR:
		return cmp_ip(&a->ip, &b->ip);
	}
	return 0;
}

bool cedar_value_eq(const struct cedar_value *a, const struct cedar_value *b)
{
	if (a->kind == CEDAR_STRING && b->kind == CEDAR_STRING)
		return span_eq(a->string, b->string);
	if (a->kind == CEDAR_ENTITY && b->kind == CEDAR_ENTITY)
		return cedar_uid_eq(a->uid, b->uid);
	return value_cmp(a, b) == 0;
}

const char *value_kind_name(enum cedar_value_kind kind)
{
	static const char *const names[] = {
		[CEDAR_BOOL] = "bool",	       [CEDAR_LONG] = "long",
		[CEDAR_STRING] = "string",     [CEDAR_ENTITY] = "entity",
		[CEDAR_SET] = "set",	       [CEDAR_RECORD] = "record",
		[CEDAR_DECIMAL] = "decimal",   [CEDAR_IPADDR] = "ipaddr",
		[CEDAR_DATETIME] = "datetime", [CEDAR_DURATION] = "duration",
		[CEDAR_UNKNOWN] = "unknown",
	};

	return names[kind];
}

static const struct cedar_value *copy_value(struct arena *a, struct cedar_value v)
{
	struct cedar_value *copy = arena_new(a, struct cedar_value);

	if (copy)
		*copy = v;
	return copy;
}

const struct cedar_value *cedar_value_bool(struct arena *a, bool b)
{
	return copy_value(a, (struct cedar_value){ .kind = CEDAR_BOOL, .boolean = b });
}

const struct cedar_value *cedar_value_long(struct arena *a, int64_t n)
{
	return copy_value(a, (struct cedar_value){ .kind = CEDAR_LONG, .integer = n });
}

const struct cedar_value *cedar_value_string(struct arena *a, struct span s)
{
	return copy_value(a, (struct cedar_value){ .kind = CEDAR_STRING, .string = s });
}

const struct cedar_value *cedar_value_entity(struct arena *a, struct cedar_entity_uid uid)
{
	return copy_value(a, (struct cedar_value){ .kind = CEDAR_ENTITY, .uid = uid });
}

const struct cedar_value *cedar_value_ip(struct arena *a, struct cedar_ipaddr ip)
{
	return copy_value(a, (struct cedar_value){ .kind = CEDAR_IPADDR, .ip = ip });
}

const struct cedar_value *cedar_value_decimal(struct arena *a, int64_t ten_thousandths)
{
	return copy_value(
		a, (struct cedar_value){ .kind = CEDAR_DECIMAL, .integer = ten_thousandths });
}

const struct cedar_value *cedar_value_datetime(struct arena *a, int64_t ms)
{
	return copy_value(a, (struct cedar_value){ .kind = CEDAR_DATETIME, .integer = ms });
}

const struct cedar_value *cedar_value_duration(struct arena *a, int64_t ms)
{
	return copy_value(a, (struct cedar_value){ .kind = CEDAR_DURATION, .integer = ms });
}

static int compare_items(const void *a, const void *b)
{
	const struct cedar_value *const *x = a;
	const struct cedar_value *const *y = b;

	return value_cmp(*x, *y);
}

size_t value_sort_unique(const struct cedar_value **items, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(items, n, sizeof(struct cedar_value *), compare_items);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || value_cmp(items[kept - 1], items[i]) != 0)
			items[kept++] = items[i];
	return kept;
}

const struct cedar_value *cedar_value_set(struct arena *a, const struct cedar_value **items,
					  size_t n)
{
	const struct cedar_value **copy = arena_alloc_array(a, n, sizeof(*copy));
	struct cedar_value v = { .kind = CEDAR_SET };

	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++)
		copy[i] = items[i];
	v.set.items = copy;
	v.set.len = value_sort_unique(copy, n);
	return copy_value(a, v);
}

/* A stable sort is needed, for the last of equal keys stays: ties go by address. */
static int compare_entries(const void *a, const void *b)
{
	const struct cedar_record_entry *const *x = a;
	const struct cedar_record_entry *const *y = b;
	int c = span_cmp((*x)->key, (*y)->key);

	return c ? c : (*x > *y) - (*x < *y);
}

int value_make_record(struct arena *a, const struct cedar_record_entry *entries, size_t n,
		      struct cedar_value *ret)
{
	const struct cedar_record_entry **order = arena_alloc_array(a, n, sizeof(*order));
	struct cedar_record_entry *sorted = arena_alloc_array(a, n, sizeof(*sorted));
	size_t kept = 0;

	if (!order || !sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = &entries[i];
	if (n > 1)
		qsort(order, n, sizeof(*order), compare_entries);
	for (size_t i = 0; i < n; i++) {
		if (kept && span_eq(sorted[kept - 1].key, order[i]->key))
			kept--;
		sorted[kept++] = *order[i];
	}
	*ret = (struct cedar_value){ .kind = CEDAR_RECORD };
	ret->record.entries = sorted;
	ret->record.len = kept;
	return 0;
}

const struct cedar_value *cedar_value_record(struct arena *a,
					     const struct cedar_record_entry *entries, size_t n)
{
	struct cedar_value v;

	return value_make_record(a, entries, n, &v) < 0 ? NULL : copy_value(a, v);
}

const struct cedar_value *value_find(const struct cedar_value *record, struct span key)
{
	size_t low = 0;
	size_t high = record->record.len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct cedar_record_entry *entry = &record->record.entries[middle];
		int c = span_cmp(key, entry->key);

		if (c == 0)
			return entry->value;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool value_set_contains(const struct cedar_value *set, const struct cedar_value *item)
{
	size_t low = 0;
	size_t high = set->set.len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = value_cmp(item, set->set.items[middle]);

		if (c == 0)
			return true;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool value_set_contains_all(const struct cedar_value *a, const struct cedar_value *b)
{
	for (size_t i = 0; i < b->set.len; i++)
		if (!value_set_contains(a, b->set.items[i]))
			return false;
	return true;
}

bool value_set_contains_any(const struct cedar_value *a, const struct cedar_value *b)
{
	for (size_t i = 0; i < b->set.len; i++)
		if (value_set_contains(a, b->set.items[i]))
			return true;
	return false;
}

bool value_has_unknown(const struct cedar_value *v)
{
	if (v->kind == CEDAR_UNKNOWN)
		return true;
	for (size_t i = 0; v->kind == CEDAR_RECORD && i < v->record.len; i++)
		if (value_has_unknown(v->record.entries[i].value))
			return true;
	for (size_t i = 0; v->kind == CEDAR_SET && i < v->set.len; i++)
		if (value_has_unknown(v->set.items[i]))
			return true;
	return false;
}
