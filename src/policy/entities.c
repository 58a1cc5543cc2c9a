#include "policy/entities.h"

#include "base/path.h"
#include "policy/names.h"

const struct span TYPE_AGENT = SPAN("Agent");
const struct span TYPE_ACTION = SPAN("Action");
const struct span TYPE_FILE = SPAN("File");
const struct span TYPE_DIR = SPAN("Dir");
const struct span TYPE_HOST = SPAN("Host");
const struct span TYPE_DNS_ZONE = SPAN("DnsZone");
const struct span TYPE_IP_RANGE = SPAN("IpRange");
const struct span TYPE_MCP_SERVER = SPAN("MCP::Server");
const struct span TYPE_MCP_TOOL = SPAN("MCP::Tool");

static bool is_resource(const struct entity_graph *g, struct cedar_entity_uid uid)
{
	return uid.id.p == g->resource.id.p || cedar_uid_eq(uid, g->resource);
}

static bool file_is_in(struct entity_graph *g, struct cedar_entity_uid child, struct span dir)
{
	if (child.id.len == 0 || child.id.p[0] != '/')
		return false;
	if (path_is_below(child.id, dir))
		return true;
	if (!span_eq(child.type, TYPE_FILE) || !is_resource(g, child) ||
	    !path_is_within(child.id, dir))
		return false;
	if (!g->is_directory)
		g->asked_own_dir = true;
	return g->is_directory;
}

static bool named_host_is_in(const struct host_id *child, const struct policy_address *resolved,
			     struct cedar_entity_uid parent)
{
	struct host_id parent_host;
	struct ip_range range;

	if (span_eq(parent.type, TYPE_HOST))
		return host_id_parse(parent.id, &parent_host) &&
		       host_is_in(child, resolved, &parent_host);
	if (span_eq(parent.type, TYPE_DNS_ZONE))
		return host_in_zone(child, parent.id);
	if (!span_eq(parent.type, TYPE_IP_RANGE) || !ip_range_parse(parent.id, &range))
		return false;
	return (child->has_address && ip_range_holds(&range, &child->address)) ||
	       (resolved && ip_range_holds(&range, resolved));
}

/* id is the host that was asked about: the resource's, or that of its MCP server. */
static bool asked_host_is_in(struct entity_graph *g, struct span id, struct cedar_entity_uid parent)
{
	if (!g->has_resource_host && !host_id_parse(id, &g->resource_host))
		return false;
	g->has_resource_host = true;
	return named_host_is_in(&g->resource_host, g->has_address ? &g->address : NULL, parent);
}

static bool host_entity_is_in(struct entity_graph *g, struct cedar_entity_uid child,
			      struct cedar_entity_uid parent)
{
	struct host_id host;

	if (is_resource(g, child))
		return asked_host_is_in(g, child.id, parent);
	return host_id_parse(child.id, &host) && named_host_is_in(&host, NULL, parent);
}

static bool zone_is_in(struct span zone, struct cedar_entity_uid parent)
{
	const struct host_id child = { .name = zone };

	return span_eq(parent.type, TYPE_DNS_ZONE) && host_in_zone(&child, parent.id);
}

static bool range_is_in(struct span id, struct cedar_entity_uid parent)
{
	struct ip_range inner, outer;

	return span_eq(parent.type, TYPE_IP_RANGE) && ip_range_parse(id, &inner) &&
	       ip_range_parse(parent.id, &outer) && inner.prefix >= outer.prefix &&
	       ip_range_holds(&outer, &inner.address);
}

/* A tool is in its server, and both are in the server's host and what that is in. */
static bool mcp_is_in(struct entity_graph *g, struct cedar_entity_uid child,
		      struct cedar_entity_uid parent)
{
	if (!is_resource(g, child) &&
	    !(span_eq(child.type, TYPE_MCP_SERVER) && span_eq(child.id, g->server)))
		return false;
	if (span_eq(parent.type, TYPE_MCP_SERVER))
		return span_eq(child.type, TYPE_MCP_TOOL) && span_eq(parent.id, g->server);
	if (g->host.len == 0)
		return false;
	return (span_eq(parent.type, TYPE_HOST) && span_eq(parent.id, g->host)) ||
	       asked_host_is_in(g, g->host, parent);
}

static bool graph_is_in(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent)
{
	struct entity_graph *g = ctx;

	if (span_eq(child.type, TYPE_ACTION))
		return span_eq(parent.type, TYPE_ACTION) &&
		       action_is_below(action_index(child.id), action_index(parent.id));
	if (span_eq(child.type, TYPE_FILE) || span_eq(child.type, TYPE_DIR))
		return span_eq(parent.type, TYPE_DIR) && file_is_in(g, child, parent.id);
	if (span_eq(child.type, TYPE_HOST))
		return host_entity_is_in(g, child, parent);
	if (span_eq(child.type, TYPE_DNS_ZONE))
		return zone_is_in(child.id, parent);
	if (span_eq(child.type, TYPE_IP_RANGE))
		return range_is_in(child.id, parent);
	if (span_eq(child.type, TYPE_MCP_TOOL) || span_eq(child.type, TYPE_MCP_SERVER))
		return mcp_is_in(g, child, parent);
	return false;
}

static const struct cedar_value *host_attributes(struct arena *a, struct span id)
{
	struct cedar_record_entry entries[2] = { { .key = SPAN("name") }, { .key = SPAN("port") } };
	struct host_id h;
	size_t n = 1;

	if (!host_id_parse(id, &h))
		return NULL;
	entries[0].value = cedar_value_string(a, h.name);
	if (h.port) {
		entries[1].value = cedar_value_long(a, h.port);
		n = 2;
	}
	if (!entries[0].value || (n == 2 && !entries[1].value))
		return NULL;
	return cedar_value_record(a, entries, n);
}

static const struct cedar_value *make_attributes(struct entity_graph *g,
						 struct cedar_entity_uid uid)
{
	struct cedar_record_entry path = { .key = SPAN("path") };

	if (span_eq(uid.type, TYPE_HOST))
		return host_attributes(g->arena, uid.id);
	if (!span_eq(uid.type, TYPE_FILE) && !span_eq(uid.type, TYPE_DIR))
		return cedar_value_record(g->arena, NULL, 0);
	path.value = cedar_value_string(g->arena, uid.id);
	return path.value ? cedar_value_record(g->arena, &path, 1) : NULL;
}

static const struct cedar_value *graph_attributes(void *ctx, struct cedar_entity_uid uid)
{
	struct entity_graph *g = ctx;

	if (!is_resource(g, uid))
		return make_attributes(g, uid);
	if (!g->resource_attributes)
		g->resource_attributes = make_attributes(g, uid);
	return g->resource_attributes;
}

static const struct cedar_value *graph_tags(_unused_ void *ctx,
					    _unused_ struct cedar_entity_uid uid)
{
	return NULL;
}

struct cedar_entity_source entity_graph_source(struct entity_graph *graph)
{
	return (struct cedar_entity_source){
		.ctx = graph,
		.is_in = graph_is_in,
		.attributes = graph_attributes,
		.tags = graph_tags,
	};
}
