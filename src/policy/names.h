/*
 * The names leash gives to Cedar: actions and their tree, entity types,
 * context keys and attributes, and the nearest known name for a misspelt one.
 */
#pragma once

#include "policy/policy.h"

/* Actions that appear in the tree but are never asked about. */
enum {
	ACTION_FILE_OPEN = POLICY_ACTION_MAX,
	ACTION_HTTP_REWRITE,
	N_ACTIONS,
};

#define ACTION_BIT(a) (UINT32_C(1) << (a))

/* An index into the tree, or -EINVAL. */
int action_index(struct span name);
const char *action_index_name(int index);
/* Is child a proper descendant of parent in the action tree? */
bool action_is_below(int child, int parent);
bool action_has_members(int index);

enum context_key {
	CONTEXT_EXE,
	CONTEXT_COMM,
	CONTEXT_CWD,
	CONTEXT_ANCESTORS,
	CONTEXT_ARGS,
	CONTEXT_ARGV,
	CONTEXT_IP,
	CONTEXT_PORT,
	CONTEXT_PROTOCOL,
	CONTEXT_HOSTNAME,
	CONTEXT_NOW,
	CONTEXT_METHOD,
	CONTEXT_SCHEME,
	CONTEXT_PATH,
	CONTEXT_QUERY,
	CONTEXT_HEADERS,
	N_CONTEXT_KEYS,
};

#define CONTEXT_BIT(k) (UINT32_C(1) << (k))
#define CONTEXT_ALL_BITS (CONTEXT_BIT(N_CONTEXT_KEYS) - 1)
/* The keys that facts about the asking process fill. */
#define CONTEXT_PROCESS_BITS                                                                       \
	(CONTEXT_BIT(CONTEXT_EXE) | CONTEXT_BIT(CONTEXT_COMM) | CONTEXT_BIT(CONTEXT_CWD) |         \
	 CONTEXT_BIT(CONTEXT_ANCESTORS) | CONTEXT_BIT(CONTEXT_ARGS) | CONTEXT_BIT(CONTEXT_ARGV))

/* The keys that only a request of HTTP fills. */
#define CONTEXT_HTTP_BITS                                                                          \
	(CONTEXT_BIT(CONTEXT_METHOD) | CONTEXT_BIT(CONTEXT_SCHEME) | CONTEXT_BIT(CONTEXT_PATH) |   \
	 CONTEXT_BIT(CONTEXT_QUERY) | CONTEXT_BIT(CONTEXT_HEADERS))

/* A key the request can carry, or -EINVAL. */
int context_key_index(struct span name);
struct span context_key_name(enum context_key key);
/* Is it in the schema but not yet given by any place that asks (details of MCP, headers to be set)?
 */
bool context_key_is_planned(struct span name);
bool context_key_is_of_http(struct span name);

bool entity_type_is_known(struct span type);
bool resource_attribute_is_known(struct span name);

/* The known name that a person most likely meant, or NULL. */
const char *nearest_action(struct span name);
const char *nearest_context_key(struct span name);
const char *nearest_entity_type(struct span name);
const char *nearest_resource_attribute(struct span name);
