/*
 * The entity graph of one request: which entity is in which follows from the
 * ids themselves (paths, host names, addresses, the action tree); nothing is
 * stored. Ids must be in the normal form that loading and asking give them.
 */
#pragma once

#include "base/arena.h"
#include "cedar/cedar.h"
#include "policy/host.h"

struct entity_graph {
	struct arena *arena; /* attributes are made here */
	struct cedar_entity_uid resource;
	bool is_directory;  /* of a File resource, as in struct policy_request */
	bool asked_own_dir; /* set when an answer hung on is_directory being false */
	bool has_address;   /* what the resource's name resolved to */
	struct policy_address address;
	struct span server, host; /* of an MCP::Tool resource: its MCP::Server and Host id */

	/* Worked out once, on first use. */
	const struct cedar_value *resource_attributes;
	struct host_id resource_host;
	bool has_resource_host;
};

/* graph must outlive the source. */
struct cedar_entity_source entity_graph_source(struct entity_graph *graph);

extern const struct span TYPE_AGENT, TYPE_ACTION, TYPE_FILE, TYPE_DIR, TYPE_HOST, TYPE_DNS_ZONE,
	TYPE_IP_RANGE, TYPE_MCP_SERVER, TYPE_MCP_TOOL;
