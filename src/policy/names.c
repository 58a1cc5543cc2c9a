#include "policy/names.h"

#include <ctype.h>
#include <errno.h>

static const struct {
	const char *name;
	int parent; /* -1 at the root */
} actions[N_ACTIONS] = {
	[POLICY_FILE_OPEN_READ_ONLY] = { "FileOpenReadOnly", ACTION_FILE_OPEN },
	[POLICY_FILE_OPEN_READ_WRITE] = { "FileOpenReadWrite", ACTION_FILE_OPEN },
	[POLICY_FILE_CREATE] = { "FileCreate", POLICY_FILE_OPEN_READ_WRITE },
	[POLICY_FILE_DELETE] = { "FileDelete", POLICY_FILE_OPEN_READ_WRITE },
	[POLICY_FILE_LINK] = { "FileLink", POLICY_FILE_OPEN_READ_WRITE },
	[POLICY_FILE_SET_ATTRIBUTES] = { "FileSetAttributes", POLICY_FILE_OPEN_READ_WRITE },
	[POLICY_PROCESS_EXEC] = { "ProcessExec", -1 },
	[POLICY_NETWORK_LISTEN] = { "NetworkListen", -1 },
	[POLICY_NETWORK_CONNECT] = { "NetworkConnect", -1 },
	[POLICY_DNS_RESOLVE] = { "DnsResolve", POLICY_NETWORK_CONNECT },
	[POLICY_NETWORK_DATAGRAM] = { "NetworkDatagram", POLICY_NETWORK_CONNECT },
	[POLICY_HTTP_REQUEST] = { "HttpRequest", POLICY_NETWORK_CONNECT },
	[POLICY_MCP_CALL] = { "McpCall", POLICY_HTTP_REQUEST },
	[ACTION_FILE_OPEN] = { "FileOpen", -1 },
	[ACTION_HTTP_REWRITE] = { "HttpRewrite", POLICY_HTTP_REQUEST },
};

static const char *const context_keys[N_CONTEXT_KEYS] = {
	[CONTEXT_EXE] = "exe",
	[CONTEXT_COMM] = "comm",
	[CONTEXT_CWD] = "cwd",
	[CONTEXT_ANCESTORS] = "ancestors",
	[CONTEXT_ARGS] = "args",
	[CONTEXT_ARGV] = "argv",
	[CONTEXT_IP] = "ip",
	[CONTEXT_PORT] = "port",
	[CONTEXT_PROTOCOL] = "protocol",
	[CONTEXT_HOSTNAME] = "hostname",
	[CONTEXT_NOW] = "now",
	[CONTEXT_METHOD] = "method",
	[CONTEXT_SCHEME] = "scheme",
	[CONTEXT_PATH] = "path",
	[CONTEXT_QUERY] = "query",
	[CONTEXT_HEADERS] = "headers",
};

static const char *const planned_context_keys[] = {
	"header", "value", "tool", "server", "transport", "arguments",
};

static const char *const entity_types[] = {
	"Agent",   "User",	   "Action",  "File",	      "Dir",	     "Host",
	"DnsZone", "Net::DnsZone", "IpRange", "Net::IpRange", "MCP::Server", "MCP::Tool",
};

static const char *const resource_attributes[] = { "path", "name", "port" };

static int index_in(struct span name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq_str(name, names[i]))
			return (int)i;
	return -EINVAL;
}

int action_index(struct span name)
{
	for (int i = 0; i < N_ACTIONS; i++)
		if (span_eq_str(name, actions[i].name))
			return i;
	return -EINVAL;
}

const char *action_index_name(int index)
{
	return index >= 0 && index < N_ACTIONS ? actions[index].name : "?";
}

bool action_is_below(int child, int parent)
{
	if (child < 0 || child >= N_ACTIONS || parent < 0)
		return false;
	for (int at = actions[child].parent; at >= 0; at = actions[at].parent)
		if (at == parent)
			return true;
	return false;
}

bool action_has_members(int index)
{
	for (int i = 0; i < N_ACTIONS; i++)
		if (actions[i].parent == index)
			return true;
	return false;
}

const char *policy_verdict_name(enum decision verdict)
{
	return verdict == DECISION_ALLOW ? "allow" : "deny";
}

const char *policy_action_name(enum policy_action action)
{
	return action < POLICY_ACTION_MAX ? actions[action].name : "?";
}

int policy_action_from_name(struct span name, enum policy_action *ret)
{
	int i = action_index(name);

	if (i < 0 || i >= POLICY_ACTION_MAX)
		return -EINVAL;
	*ret = (enum policy_action)i;
	return 0;
}

static const char *const mode_names[] = {
	[POLICY_ENFORCE] = "enforce",
	[POLICY_SHADOW] = "shadow",
	[POLICY_RECORD] = "record",
};

const char *policy_mode_name(enum policy_mode mode)
{
	return mode < ARRAY_SIZE(mode_names) ? mode_names[mode] : "?";
}

int policy_mode_from_name(struct span name, enum policy_mode *ret)
{
	int i = index_in(name, mode_names, ARRAY_SIZE(mode_names));

	if (i < 0)
		return i;
	*ret = (enum policy_mode)i;
	return 0;
}

int context_key_index(struct span name)
{
	return index_in(name, context_keys, N_CONTEXT_KEYS);
}

struct span context_key_name(enum context_key key)
{
	return span_of(context_keys[key]);
}

bool context_key_is_planned(struct span name)
{
	return index_in(name, planned_context_keys, ARRAY_SIZE(planned_context_keys)) >= 0;
}

bool context_key_is_of_http(struct span name)
{
	int key = context_key_index(name);

	return key >= 0 && (CONTEXT_BIT(key) & CONTEXT_HTTP_BITS);
}

bool entity_type_is_known(struct span type)
{
	return index_in(type, entity_types, ARRAY_SIZE(entity_types)) >= 0;
}

bool resource_attribute_is_known(struct span name)
{
	return index_in(name, resource_attributes, ARRAY_SIZE(resource_attributes)) >= 0;
}

#define NAME_MAX_COMPARED 32

/* Edit distance without regard to case; names longer than the limit are never near. */
static size_t distance(struct span a, const char *b)
{
	size_t row[NAME_MAX_COMPARED + 1];
	size_t n = strlen(b);

	if (a.len > NAME_MAX_COMPARED || n > NAME_MAX_COMPARED)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			bool same = tolower((unsigned char)a.p[i - 1]) ==
				    tolower((unsigned char)b[j - 1]);
			size_t best = MIN(diagonal + !same, MIN(row[j], row[j - 1]) + 1);

			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

static void consider(struct span name, const char *candidate, const char **best,
		     size_t *best_distance)
{
	/* A name cut short is nearer than any misspelling. */
	bool is_cut = name.len >= 3 && span_starts_with(span_of(candidate), name);
	size_t d = is_cut ? 0 : distance(name, candidate);

	if (d < *best_distance) {
		*best = candidate;
		*best_distance = d;
	}
}

/* What is further away than half of its letters is no misspelling. */
static size_t limit_of(struct span name)
{
	return name.len / 2 + 1;
}

static const char *nearest(struct span name, const char *const *names, size_t n)
{
	size_t best_distance = limit_of(name);
	const char *best = NULL;

	for (size_t i = 0; i < n; i++)
		consider(name, names[i], &best, &best_distance);
	return best;
}

const char *nearest_action(struct span name)
{
	size_t best_distance = limit_of(name);
	const char *best = NULL;

	for (int i = 0; i < N_ACTIONS; i++)
		consider(name, actions[i].name, &best, &best_distance);
	return best;
}

const char *nearest_context_key(struct span name)
{
	return nearest(name, context_keys, N_CONTEXT_KEYS);
}

const char *nearest_entity_type(struct span name)
{
	return nearest(name, entity_types, ARRAY_SIZE(entity_types));
}

const char *nearest_resource_attribute(struct span name)
{
	return nearest(name, resource_attributes, ARRAY_SIZE(resource_attributes));
}
