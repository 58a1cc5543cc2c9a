#include "policy/request.h"

#include <errno.h>

#include "base/clock.h"
#include "base/limits.h"
#include "policy/http.h"
#include "policy/text.h"

static const struct {
	enum context_key key;
	enum policy_fact fact;
} fact_keys[] = {
	{ CONTEXT_EXE, POLICY_FACT_EXE },   { CONTEXT_COMM, POLICY_FACT_COMM },
	{ CONTEXT_CWD, POLICY_FACT_CWD },   { CONTEXT_ANCESTORS, POLICY_FACT_ANCESTORS },
	{ CONTEXT_ARGV, POLICY_FACT_ARGV },
};

int facts_fetch(const struct policy_request *r, uint32_t keys, struct facts *ret)
{
	*ret = (struct facts){ 0 };
	if (keys & CONTEXT_BIT(CONTEXT_ARGS))
		keys |= CONTEXT_BIT(CONTEXT_ARGV);
	if (r->action != POLICY_PROCESS_EXEC)
		keys &= ~CONTEXT_BIT(CONTEXT_ARGV);
	for (size_t i = 0; r->fact && i < ARRAY_SIZE(fact_keys); i++) {
		enum policy_fact fact = fact_keys[i].fact;
		int code;

		if (!(keys & CONTEXT_BIT(fact_keys[i].key)))
			continue;
		code = r->fact(r->fact_ctx, fact, &ret->values[fact]);
		if (code < 0)
			return code;
		ret->is_known[fact] = true;
	}
	return 0;
}

uint32_t keys_unavailable(const struct policy_request *r, uint32_t keys)
{
	uint32_t unavailable = r->fact ? 0 : CONTEXT_PROCESS_BITS;

	if (r->action == POLICY_HTTP_REQUEST && !r->http)
		unavailable |= CONTEXT_HTTP_BITS;
	return keys & unavailable;
}

bool request_is_sound(const struct policy_request *r)
{
	return r->action != POLICY_HTTP_REQUEST || !r->http || http_is_sound(r->http);
}

static bool is_about_files(enum policy_action action)
{
	return action <= POLICY_PROCESS_EXEC;
}

/* Absolute, no empty component, no "." or "..": anything else has more than one name. */
static bool path_is_canonical(struct span path)
{
	size_t at = 1;

	if (path.len == 0 || path.p[0] != '/')
		return span_eq(path, SPAN("memfd:"));
	if (path.len == 1)
		return true;
	while (at <= path.len) {
		const char *slash = memchr(path.p + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.p) : path.len;
		struct span part = { path.p + at, end - at };

		if (part.len == 0 || span_eq(part, SPAN(".")) || span_eq(part, SPAN("..")))
			return false;
		at = end + 1;
	}
	return true;
}

struct span request_resource_type(const struct policy_request *r)
{
	if (is_about_files(r->action))
		return TYPE_FILE;
	return r->action == POLICY_MCP_CALL ? TYPE_MCP_TOOL : TYPE_HOST;
}

static int host_id_of(const struct policy_request *r, struct buf *out)
{
	if (r->action == POLICY_DNS_RESOLVE)
		return host_id_make(r->host, NULL, 0, out);
	return host_id_make(r->host, r->has_address ? &r->address : NULL, r->port, out);
}

int request_resource_id(const struct policy_request *r, struct buf *out)
{
	if (r->action >= POLICY_ACTION_MAX)
		return -EINVAL;
	if (r->action == POLICY_MCP_CALL)
		return r->tool.len ? text_from_bytes(r->tool, out) : -EINVAL;
	if (!is_about_files(r->action))
		return host_id_of(r, out);
	return path_is_canonical(r->path) ? text_from_bytes(r->path, out) : -EINVAL;
}

static int make_resource(struct question *q, const struct policy_request *r, struct arena *arena)
{
	_cleanup_buf_ struct buf id = BUF_INIT(0);
	char *copy;
	int code;

	q->graph.resource.type = request_resource_type(r);
	if (is_about_files(r->action)) {
		if (!path_is_canonical(r->path))
			return -EINVAL;
		return text_in_arena(r->path, arena, &q->graph.resource.id) ? 0 : -ENOMEM;
	}
	code = request_resource_id(r, &id);
	if (code < 0)
		return code;
	copy = arena_dup(arena, buf_span(&id));
	q->graph.resource.id = span_make(copy, id.len);
	return copy ? 0 : -ENOMEM;
}

/* Server and host of a tool call; a server on stdio has no host. */
static int make_mcp(struct question *q, const struct policy_request *r, struct arena *arena)
{
	_cleanup_buf_ struct buf id = BUF_INIT(0);
	char *copy;

	if (!text_in_arena(r->server, arena, &q->graph.server))
		return -ENOMEM;
	if (r->host.len == 0)
		return 0;
	if (host_id_of(r, &id) < 0)
		return -EINVAL;
	copy = arena_dup(arena, buf_span(&id));
	q->graph.host = span_make(copy, id.len);
	return copy ? 0 : -ENOMEM;
}

static const struct cedar_value *text_value(struct arena *arena, struct span bytes)
{
	struct span text;

	return text_in_arena(bytes, arena, &text) ? cedar_value_string(arena, text) : NULL;
}

static const struct cedar_value *list_value(struct arena *arena, struct span list)
{
	size_t n = 0, i = 0;
	const struct cedar_value **items;

	for (size_t at = 0; at < list.len; at++)
		n += list.p[at] == 0;
	n += list.len && list.p[list.len - 1];
	items = arena_alloc_array(arena, n, sizeof(*items));
	if (!items)
		return NULL;
	while (list.len && i < n) {
		const char *end = memchr(list.p, 0, list.len);
		size_t len = end ? (size_t)(end - list.p) : list.len;

		items[i] = text_value(arena, span_make(list.p, len));
		if (!items[i++])
			return NULL;
		list = span_from(list, len + 1);
	}
	return cedar_value_set(arena, items, n);
}

/* The arguments joined by spaces. */
static const struct cedar_value *joined_value(struct arena *arena, struct span list)
{
	char *copy;

	if (list.len && list.p[list.len - 1] == 0)
		list.len--;
	copy = arena_dup(arena, list);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < list.len; i++)
		if (copy[i] == 0)
			copy[i] = ' ';
	return text_value(arena, span_make(copy, list.len));
}

static const struct cedar_value *address_value(struct arena *arena, const struct policy_address *a)
{
	struct cedar_ipaddr ip = { .prefix = a->is_v6 ? 128 : 32, .is_v6 = a->is_v6 };

	memcpy(ip.bytes, a->bytes, a->is_v6 ? 16 : 4);
	return cedar_value_ip(arena, ip);
}

/* False: the request has no such key. *ret NULL: out of memory. */
static bool process_value(enum context_key key, const struct facts *f, struct arena *arena,
			  const struct cedar_value **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(fact_keys); i++) {
		enum policy_fact fact = fact_keys[i].fact;

		if (fact_keys[i].key != key || !f->is_known[fact])
			continue;
		*ret = fact == POLICY_FACT_ANCESTORS || fact == POLICY_FACT_ARGV
			       ? list_value(arena, f->values[fact])
			       : text_value(arena, f->values[fact]);
		return true;
	}
	if (key != CONTEXT_ARGS || !f->is_known[POLICY_FACT_ARGV])
		return false;
	*ret = joined_value(arena, f->values[POLICY_FACT_ARGV]);
	return true;
}

static bool hostname_value(const struct policy_request *r, struct arena *arena,
			   const struct cedar_value **ret)
{
	_cleanup_buf_ struct buf name = BUF_INIT(0);
	char *copy;

	if (r->host.len == 0 || host_name_normalise(r->host, &name) < 0)
		return false;
	copy = arena_dup(arena, buf_span(&name));
	*ret = copy ? cedar_value_string(arena, span_make(copy, name.len)) : NULL;
	return true;
}

static bool network_value(enum context_key key, const struct policy_request *r, struct arena *arena,
			  const struct cedar_value **ret)
{
	bool is_known = !is_about_files(r->action);

	if (!is_known)
		return false;
	if (key == CONTEXT_HOSTNAME)
		return hostname_value(r, arena, ret);
	if (r->action == POLICY_DNS_RESOLVE)
		return false;
	if (key == CONTEXT_IP && r->has_address)
		*ret = address_value(arena, &r->address);
	else if (key == CONTEXT_PORT && r->port)
		*ret = cedar_value_long(arena, r->port);
	else if (key == CONTEXT_PROTOCOL && r->protocol.len)
		*ret = text_value(arena, r->protocol);
	else
		is_known = false;
	return is_known;
}

static bool http_value(enum context_key key, const struct policy_request *r, struct arena *arena,
		       const struct cedar_value **ret)
{
	if (r->action != POLICY_HTTP_REQUEST || !r->http)
		return false;
	if (key == CONTEXT_METHOD)
		*ret = text_value(arena, r->http->method);
	else if (key == CONTEXT_SCHEME)
		*ret = text_value(arena, r->http->scheme);
	else if (key == CONTEXT_PATH)
		*ret = text_value(arena, r->http->path);
	else if (key == CONTEXT_QUERY)
		*ret = text_value(arena, r->http->query);
	else
		*ret = http_headers_value(r->http, arena);
	return true;
}

static bool context_value(enum context_key key, const struct policy_request *r,
			  const struct facts *f, struct arena *arena,
			  const struct cedar_value **ret)
{
	if (CONTEXT_BIT(key) & CONTEXT_PROCESS_BITS)
		return process_value(key, f, arena, ret);
	if (CONTEXT_BIT(key) & CONTEXT_HTTP_BITS)
		return http_value(key, r, arena, ret);
	if (key != CONTEXT_NOW)
		return network_value(key, r, arena, ret);
	*ret = cedar_value_datetime(arena, (int64_t)(clock_real_ns() / NS_PER_MS));
	return true;
}

static int make_context(struct question *q, const struct policy_request *r, uint32_t keys,
			const struct facts *facts, struct arena *arena)
{
	struct cedar_record_entry entries[N_CONTEXT_KEYS];
	size_t n = 0;

	for (enum context_key key = 0; key < N_CONTEXT_KEYS; key++) {
		if (!(keys & CONTEXT_BIT(key)) ||
		    !context_value(key, r, facts, arena, &entries[n].value))
			continue;
		if (!entries[n].value)
			return -ENOMEM;
		entries[n++].key = context_key_name(key);
	}
	q->cedar.context = cedar_value_record(arena, entries, n);
	return q->cedar.context ? 0 : -ENOMEM;
}

int question_set_action(struct question *q, enum policy_action action)
{
	if (action >= POLICY_ACTION_MAX)
		return -EINVAL;
	q->cedar.action.type = TYPE_ACTION;
	q->cedar.action.id = span_of(policy_action_name(action));
	return 0;
}

int question_make(struct question *q, const struct policy *p, const struct policy_request *r,
		  uint32_t keys, const struct facts *facts, struct arena *arena)
{
	int code;

	*q = (struct question){ 0 };
	code = question_set_action(q, r->action);
	if (code >= 0)
		code = make_resource(q, r, arena);
	if (code >= 0 && r->action == POLICY_MCP_CALL)
		code = make_mcp(q, r, arena);
	if (code >= 0)
		code = make_context(q, r, keys, facts, arena);
	if (code < 0)
		return code;
	q->graph.arena = arena;
	q->graph.is_directory = r->is_directory;
	q->graph.has_address = r->has_address && r->action != POLICY_DNS_RESOLVE;
	q->graph.address = r->address;
	q->cedar.principal.type = TYPE_AGENT;
	q->cedar.principal.id = p->agent;
	q->cedar.resource = q->graph.resource;
	q->entities = entity_graph_source(&q->graph);
	q->has_unknowns = r->action == POLICY_DNS_RESOLVE;
	if (q->has_unknowns)
		q->unknown_keys = CONTEXT_BIT(CONTEXT_IP) | CONTEXT_BIT(CONTEXT_PORT) |
				  CONTEXT_BIT(CONTEXT_PROTOCOL) |
				  keys_unavailable(r, CONTEXT_PROCESS_BITS);
	return 0;
}
