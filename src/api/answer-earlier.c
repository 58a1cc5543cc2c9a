#include "api/earlier.h"

#include <stdlib.h>

#include "api/handlers.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/cedar.h"
#include "policy/host.h"
#include "policy/text.h"

/* What the earlier program began with: everything is permitted. */
#define BASELINE                                                                                   \
	"permit (principal, action in [Action::\"FileOpen\", Action::\"FileOpenReadOnly\", "       \
	"Action::\"FileOpenReadWrite\"], resource in Dir::\"/\");\n"                               \
	"permit (principal, action == Action::\"ProcessExec\", resource in Dir::\"/\");\n"         \
	"permit (principal, action == Action::\"NetworkConnect\", resource in Host::\"*\");\n"

/* ---- Rules ---------------------------------------------------------------------------- */

/* What the earlier API called them; others have no name there. */
static const char *operation_name(struct span action)
{
	static const struct {
		const char *action, *operation;
	} names[] = {
		{ "FileOpen", "file.open" },
		{ "FileOpenReadOnly", "file.open:ro" },
		{ "FileOpenReadWrite", "file.open:rw" },
		{ "ProcessExec", "proc.exec" },
		{ "NetworkConnect", "net.connect" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_eq_str(action, names[i].action))
			return names[i].operation;
	return NULL;
}

static bool is_file(struct span type)
{
	return span_eq_str(type, "File") || span_eq_str(type, "Dir");
}

static void json_host(struct json_writer *w, struct span id)
{
	struct host_id h = { 0 };
	struct span name = id;

	if (host_id_parse(id, &h) && h.port)
		name.len = (size_t)((const char *)memrchr(id.p, ':', id.len) - id.p);
	json_key_string(w, "hostname", name);
	if (h.port)
		json_key_uint(w, "port", h.port);
	json_key_bool(w, "isWildcard", h.is_wildcard);
}

static void json_rule(struct json_writer *w, const char *operation, const struct policy_item *item)
{
	const struct cedar_scope *r = item->resource;
	bool has_target = r->n_uids > 0;

	json_begin_object(w);
	json_key_string(w, "action", item->is_forbid ? SPAN("deny") : SPAN("allow"));
	json_key_string(w, "operation", span_of(operation));
	json_key_string(w, "target", has_target ? r->uids[0].id : SPAN("*"));
	if (has_target && is_file(r->uids[0].type))
		json_key_string(w, "path", r->uids[0].id);
	if (has_target && span_eq_str(r->uids[0].type, "Host") && r->uids[0].id.len)
		json_host(w, r->uids[0].id);
	json_key_string(w, "rule", item->text);
	json_end_object(w);
}

static void json_rules_of(struct json_writer *w, const struct policy_item *item)
{
	for (size_t i = 0; i < item->action->n_uids; i++) {
		const char *operation = operation_name(item->action->uids[i].id);

		if (operation)
			json_rule(w, operation, item);
	}
}

/* a and b may be the same. */
static void json_rules(struct json_writer *w, const char *key, const struct policy_source *s,
		       const struct api_layer *a, const struct api_layer *b)
{
	json_key(w, key);
	json_begin_object(w);
	json_key(w, "lsm");
	json_begin_array(w);
	for (size_t i = 0; i < policy_source_len(s); i++) {
		const struct policy_item item = policy_source_at(s, i);

		if (policies_is_in(&item, a) || policies_is_in(&item, b))
			json_rules_of(w, &item);
	}
	json_end_array(w);
	/* What headers are set says their policy; a value is never shown. */
	json_key(w, "http");
	json_begin_array(w);
	json_end_array(w);
	json_end_object(w);
}

void earlier_json(struct api *a, struct json_writer *w)
{
	const struct policy_source *s = a->host.source(a->host.ctx);
	struct api_layers layers;
	const struct api_layer *file = policies_layers(a, &layers);
	const struct api_layer *runtime = &layers.items[layers.session];
	struct api_facts f;

	f = api_describe(a);
	json_rules(w, "active", s, file, runtime);
	json_rules(w, "file", s, file, file);
	json_rules(w, "runtime", s, runtime, runtime);
	json_key_string(w, "cedarRuntime", runtime->text);
	json_key_string(w, "cedarFile", file->text);
	json_key_string(w, "cedarBaseline", SPAN(BASELINE));
	json_key_string(w, "enforcementMode",
			f.mode == POLICY_ENFORCE ? SPAN("enforce") : SPAN("permit-all"));
}

void earlier_answer(struct api_call *c, uint64_t generation, double ms)
{
	struct json_writer *w = api_answer_json(c, 200);

	json_begin_object(w);
	earlier_json(c->api, w);
	json_key_uint(w, "generation", generation);
	api_json_ms(w, ms);
	json_end_object(w);
}

/* ---- Actions of the earlier page -------------------------------------------------------- */

static struct span first_word(struct span name)
{
	name = span_trim(name);
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == ' ')
			return span_make(name.p, i);
	return name;
}

/* A URL's host with its port, or the first word. */
static struct span host_of(struct span name)
{
	struct span word = first_word(name);
	const char *scheme = word.len ? memmem(word.p, word.len, "://", 3) : NULL;

	if (scheme)
		word = span_from(word, (size_t)(scheme - word.p) + 3);
	for (size_t i = 0; i < word.len; i++)
		if (word.p[i] == '/' || word.p[i] == '?' || word.p[i] == '#')
			return span_make(word.p, i);
	return word;
}

/* "server=" or "tool=" in the name, where they are not given. */
static struct span named_word(struct span name, struct span key, struct span given)
{
	const char *at = name.len ? memmem(name.p, name.len, key.p, key.len) : NULL;

	if (given.len || !at)
		return given;
	return first_word(span_from(name, (size_t)(at - name.p) + key.len));
}

static const struct action_form {
	const char *type, *action, *resource; /* of MCP: NULL */
} forms[] = {
	{ "file/open", "FileOpenReadOnly", "File" },
	{ "file/write", "FileOpenReadWrite", "File" },
	{ "fs/list", "FileOpenReadOnly", "Dir" },
	{ "proc/exec", "ProcessExec", "File" },
	{ "net/connect", "NetworkConnect", "Host" },
	{ "dns/resolve", "DnsResolve", "Host" },
	{ "mcp/deny", "McpCall", NULL },
	{ "mcp/allow", "McpCall", NULL },
	{ "mcp/list", "McpCall", NULL },
	{ "mcp/call", "McpCall", NULL },
	{ "mcp/resources", "McpCall", NULL },
	{ "mcp/prompts", "McpCall", NULL },
	{ "mcp/init", "McpCall", NULL },
	{ "mcp/notify", "McpCall", NULL },
};

static void append_mcp(struct buf *out, struct span server, struct span tool)
{
	if (tool.len && server.len) {
		(void)buf_append_str(out, "resource in MCP::Server::");
		(void)text_append_literal(server, out);
		(void)buf_append_str(out, ") when { resource == MCP::Tool::");
		(void)text_append_literal(tool, out);
		(void)buf_append_str(out, " };\n");
		return;
	}
	(void)buf_append_str(out,
			     tool.len ? "resource == MCP::Tool::" : "resource in MCP::Server::");
	(void)text_append_literal(tool.len ? tool : server, out);
	(void)buf_append_str(out, ");\n");
}

static bool append_form(struct api_call *c, const struct action_form *form, struct span name,
			struct buf *out)
{
	bool is_host = span_eq_str(SPAN("Host"), form->resource);
	struct span object = is_host ? host_of(name) : first_word(name);

	if (!object.len || (!is_host && object.p[0] != '/')) {
		api_problem_key(c, SPAN("name"),
				is_host ? "the name has no host in it"
					: "the name must begin with an absolute path");
		return false;
	}
	(void)buf_printf(out, "resource %s %s::",
			 span_eq_str(SPAN("Dir"), form->resource) ? "in" : "==", form->resource);
	(void)text_append_literal(object, out);
	(void)buf_append_str(out, ");\n");
	return true;
}

bool earlier_from_action(struct api_call *c, const struct json *effect, const struct json *action,
			 struct buf *out)
{
	const struct json *type, *name, *tool, *server;
	const struct api_key keys[] = { { "type", JSON_STRING, true, &type },
					{ "name", JSON_STRING, false, &name },
					{ "tool", JSON_STRING, false, &tool },
					{ "server", JSON_STRING, false, &server } };
	const struct action_form *form = NULL;
	struct span text, mcp_server, mcp_tool;

	if (!api_read_object(c, action, "the action", keys, ARRAY_SIZE(keys)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (span_eq_str(type->text, forms[i].type))
			form = &forms[i];
	if (!form ||
	    !(span_eq_str(effect->text, "permit") || span_eq_str(effect->text, "forbid"))) {
		api_problem_key(c, form ? SPAN("effect") : SPAN("type"),
				form ? "effect is permit or forbid"
				     : "there is no action of that type");
		return false;
	}
	text = name ? name->text : (struct span){ 0 };
	mcp_server = named_word(text, SPAN("server="), server ? server->text : (struct span){ 0 });
	mcp_tool = named_word(text, SPAN("tool="), tool ? tool->text : (struct span){ 0 });
	(void)buf_printf(out, "%.*s (principal, action == Action::\"%s\", ", SPAN_ARG(effect->text),
			 form->action);
	if (form->resource)
		return append_form(c, form, text, out);
	if (!mcp_server.len && !mcp_tool.len) {
		api_problem_key(c, SPAN("server"), "a server or a tool must be named");
		return false;
	}
	append_mcp(out, mcp_server, mcp_tool);
	return true;
}

/* ---- Changes ---------------------------------------------------------------------------- */

/* The body's Cedar: text as it is, or {"cedar": ...}. False: answered. */
static bool read_cedar(struct api_call *c, bool is_needed, struct span *ret)
{
	const struct json *cedar = NULL;
	const struct api_key keys[] = { { "cedar", JSON_STRING, is_needed, &cedar } };

	*ret = (struct span){ 0 };
	if (!c->is_text && !api_read_body(c, keys, 1))
		return false;
	if (c->is_text)
		*ret = c->body;
	else if (cedar)
		*ret = cedar->text;
	return true;
}

void answer_earlier_persist(struct api_call *c)
{
	struct api_change change = { .has_text = true };
	struct api_query q = { .rest = c->query };
	struct api_layers layers;
	int r;

	while ((r = api_query_next(c, &q)) > 0) {
		if (!span_eq_str(q.name, "force")) {
			api_problem_key(c, q.name, "there is no parameter of that name here");
			return;
		}
	}
	if (r < 0 || !read_cedar(c, /* is_needed = */ false, &change.text))
		return;
	if (!change.text.len) {
		(void)policies_layers(c->api, &layers);
		change.text = layers.items[layers.session].text;
	}
	policies_apply(c, &change, earlier_answer);
}

static void add_to_session(struct api_call *c, struct span cedar)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_POLICY_FILE);
	struct api_change change = { .has_session = true };
	const struct policy_source *s = c->api->host.source(c->api->host.ctx);
	struct api_layers layers;
	struct policy_item item;
	struct api_facts f;

	(void)policies_layers(c->api, &layers);
	/* The command line's count, too. */
	for (size_t i = 0; i < layers.n; i++) {
		if (layers.items[i].layer != POLICY_LAYER_SESSION ||
		    !policies_find(s, &layers.items[i], (struct span){ 0 }, cedar, &item))
			continue;
		f = api_describe(c->api);
		earlier_answer(c, f.generation, 0);
		return;
	}
	(void)buf_append_span(&text, span_trim(cedar));
	(void)buf_append_char(&text, '\n');
	(void)buf_append_span(&text, layers.items[layers.session].text);
	if (text.failed) {
		api_problem(c, 413, "a policy may have %zu bytes", LIMIT_POLICY_FILE);
		return;
	}
	change.session = buf_span(&text);
	policies_apply(c, &change, earlier_answer);
}

void answer_earlier_add(struct api_call *c)
{
	struct span cedar;

	if (api_query_is_empty(c) && read_cedar(c, /* is_needed = */ true, &cedar))
		add_to_session(c, cedar);
}

void answer_earlier_add_from_action(struct api_call *c)
{
	_cleanup_buf_ struct buf cedar = BUF_INIT(LIMIT_API_BODY * 8);
	const struct json *effect, *action;
	const struct api_key keys[] = { { "effect", JSON_STRING, true, &effect },
					{ "action", JSON_OBJECT, true, &action } };

	if (api_query_is_empty(c) && api_read_body(c, keys, ARRAY_SIZE(keys)) &&
	    earlier_from_action(c, effect, action, &cedar))
		add_to_session(c, buf_span(&cedar));
}

static void cut_out(struct span text, const struct policy_item *item, struct buf *out)
{
	(void)buf_append(out, text.p, item->begin);
	(void)buf_append_span(out, span_from(text, policies_end_of_removed(text, item->end)));
}

void answer_earlier_delete(struct api_call *c)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_POLICY_FILE);
	struct api_change change = { 0 };
	const struct json *id, *cedar;
	const struct api_key keys[] = { { "id", JSON_STRING, false, &id },
					{ "cedar", JSON_STRING, false, &cedar } };
	const struct policy_source *s = c->api->host.source(c->api->host.ctx);
	struct span wanted_id, wanted_text;
	const struct api_layer *file;
	struct api_layers layers;
	struct policy_item item;

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)))
		return;
	if (!id == !cedar) {
		api_problem_key(c, SPAN("id"), "the policy is named by id or cedar");
		return;
	}
	wanted_id = id ? id->text : (struct span){ 0 };
	wanted_text = cedar ? cedar->text : (struct span){ 0 };
	file = policies_layers(c->api, &layers);
	if (policies_find(s, file, wanted_id, wanted_text, &item)) {
		cut_out(file->text, &item, &text);
		change.has_text = true;
		change.text = buf_span(&text);
	} else if (policies_find(s, &layers.items[layers.session], wanted_id, wanted_text, &item)) {
		cut_out(layers.items[layers.session].text, &item, &text);
		change.has_session = true;
		change.session = buf_span(&text);
	} else {
		api_problem(c, 404, "there is no such policy that could be removed");
		return;
	}
	policies_apply(c, &change, earlier_answer);
}

static void set_mode(struct api_call *c, enum policy_mode mode)
{
	const struct api_change change = { .has_mode = true, .mode = mode };

	if (api_query_is_empty(c) && api_read_body(c, NULL, 0))
		policies_apply(c, &change, earlier_answer);
}

void answer_earlier_permit_all(struct api_call *c)
{
	set_mode(c, POLICY_RECORD);
}

void answer_earlier_enforce_apply(struct api_call *c)
{
	set_mode(c, POLICY_ENFORCE);
}

void answer_earlier_lines(struct api_call *c)
{
	const struct policy_source *s = c->api->host.source(c->api->host.ctx);
	const struct api_layer *file, *runtime;
	struct api_layers layers;
	struct json_writer *w;
	uint64_t n = 0;

	if (!api_query_is_empty(c))
		return;
	file = policies_layers(c->api, &layers);
	runtime = &layers.items[layers.session];
	w = api_answer_json(c, 200);
	json_begin_object(w);
	json_key(w, "lines");
	json_begin_array(w);
	for (size_t i = 0; i < policy_source_len(s); i++) {
		const struct policy_item item = policy_source_at(s, i);
		_cleanup_buf_ struct buf sentence = BUF_INIT(LIMIT_POLICY_TEXT);

		if (!policies_is_in(&item, file) && !policies_is_in(&item, runtime))
			continue;
		(void)policy_source_say(s, i, &sentence);
		json_begin_object(w);
		json_key_string(w, "id", span_of(item.id));
		json_key_string(w, "effect", item.is_forbid ? SPAN("forbid") : SPAN("permit"));
		json_key_string(w, "humanized", buf_span(&sentence));
		json_key_string(w, "cedar", item.text);
		json_key_uint(w, "sequence", n++);
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}
