#include "proxy/names.h"

#include <errno.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/vec.h"

#define SYNTHETIC_MAX 131070 /* 198.18.0.1 to 198.19.255.254 */

struct named {
	char *name;
	uint64_t until_ms;
};

struct record {
	TAILQ_ENTRY(record) entry;
	struct policy_address address;
	struct named names[LIMIT_PROXY_NAMES_PER_ADDRESS]; /* most recent first */
	size_t n_names;
};

struct names {
	struct map records;			/* address → struct record */
	TAILQ_HEAD(record_list, record) by_age; /* most recent first */
	struct map synthetic;			/* name → index + 1 */
	VEC(char *) synthetic_names;
};

static const unsigned char synthetic_v6[14] = { 0xfd, 0x6c, 0x65, 0x61, 0x73, 0x68 };

static struct span address_key(const struct policy_address *a)
{
	return span_make(a->bytes, a->is_v6 ? 16 : 4);
}

struct names *names_new(void)
{
	struct names *n = xnew(struct names);

	TAILQ_INIT(&n->by_age);
	return n;
}

static void record_free(struct names *n, struct record *r)
{
	(void)map_remove(&n->records, address_key(&r->address));
	TAILQ_REMOVE(&n->by_age, r, entry);
	for (size_t i = 0; i < r->n_names; i++)
		xfree(r->names[i].name);
	xfree(r);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	while (!TAILQ_EMPTY(&n->by_age))
		record_free(n, TAILQ_FIRST(&n->by_age));
	map_done(&n->records, NULL);
	map_done(&n->synthetic, NULL);
	for (size_t i = 0; i < n->synthetic_names.len; i++)
		xfree(n->synthetic_names.items[i]);
	vec_done(&n->synthetic_names);
	xfree(n);
}

/* The address' record, now the most recent. */
static struct record *touch(struct names *n, const struct policy_address *address)
{
	struct record *r = map_get(&n->records, address_key(address));

	if (r) {
		TAILQ_REMOVE(&n->by_age, r, entry);
	} else {
		if (n->records.len >= LIMIT_PROXY_NAMES)
			record_free(n, TAILQ_LAST(&n->by_age, record_list));
		r = xnew(struct record);
		r->address = *address;
		(void)map_put(&n->records, address_key(address), r);
	}
	TAILQ_INSERT_HEAD(&n->by_age, r, entry);
	return r;
}

void names_record(struct names *n, const struct policy_address *address, const struct name *name,
		  uint32_t ttl_seconds, uint64_t now_ms)
{
	uint64_t seconds =
		MAX(MIN(ttl_seconds, (uint32_t)86400), (uint32_t)LIMIT_PROXY_NAMES_SECONDS);
	struct record *r = touch(n, address);
	struct named named = { NULL, now_ms + seconds * 1000 };
	size_t i = 0;

	while (i < r->n_names && !span_eq(span_of(r->names[i].name), name_span(name)))
		i++;
	if (i < r->n_names) {
		named.name = r->names[i].name;
	} else {
		named.name = xstrdup(name->text);
		if (r->n_names == LIMIT_PROXY_NAMES_PER_ADDRESS)
			xfree(r->names[--i].name);
		else
			r->n_names++;
	}
	memmove(r->names + 1, r->names, i * sizeof(r->names[0]));
	r->names[0] = named;
}

size_t names_of(const struct names *n, const struct policy_address *address, uint64_t now_ms,
		struct name ret[LIMIT_PROXY_NAMES_PER_ADDRESS])
{
	const struct record *r = map_get(&n->records, address_key(address));
	size_t count = 0;

	for (size_t i = 0; r && i < r->n_names; i++)
		if (r->names[i].until_ms > now_ms &&
		    name_parse(span_of(r->names[i].name), &ret[count]) == 0)
			count++;
	return count;
}

static bool has_name(const struct record *r, struct span name, uint64_t now_ms)
{
	for (size_t i = 0; i < r->n_names; i++)
		if (r->names[i].until_ms > now_ms && span_eq(span_of(r->names[i].name), name))
			return true;
	return false;
}

size_t names_others(const struct names *n, const struct name *name,
		    const struct policy_address *than, uint64_t now_ms, struct policy_address *ret,
		    size_t max)
{
	const struct record *r;
	size_t count = 0;

	TAILQ_FOREACH(r, &n->by_age, entry)
	if (count < max && !address_eq(&r->address, than) && has_name(r, name_span(name), now_ms))
		ret[count++] = r->address;
	return count;
}

int names_synthesise(struct names *n, const struct name *name, bool want_v6,
		     struct policy_address *ret)
{
	size_t index = (size_t)(uintptr_t)map_get(&n->synthetic, name_span(name));
	unsigned char bytes[16];

	if (!index) {
		if (n->synthetic_names.len == SYNTHETIC_MAX)
			return -ENOSPC;
		vec_push(&n->synthetic_names, xstrdup(name->text));
		index = n->synthetic_names.len;
		(void)map_put(&n->synthetic, name_span(name), (void *)(uintptr_t)index);
	}
	memcpy(bytes, synthetic_v6, 12);
	bytes[12] = 0;
	bytes[13] = (unsigned char)(index >> 16);
	bytes[14] = (unsigned char)(index >> 8);
	bytes[15] = (unsigned char)index;
	if (want_v6) {
		*ret = address_v6(bytes);
	} else {
		bytes[12] = 198;
		bytes[13] = (unsigned char)(18 + bytes[13]);
		*ret = address_v4(bytes + 12);
	}
	return 0;
}

bool names_is_synthetic(const struct policy_address *address)
{
	if (address->is_v6)
		return memcmp(address->bytes, synthetic_v6, 6) == 0;
	return address->bytes[0] == 198 && (address->bytes[1] & 0xfe) == 18;
}

int names_of_synthetic(const struct names *n, const struct policy_address *address,
		       struct name *ret)
{
	const unsigned char *last = address->bytes + (address->is_v6 ? 13 : 1);
	size_t index;

	if (!names_is_synthetic(address) ||
	    (address->is_v6 && memcmp(address->bytes, synthetic_v6, 13) != 0))
		return -ENOENT;
	index = (size_t)(last[0] - (address->is_v6 ? 0 : 18)) << 16 | (size_t)last[1] << 8 |
		last[2];
	if (index == 0 || index > n->synthetic_names.len)
		return -ENOENT;
	return name_parse(span_of(n->synthetic_names.items[index - 1]), ret);
}
