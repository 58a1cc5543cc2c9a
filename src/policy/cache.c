#include "policy/cache.h"

#include "base/alloc.h"

/* What has more arguments than this is decided each time: memory stays bounded by count alone. */
#define CACHE_KEY_MAX ((size_t)8192)

/* The fixed part of a key; the variable parts follow, each told apart by its length here. */
struct key_head {
	uint8_t action, flags;
	uint16_t port;
	uint32_t path_len, host_len, protocol_len, server_len, tool_len;
	uint32_t fact_len[POLICY_FACT_MAX]; /* 1 + length where known */
	unsigned char address[16];
};

static uint32_t key_len(struct span s)
{
	return (uint32_t)s.len;
}

static void make_key(struct buf *key, const struct policy_request *r, const struct facts *facts)
{
	struct key_head head = {
		.action = (uint8_t)r->action,
		.flags = (uint8_t)(r->is_directory | r->also_reads << 1 | r->has_address << 2 |
				   (r->address.is_v6 && r->has_address) << 3 | !r->fact << 4),
		.port = r->port,
		.path_len = key_len(r->path),
		.host_len = key_len(r->host),
		.protocol_len = key_len(r->protocol),
		.server_len = key_len(r->server),
		.tool_len = key_len(r->tool),
	};

	for (size_t i = 0; i < POLICY_FACT_MAX; i++)
		if (facts->is_known[i])
			head.fact_len[i] = 1 + key_len(facts->values[i]);
	if (r->has_address)
		memcpy(head.address, r->address.bytes, r->address.is_v6 ? 16 : 4);
	buf_reset(key);
	(void)buf_append(key, &head, sizeof(head));
	(void)buf_append_span(key, r->path);
	(void)buf_append_span(key, r->host);
	(void)buf_append_span(key, r->protocol);
	(void)buf_append_span(key, r->server);
	(void)buf_append_span(key, r->tool);
	for (size_t i = 0; i < POLICY_FACT_MAX; i++)
		if (facts->is_known[i])
			(void)buf_append_span(key, facts->values[i]);
}

bool cache_get(struct decision_cache *c, const struct policy_request *r, const struct facts *facts,
	       struct policy_decision *ret)
{
	const struct policy_decision *found;

	if (c->max == 0)
		return false;
	make_key(&c->key, r, facts);
	found = map_get(&c->map, buf_span(&c->key));
	if (found)
		*ret = *found;
	return found;
}

void cache_put(struct decision_cache *c, const struct policy_decision *d)
{
	struct policy_decision *copy;

	if (c->max == 0 || c->key.len > CACHE_KEY_MAX)
		return;
	if (c->map.len >= c->max)
		cache_clear(c);
	copy = xnew(struct policy_decision);
	*copy = *d;
	xfree(map_put(&c->map, buf_span(&c->key), copy));
}

void cache_clear(struct decision_cache *c)
{
	map_done(&c->map, xfree);
}

void cache_done(struct decision_cache *c)
{
	cache_clear(c);
	buf_done(&c->key);
}
