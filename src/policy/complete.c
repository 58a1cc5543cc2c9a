#include "policy/complete.h"

#include <errno.h>
#include <stdlib.h>

#include "base/path.h"
#include "base/vec.h"
#include "cedar/lexer.h"
#include "policy/names.h"
#include "policy/text.h"

/* Candidates that are looked at: of what was seen there may be much. */
#define MAX_CANDIDATES 5000

/* Where in a policy the cursor stands. */
enum place {
	PLACE_NOWHERE,
	PLACE_START,	      /* of a policy, perhaps behind annotations */
	PLACE_ANNOTATION,     /* behind @ */
	PLACE_OPEN,	      /* behind permit or forbid */
	PLACE_SCOPE,	      /* between the parentheses */
	PLACE_AFTER_SCOPE,    /* when, unless, ; */
	PLACE_CONDITION_OPEN, /* behind when and unless */
	PLACE_EXPRESSION,
};

/* What the policy is about, as far as its scope says. */
enum topic {
	TOPIC_FILES = 1,
	TOPIC_NETWORK = 2,
	TOPIC_HTTP = 4,
	TOPIC_MCP = 8,
	TOPIC_EXEC = 16,
	TOPIC_ALL = 31,
};

struct completing {
	struct span text;
	VEC(struct token) tokens; /* of this policy, before the one that is being typed */
	struct token typed;	  /* TOKEN_END: none is */
	size_t cursor;
	struct span prefix; /* of it, up to the cursor, without quote */
	bool is_string;	    /* a string is being typed */
	const struct completion_seen *seen;
	struct arena *arena;
	VEC(struct completion) found;
	struct completions *ret;
	unsigned topics;
	bool is_full;
};

static const char *const kind_names[] = {
	[COMPLETION_KEYWORD] = "keyword",
	[COMPLETION_ACTION] = "action",
	[COMPLETION_TYPE] = "entityType",
	[COMPLETION_RESOURCE] = "resource",
	[COMPLETION_CONTEXT] = "conditionKey",
	[COMPLETION_FUNCTION] = "function",
	[COMPLETION_ANNOTATION] = "annotation",
	[COMPLETION_SNIPPET] = "snippet",
	[COMPLETION_TOOL] = "tool",
	[COMPLETION_SERVER] = "server",
};

const char *completion_kind_name(enum completion_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : "keyword";
}

/* ---- Candidates ----------------------------------------------------------------------- */

static bool is_equal_nocase(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

/* 0: it begins so; 1: a part of it does; 2: it is somewhere inside; -1: it is not. */
static int match(struct span label, struct span prefix)
{
	int best = -1;

	if (prefix.len == 0)
		return 0;
	for (size_t i = 0; i + prefix.len <= label.len; i++) {
		if (!is_equal_nocase(label.p + i, prefix.p, prefix.len))
			continue;
		if (i == 0)
			return 0;
		if (strchr("\":/.", label.p[i - 1]))
			return 1;
		best = 2;
	}
	return best;
}

static void offer(struct completing *c, enum completion_kind kind, struct span label,
		  struct span insert, const char *detail, int priority)
{
	int how = match(label, c->prefix);
	bool is_snippet;

	if (how < 0 || c->found.len >= MAX_CANDIDATES)
		return;
	/* Ids are not snippets, whatever is in them. */
	is_snippet = kind != COMPLETION_RESOURCE && kind != COMPLETION_TOOL &&
		     kind != COMPLETION_SERVER && memmem(insert.p, insert.len, "${1:", 4);
	vec_push(&c->found, ((struct completion){ .kind = kind,
						  .label = label,
						  .insert = insert,
						  .is_snippet = is_snippet,
						  .detail = detail,
						  .rank = priority * 10 + how }));
}

static void offer_word(struct completing *c, enum completion_kind kind, const char *word,
		       const char *detail, int priority)
{
	offer(c, kind, span_of(word), span_of(word), detail, priority);
}

/* A copy of what is in the buffer; empty when there is no room. */
static struct span keep(struct completing *c, const struct buf *b)
{
	char *copy = b->failed ? NULL : arena_dup(c->arena, buf_span(b));

	c->is_full |= !copy;
	return span_make(copy, copy ? b->len : 0);
}

/* TYPE::"ID", or where the string is being typed only what is between its quotes. */
static void offer_entity(struct completing *c, enum completion_kind kind, const char *type,
			 struct span id, const char *detail, int priority)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);
	struct span text;

	if (type && !c->is_string)
		(void)buf_printf(&b, "%s::", type);
	(void)text_append_literal(id, &b);
	text = keep(c, &b);
	if (c->is_string && text.len >= 2)
		text = span_make(text.p + 1, text.len - 2);
	if (text.len)
		offer(c, kind, text, text, detail, priority);
}

/* ---- What goes where -------------------------------------------------------------------- */

static struct span token_text(const struct completing *c, struct token t)
{
	return span_make(c->text.p + t.range.begin, t.range.end - t.range.begin);
}

/* n 0: the last one. */
static struct token back(const struct completing *c, size_t n)
{
	static const struct token none = { .kind = TOKEN_END };

	return n < c->tokens.len ? c->tokens.items[c->tokens.len - 1 - n] : none;
}

static bool back_is(const struct completing *c, size_t n, const char *word)
{
	struct token t = back(c, n);

	return t.kind == TOKEN_IDENT && span_eq_str(token_text(c, t), word);
}

static unsigned topic_of(int action)
{
	if (action == ACTION_FILE_OPEN || action_is_below(action, ACTION_FILE_OPEN))
		return TOPIC_FILES;
	if (action == POLICY_PROCESS_EXEC)
		return TOPIC_FILES | TOPIC_EXEC;
	if (action == POLICY_MCP_CALL)
		return TOPIC_MCP | TOPIC_NETWORK | TOPIC_HTTP;
	if (action == POLICY_HTTP_REQUEST || action == ACTION_HTTP_REWRITE)
		return TOPIC_NETWORK | TOPIC_HTTP;
	return TOPIC_NETWORK;
}

/* From the actions that the scope names. */
static unsigned find_topics(const struct completing *c)
{
	unsigned topics = 0;

	for (size_t i = 0; i + 2 < c->tokens.len; i++) {
		const struct token *t = &c->tokens.items[i];
		struct span id;
		int action;

		if (t[0].kind != TOKEN_IDENT || !span_eq_str(token_text(c, t[0]), "Action") ||
		    t[1].kind != TOKEN_PATH || t[2].kind != TOKEN_STRING)
			continue;
		id = token_text(c, t[2]);
		action = action_index(span_make(id.p + 1, id.len - 2));
		if (action >= 0)
			topics |= topic_of(action);
	}
	return topics ? topics : TOPIC_ALL;
}

static void offer_actions(struct completing *c, bool want_groups)
{
	static const char *const details[N_ACTIONS] = {
		[ACTION_FILE_OPEN] = "every way of opening a file",
		[POLICY_FILE_OPEN_READ_ONLY] = "opening for reading, and listing",
		[POLICY_FILE_OPEN_READ_WRITE] = "opening for writing, and all that changes files",
		[POLICY_FILE_CREATE] = "a new file, directory or name",
		[POLICY_FILE_DELETE] = "removing a file, or its old name in a move",
		[POLICY_FILE_LINK] = "a second name for a file",
		[POLICY_FILE_SET_ATTRIBUTES] = "chmod, chown, times, extended attributes",
		[POLICY_PROCESS_EXEC] = "running a program",
		[POLICY_NETWORK_LISTEN] = "listening on an address other than loopback",
		[POLICY_NETWORK_CONNECT] = "connecting, and all below it",
		[POLICY_DNS_RESOLVE] = "looking up a name",
		[POLICY_NETWORK_DATAGRAM] = "sending UDP",
		[POLICY_HTTP_REQUEST] = "a request of HTTP",
		[POLICY_MCP_CALL] = "calling a tool of an MCP server",
		[ACTION_HTTP_REWRITE] = "setting a header of requests",
	};

	for (int i = 0; i < N_ACTIONS; i++) {
		int at = i == 0 ? ACTION_FILE_OPEN : i <= ACTION_FILE_OPEN ? i - 1 : i;

		/* With == a group is read as `in`, which is said of it: better begin right. */
		if (want_groups || !action_has_members(at))
			offer_entity(c, COMPLETION_ACTION, "Action", span_of(action_index_name(at)),
				     details[at], 1);
	}
}

static bool is_type(const char *wanted, const char *type)
{
	return !wanted || strcmp(wanted, type) == 0;
}

/* wanted: of one type only; NULL: of all that the policy may be about. */
static void offer_resources(struct completing *c, const char *wanted, bool want_groups)
{
	const struct completion_seen *s = c->seen;

	if (c->topics & TOPIC_FILES) {
		for (size_t i = 0; is_type(wanted, "File") && i < s->n_paths; i++)
			offer_entity(c, COMPLETION_RESOURCE, "File", s->paths[i], "seen", 3);
		for (size_t i = 0; is_type(wanted, "File") && i < s->n_programs; i++)
			offer_entity(c, COMPLETION_RESOURCE, "File", s->programs[i],
				     "a program, seen", 3);
		for (size_t i = 0; want_groups && is_type(wanted, "Dir") && i < s->n_paths; i++)
			offer_entity(c, COMPLETION_RESOURCE, "Dir", path_directory(s->paths[i]),
				     "seen", 2);
		if (want_groups && is_type(wanted, "Dir")) {
			offer_entity(c, COMPLETION_RESOURCE, "Dir", SPAN("${WORKSPACE}/"),
				     "the workspace", 1);
			offer_entity(c, COMPLETION_RESOURCE, "Dir", SPAN("~/"),
				     "the home directory", 4);
		}
	}
	if (c->topics & TOPIC_NETWORK) {
		for (size_t i = 0; is_type(wanted, "Host") && i < s->n_hosts; i++)
			offer_entity(c, COMPLETION_RESOURCE, "Host", s->hosts[i], "seen", 2);
		if (want_groups && is_type(wanted, "Host"))
			offer_entity(c, COMPLETION_RESOURCE, "Host", SPAN("*"), "any host", 4);
	}
	if (c->topics & TOPIC_MCP) {
		for (size_t i = 0;
		     want_groups && is_type(wanted, "MCP::Server") && i < s->n_servers; i++)
			offer_entity(c, COMPLETION_SERVER, "MCP::Server", s->servers[i], "seen", 2);
		for (size_t i = 0; is_type(wanted, "MCP::Tool") && i < s->n_tools; i++)
			offer_entity(c, COMPLETION_TOOL, "MCP::Tool", s->tools[i], "seen", 2);
	}
}

static const struct {
	const char *type;
	unsigned topics;
	bool is_group; /* only things in it are asked about */
	const char *detail;
} types[] = {
	{ "File", TOPIC_FILES, false, "a file or directory, by its path" },
	{ "Dir", TOPIC_FILES, true, "a directory with all below it" },
	{ "Host", TOPIC_NETWORK, false, "a name or address, with or without port" },
	{ "DnsZone", TOPIC_NETWORK, true, "a name with all names below it" },
	{ "IpRange", TOPIC_NETWORK, true, "a network, as 10.0.0.0/8" },
	{ "MCP::Server", TOPIC_MCP, true, "a server of tools" },
	{ "MCP::Tool", TOPIC_MCP, false, "a tool" },
};

/* As literals with a place for the id, or behind `is` as names. */
static void offer_types(struct completing *c, bool want_names, bool want_groups)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(0);
		_cleanup_buf_ struct buf label = BUF_INIT(0);

		if (!(c->topics & types[i].topics) || (types[i].is_group && !want_groups))
			continue;
		if (want_names) {
			if (!types[i].is_group)
				offer_word(c, COMPLETION_TYPE, types[i].type, types[i].detail, 2);
			continue;
		}
		(void)buf_printf(&label, "%s::\"\"", types[i].type);
		(void)buf_printf(&b, "%s::\"${1:id}\"", types[i].type);
		offer(c, COMPLETION_TYPE, keep(c, &label), keep(c, &b), types[i].detail, 5);
	}
}

static void offer_principals(struct completing *c)
{
	if (c->seen->agent.len)
		offer_entity(c, COMPLETION_RESOURCE, "Agent", c->seen->agent,
			     "this session's agent", 1);
}

static const struct {
	const char *key;
	unsigned topics;
	const char *type; /* "String", "Set", "ipaddr", "Long", "datetime", "record" */
	bool is_optional;
	const char *detail;
} keys[] = {
	{ "exe", TOPIC_ALL, "String", false, "path of the program that asks" },
	{ "comm", TOPIC_ALL, "String", false, "its name for itself" },
	{ "cwd", TOPIC_ALL, "String", false, "its working directory" },
	{ "ancestors", TOPIC_ALL, "Set", false, "programs above it, up to the agent" },
	{ "now", TOPIC_ALL, "datetime", false, "the time" },
	{ "args", TOPIC_EXEC, "String", false, "the arguments, joined by blanks" },
	{ "argv", TOPIC_EXEC, "Set", false, "the arguments" },
	{ "ip", TOPIC_NETWORK, "ipaddr", false, "the address" },
	{ "port", TOPIC_NETWORK, "Long", false, "the port" },
	{ "protocol", TOPIC_NETWORK, "String", false, "tcp or udp" },
	{ "hostname", TOPIC_NETWORK, "String", true, "the name, where one is known" },
	{ "method", TOPIC_HTTP, "String", false, "GET, POST, ..." },
	{ "scheme", TOPIC_HTTP, "String", false, "http or https" },
	{ "path", TOPIC_HTTP, "String", false, "the path of the URL" },
	{ "query", TOPIC_HTTP, "String", false, "the query of the URL" },
	{ "headers", TOPIC_HTTP, "record", false, "the request's headers by lower-case name" },
};

static void offer_keys(struct completing *c, bool want_optional)
{
	unsigned topics = c->topics;

	/* A request that is not about a program has no arguments. */
	if (topics == TOPIC_ALL)
		topics = TOPIC_FILES;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].topics & topics && (!want_optional || keys[i].is_optional))
			offer_word(c, COMPLETION_CONTEXT, keys[i].key, keys[i].detail, 1);
}

static void offer_attributes(struct completing *c)
{
	if (c->topics & TOPIC_FILES)
		offer_word(c, COMPLETION_CONTEXT, "path", "the file's path", 1);
	if (c->topics & TOPIC_NETWORK)
		offer_word(c, COMPLETION_CONTEXT, "name", "the host's name or address", 1);
}

static const char *type_of_key(struct span key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (span_eq_str(key, keys[i].key))
			return keys[i].type;
	return NULL;
}

static void offer_snippets(struct completing *c, const char *const (*list)[3], size_t n,
			   int priority)
{
	for (size_t i = 0; i < n; i++)
		offer(c, COMPLETION_SNIPPET, span_of(list[i][0]), span_of(list[i][1]), list[i][2],
		      priority);
}

static void offer_methods(struct completing *c, const char *type)
{
	static const char *const sets[][3] = {
		{ "contains", "contains(\"${1:value}\")", "is it among them?" },
		{ "containsAny", "containsAny([\"${1:value}\"])", "is any of these among them?" },
		{ "containsAll", "containsAll([\"${1:value}\"])", "are all of these among them?" },
	};
	static const char *const addresses[][3] = {
		{ "isInRange", "isInRange(ip(\"${1:10.0.0.0/8}\"))", "is it in the network?" },
		{ "isLoopback", "isLoopback()", "is it this machine itself?" },
		{ "isMulticast", "isMulticast()", "is it for a group?" },
		{ "isIpv4", "isIpv4()", "is it IPv4?" },
		{ "isIpv6", "isIpv6()", "is it IPv6?" },
	};

	if (type && strcmp(type, "Set") == 0)
		offer_snippets(c, sets, ARRAY_SIZE(sets), 1);
	if (type && strcmp(type, "ipaddr") == 0)
		offer_snippets(c, addresses, ARRAY_SIZE(addresses), 1);
}

/* ---- Places ----------------------------------------------------------------------------- */

static void at_start(struct completing *c, bool has_annotation)
{
	static const char *const skeletons[][3] = {
		{ "permit a directory",
		  "permit (principal, action in Action::\"${1:FileOpen}\", resource in "
		  "Dir::\"${2:~/project/}\");",
		  "a policy about files" },
		{ "forbid a file",
		  "forbid (principal, action in Action::\"FileOpen\", resource == "
		  "File::\"${1:~/secret}\");",
		  "a policy about one file" },
		{ "permit a host",
		  "permit (principal, action in Action::\"NetworkConnect\", resource == "
		  "Host::\"${1:example.com:443}\");",
		  "a policy about the network" },
	};

	offer_word(c, COMPLETION_KEYWORD, "permit", "what matches is allowed", 1);
	offer_word(c, COMPLETION_KEYWORD, "forbid", "what matches is denied, whatever permits it",
		   1);
	offer(c, COMPLETION_ANNOTATION, SPAN("@id"), SPAN("@id(\"${1:name}\")"),
	      "a name for the policy", 3);
	if (!has_annotation)
		offer_snippets(c, skeletons, ARRAY_SIZE(skeletons), 2);
}

static void at_annotation(struct completing *c)
{
	offer(c, COMPLETION_ANNOTATION, SPAN("id"), SPAN("id(\"${1:name}\")"),
	      "a name for the policy", 1);
	offer(c, COMPLETION_ANNOTATION, SPAN("tls"), SPAN("tls(\"passthrough\")"),
	      "of a permit: leave TLS to such hosts alone", 2);
}

/* TYPE:: before the cursor: the type, or NULL. */
static const char *type_before(const struct completing *c)
{
	static const char *const plain[] = { "Action",	"File",	   "Dir",  "Host",
					     "DnsZone", "IpRange", "Agent" };

	if (back(c, 0).kind != TOKEN_PATH)
		return NULL;
	if (back(c, 2).kind == TOKEN_PATH && back_is(c, 3, "MCP"))
		return back_is(c, 1, "Server") ? "MCP::Server"
		       : back_is(c, 1, "Tool") ? "MCP::Tool"
					       : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (back_is(c, 1, plain[i]))
			return plain[i];
	return NULL;
}

static void offer_ids(struct completing *c, const char *type)
{
	bool after_equals = false, is_string = c->is_string;
	size_t from = c->found.len;

	for (size_t i = 1; i < 5; i++)
		after_equals |= back(c, i).kind == TOKEN_EQ;
	c->is_string = true;
	if (strcmp(type, "Action") == 0)
		offer_actions(c, !after_equals);
	else if (strcmp(type, "Agent") == 0)
		offer_principals(c);
	else
		offer_resources(c, type, /* want_groups = */ true);
	c->is_string = is_string;
	/* The quotes belong to it, where there are none yet. */
	for (size_t i = from; !is_string && i < c->found.len; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(0);

		(void)buf_printf(&b, "\"%.*s\"", SPAN_ARG(c->found.items[i].insert));
		c->found.items[i].insert = keep(c, &b);
	}
}

static void offer_relations(struct completing *c, bool want_is)
{
	offer_word(c, COMPLETION_KEYWORD, "==", "is exactly", 1);
	offer_word(c, COMPLETION_KEYWORD, "in", "is that, or in it", 1);
	if (want_is)
		offer_word(c, COMPLETION_KEYWORD, "is", "has the type", 2);
}

/* The tokens since the last comma of the scope: how many, and which of the three. */
static size_t scope_part(const struct completing *c, size_t *ret_n)
{
	size_t part = 0, n = 0, depth = 0;
	bool is_open = false;

	for (size_t i = 0; i < c->tokens.len; i++) {
		enum token_kind kind = c->tokens.items[i].kind;

		if (kind == TOKEN_LPAREN || kind == TOKEN_LBRACKET)
			depth++;
		if ((kind == TOKEN_RPAREN || kind == TOKEN_RBRACKET) && depth)
			depth--;
		n++;
		if (kind == TOKEN_LPAREN && depth == 1) {
			/* An annotation's parenthesis is closed again. */
			part = n = 0;
			is_open = true;
		}
		if (kind == TOKEN_COMMA && depth == 1 && is_open) {
			part++;
			n = 0;
		}
	}
	*ret_n = n;
	return part;
}

static void at_action(struct completing *c, size_t n)
{
	enum token_kind last = back(c, 0).kind;

	if (n == 0)
		offer_word(c, COMPLETION_KEYWORD, "action", NULL, 1);
	else if (n == 1)
		offer_relations(c, /* want_is = */ false);
	else if (last == TOKEN_EQ)
		offer_actions(c, /* want_groups = */ false);
	else if (last == TOKEN_LBRACKET || last == TOKEN_COMMA || back_is(c, 0, "in"))
		offer_actions(c, /* want_groups = */ true);
}

static void at_resource(struct completing *c, size_t n)
{
	bool is_equals = back(c, 0).kind == TOKEN_EQ;

	if (n == 0) {
		offer_word(c, COMPLETION_KEYWORD, "resource", NULL, 1);
	} else if (n == 1) {
		offer_relations(c, /* want_is = */ true);
	} else if (is_equals || back_is(c, 0, "in")) {
		offer_resources(c, NULL, !is_equals);
		offer_types(c, /* want_names = */ false, !is_equals);
	} else if (back_is(c, 0, "is")) {
		offer_types(c, /* want_names = */ true, true);
	}
}

static void at_principal(struct completing *c, size_t n)
{
	if (n == 0)
		offer_word(c, COMPLETION_KEYWORD, "principal", NULL, 1);
	else if (n == 1)
		offer_relations(c, /* want_is = */ true);
	else if (back_is(c, 0, "is"))
		offer_word(c, COMPLETION_TYPE, "Agent", "the program that runs in the session", 1);
	else if (n == 2)
		offer_principals(c);
}

static void at_scope(struct completing *c)
{
	size_t n, part = scope_part(c, &n);
	const char *type = type_before(c);

	if (type) {
		offer_ids(c, type);
		return;
	}
	if (c->is_string)
		return;
	if (part == 0)
		at_principal(c, n);
	else if (part == 1)
		at_action(c, n);
	else if (part == 2)
		at_resource(c, n);
}

static void after_scope(struct completing *c)
{
	static const char *const conditions[][3] = {
		{ "when", "when { ${1:true} }", "it applies only where this holds" },
		{ "unless", "unless { ${1:false} }", "it applies only where this does not hold" },
	};

	if (c->is_string)
		return;
	offer_snippets(c, conditions, ARRAY_SIZE(conditions), 1);
	if (c->prefix.len == 0)
		offer_word(c, COMPLETION_KEYWORD, ";", "the policy's end", 2);
}

/* What a string is compared with: context.KEY before the operator, or resource.KEY. */
static struct span compared_key(const struct completing *c, bool *ret_is_context)
{
	size_t at = 1;

	if (back(c, at).kind != TOKEN_IDENT || back(c, at + 1).kind != TOKEN_DOT)
		return (struct span){ 0 };
	*ret_is_context = back_is(c, at + 2, "context");
	if (!*ret_is_context && !back_is(c, at + 2, "resource"))
		return (struct span){ 0 };
	return token_text(c, back(c, at));
}

static void offer_list(struct completing *c, const struct span *list, size_t n, const char *detail)
{
	for (size_t i = 0; i < n; i++)
		offer_entity(c, COMPLETION_RESOURCE, NULL, list[i], detail, 1);
}

/* Strings that a key may have. */
static void offer_values(struct completing *c, struct span key, bool is_context)
{
	static const struct span methods[] = { SPAN("GET"),   SPAN("POST"),   SPAN("PUT"),
					       SPAN("PATCH"), SPAN("DELETE"), SPAN("HEAD") };
	static const struct span protocols[] = { SPAN("tcp"), SPAN("udp") };
	static const struct span schemes[] = { SPAN("https"), SPAN("http") };
	const struct completion_seen *s = c->seen;

	if (is_context && span_eq_str(key, "exe"))
		offer_list(c, s->programs, s->n_programs, "seen");
	else if (is_context && span_eq_str(key, "hostname"))
		offer_list(c, s->hosts, s->n_hosts, "seen");
	else if (is_context && span_eq_str(key, "method"))
		offer_list(c, methods, ARRAY_SIZE(methods), NULL);
	else if (is_context && span_eq_str(key, "protocol"))
		offer_list(c, protocols, ARRAY_SIZE(protocols), NULL);
	else if (is_context && span_eq_str(key, "scheme"))
		offer_list(c, schemes, ARRAY_SIZE(schemes), NULL);
	else if (!is_context && span_eq_str(key, "path"))
		offer_list(c, s->paths, s->n_paths, "seen");
}

static void offer_operands(struct completing *c)
{
	static const char *const functions[][3] = {
		{ "ip", "ip(\"${1:10.0.0.0/8}\")", "an address or network" },
		{ "datetime", "datetime(\"${1:2026-01-01}\")", "a moment" },
		{ "duration", "duration(\"${1:1h}\")", "a span of time" },
		{ "if", "if ${1:true} then ${2:true} else ${3:false}", "one or the other" },
	};

	offer_word(c, COMPLETION_KEYWORD, "context", "facts about the operation", 1);
	offer_word(c, COMPLETION_KEYWORD, "resource", "what it is done to", 1);
	offer_word(c, COMPLETION_KEYWORD, "action", "what is done", 2);
	offer_word(c, COMPLETION_KEYWORD, "principal", "who does it", 3);
	offer_word(c, COMPLETION_KEYWORD, "true", NULL, 4);
	offer_word(c, COMPLETION_KEYWORD, "false", NULL, 4);
	offer_snippets(c, functions, ARRAY_SIZE(functions), 4);
}

static void after_dot(struct completing *c)
{
	if (back_is(c, 1, "context"))
		offer_keys(c, /* want_optional = */ false);
	else if (back_is(c, 1, "resource"))
		offer_attributes(c);
	else if (back(c, 1).kind == TOKEN_IDENT && back(c, 2).kind == TOKEN_DOT &&
		 back_is(c, 3, "context"))
		offer_methods(c, type_of_key(token_text(c, back(c, 1))));
}

static void after_operator(struct completing *c, enum token_kind last)
{
	bool is_equals = last == TOKEN_EQ || last == TOKEN_NE;
	bool is_context = false;
	struct span key = compared_key(c, &is_context);

	if (key.len && (is_equals || back_is(c, 0, "like"))) {
		offer_values(c, key, is_context);
	} else if (back_is(c, 1, "action")) {
		offer_actions(c, !is_equals);
	} else if (back_is(c, 1, "resource")) {
		offer_resources(c, NULL, !is_equals);
		offer_types(c, /* want_names = */ false, !is_equals);
	} else if (back_is(c, 1, "principal")) {
		offer_principals(c);
	} else if (!back_is(c, 0, "like") && !c->is_string) {
		offer_operands(c);
	}
}

/* A value has just ended: what may follow it. */
static void after_value(struct completing *c)
{
	static const char *const operators[] = {
		"&&", "||", "==", "!=", "in", "like", "has", "is"
	};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		offer_word(c, COMPLETION_KEYWORD, operators[i], NULL, i < 2 ? 1 : 2);
}

static bool ends_value(const struct completing *c)
{
	struct token t = back(c, 0);

	if (t.kind == TOKEN_IDENT)
		return !cedar_is_reserved(token_text(c, t)) || back_is(c, 0, "true") ||
		       back_is(c, 0, "false");
	return t.kind == TOKEN_STRING || t.kind == TOKEN_NUMBER || t.kind == TOKEN_RPAREN ||
	       t.kind == TOKEN_RBRACKET || t.kind == TOKEN_RBRACE;
}

static void in_expression(struct completing *c)
{
	enum token_kind last = back(c, 0).kind;
	const char *type = type_before(c);

	if (type) {
		offer_ids(c, type);
	} else if (last == TOKEN_DOT) {
		if (!c->is_string)
			after_dot(c);
	} else if (back_is(c, 0, "has")) {
		if (back_is(c, 1, "context") && !c->is_string)
			offer_keys(c, /* want_optional = */ true);
	} else if (back_is(c, 0, "is")) {
		if (!c->is_string)
			offer_types(c, /* want_names = */ true, true);
	} else if (last == TOKEN_EQ || last == TOKEN_NE || back_is(c, 0, "in") ||
		   back_is(c, 0, "like")) {
		after_operator(c, last);
	} else if (last == TOKEN_LBRACKET && back_is(c, 1, "in")) {
		if (back_is(c, 2, "action"))
			offer_actions(c, /* want_groups = */ true);
		else if (back_is(c, 2, "resource"))
			offer_resources(c, NULL, /* want_groups = */ true);
	} else if (c->is_string) {
		return;
	} else if (ends_value(c)) {
		after_value(c);
	} else {
		offer_operands(c);
	}
}

/* ---- Where the cursor is ------------------------------------------------------------------ */

static enum place find_place(const struct completing *c)
{
	enum place place = PLACE_START;
	size_t depth = 0;

	for (size_t i = 0; i < c->tokens.len; i++) {
		const struct token *t = &c->tokens.items[i];
		struct span word = t->kind == TOKEN_IDENT ? token_text(c, *t) : (struct span){ 0 };

		switch (place) {
		case PLACE_START:
			if (t->kind == TOKEN_AT)
				place = PLACE_ANNOTATION;
			else if (span_eq_str(word, "permit") || span_eq_str(word, "forbid"))
				place = PLACE_OPEN;
			else
				return PLACE_NOWHERE;
			break;
		case PLACE_ANNOTATION: /* @name("value"), or @name alone */
			if (t->kind == TOKEN_RPAREN)
				place = PLACE_START;
			else if (span_eq_str(word, "permit") || span_eq_str(word, "forbid"))
				place = PLACE_OPEN;
			break;
		case PLACE_OPEN:
			if (t->kind != TOKEN_LPAREN)
				return PLACE_NOWHERE;
			place = PLACE_SCOPE;
			break;
		case PLACE_SCOPE:
			if (t->kind == TOKEN_RPAREN)
				place = PLACE_AFTER_SCOPE;
			break;
		case PLACE_AFTER_SCOPE:
			if (!span_eq_str(word, "when") && !span_eq_str(word, "unless"))
				return PLACE_NOWHERE;
			place = PLACE_CONDITION_OPEN;
			break;
		case PLACE_CONDITION_OPEN:
			if (t->kind != TOKEN_LBRACE)
				return PLACE_NOWHERE;
			place = PLACE_EXPRESSION;
			depth = 1;
			break;
		case PLACE_EXPRESSION:
			depth += t->kind == TOKEN_LBRACE;
			depth -= t->kind == TOKEN_RBRACE;
			if (depth == 0)
				place = PLACE_AFTER_SCOPE;
			break;
		case PLACE_NOWHERE:
			return place;
		}
	}
	return place;
}

static bool is_in_comment(struct span text, size_t from, size_t cursor)
{
	const char *newline = cursor > from ? memrchr(text.p + from, '\n', cursor - from) : NULL;
	size_t begin = newline ? (size_t)(newline - text.p) + 1 : from;

	return cursor > begin && memmem(text.p + begin, cursor - begin, "//", 2);
}

static bool is_string(enum token_kind kind)
{
	return kind == TOKEN_STRING || kind == TOKEN_UNTERMINATED || kind == TOKEN_BAD_STRING;
}

/* Is the cursor in the token, or at the end of a word that may go on? */
static bool is_being_typed(const struct completing *c, struct token t)
{
	if (t.kind == TOKEN_IDENT)
		return t.range.begin < c->cursor && c->cursor <= t.range.end;
	if (!is_string(t.kind) || c->cursor <= t.range.begin)
		return false;
	return c->cursor < t.range.end || (t.kind != TOKEN_STRING && c->cursor == t.range.end);
}

static void begin_typing(struct completing *c, struct token t)
{
	size_t begin = t.range.begin, end = t.range.end;

	c->typed = t;
	c->is_string = is_string(t.kind);
	if (c->is_string) {
		const char *line;

		begin++;
		if (t.kind == TOKEN_STRING)
			end--;
		/* A quote that is missing: the rest of the text is not what was meant. */
		line = memchr(c->text.p + c->cursor, '\n', end - c->cursor);
		if (line || t.kind != TOKEN_STRING)
			end = c->cursor;
	}
	c->prefix = span_make(c->text.p + begin, c->cursor - begin);
	c->ret->begin = begin;
	c->ret->end = end;
}

/* False: the cursor is where nothing can be offered. */
static bool read_tokens(struct completing *c)
{
	struct lexer lx = { .text = c->text };
	size_t last_end = 0;

	for (;;) {
		struct token t = lexer_next(&lx);

		if (t.kind == TOKEN_END || t.range.begin >= c->cursor)
			break;
		if (is_being_typed(c, t)) {
			begin_typing(c, t);
			return true;
		}
		if (t.kind == TOKEN_SEMICOLON)
			c->tokens.len = 0;
		else
			vec_push(&c->tokens, t);
		last_end = t.range.end;
	}
	return !is_in_comment(c->text, MIN(last_end, c->cursor), c->cursor);
}

static void offer_all(struct completing *c)
{
	enum place place = find_place(c);

	c->topics = find_topics(c);
	switch (place) {
	case PLACE_START:
		if (!c->is_string)
			at_start(c, c->tokens.len > 0);
		break;
	case PLACE_ANNOTATION:
		if (back(c, 0).kind == TOKEN_AT && !c->is_string)
			at_annotation(c);
		break;
	case PLACE_OPEN:
		if (!c->is_string && c->prefix.len == 0)
			offer(c, COMPLETION_SNIPPET, SPAN("("),
			      SPAN("(principal, action in Action::\"${1:FileOpen}\", resource)"),
			      "the scope", 1);
		break;
	case PLACE_SCOPE:
		at_scope(c);
		break;
	case PLACE_AFTER_SCOPE:
		after_scope(c);
		break;
	case PLACE_CONDITION_OPEN:
		if (!c->is_string && c->prefix.len == 0)
			offer(c, COMPLETION_SNIPPET, SPAN("{"), SPAN("{ ${1:true} }"),
			      "the condition", 1);
		break;
	case PLACE_EXPRESSION:
		in_expression(c);
		break;
	case PLACE_NOWHERE:
		break;
	}
}

/* ---- The answer ------------------------------------------------------------------------------ */

static int by_rank(const void *a, const void *b)
{
	const struct completion *x = a, *y = b;

	return x->rank != y->rank ? x->rank - y->rank : span_cmp(x->label, y->label);
}

/* Sorted, the best first, each once. */
static int give(struct completing *c, size_t max)
{
	struct completion *items;
	size_t n = 0;

	if (c->found.len)
		qsort(c->found.items, c->found.len, sizeof(*c->found.items), by_rank);
	items = arena_alloc_array(c->arena, MIN(max, c->found.len) + 1, sizeof(*items));
	if (!items || c->is_full)
		return -ENOMEM;
	for (size_t i = 0; i < c->found.len && n < max; i++) {
		bool is_new = true;

		for (size_t k = 0; k < n && is_new; k++)
			is_new = !span_eq(items[k].label, c->found.items[i].label);
		if (is_new)
			items[n++] = c->found.items[i];
	}
	/* The quote that is missing behind what is typed. */
	for (size_t i = 0; i < n && c->is_string && c->typed.kind != TOKEN_STRING; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(0);

		(void)buf_append_span(&b, items[i].insert);
		(void)buf_append_char(&b, '"');
		items[i].insert = keep(c, &b);
	}
	c->ret->items = items;
	c->ret->n = n;
	return c->is_full ? -ENOMEM : 0;
}

int policy_complete(struct span text, size_t offset, const struct completion_seen *seen, size_t max,
		    struct arena *arena, struct completions *ret)
{
	struct completing c = { .text = text,
				.cursor = MIN(offset, text.len),
				.seen = seen,
				.arena = arena,
				.ret = ret,
				.typed = { .kind = TOKEN_END } };
	int r;

	*ret = (struct completions){ .begin = c.cursor, .end = c.cursor };
	if (read_tokens(&c))
		offer_all(&c);
	r = give(&c, max);
	vec_done(&c.tokens);
	vec_done(&c.found);
	return r;
}
