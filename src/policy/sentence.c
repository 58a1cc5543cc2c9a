/*
 * A policy in words. What its scope says is told as people would say it; its
 * conditions are shown as Cedar, for nothing else says them exactly.
 */
#include <errno.h>

#include "policy/instruction.h"
#include "policy/names.h"
#include "policy/source.h"

/* What an agent does, by action; `on` stands before the object. */
static const char *const verbs[N_ACTIONS] = {
	[POLICY_FILE_OPEN_READ_ONLY] = "reading",
	[POLICY_FILE_OPEN_READ_WRITE] = "changing",
	[POLICY_FILE_CREATE] = "creating",
	[POLICY_FILE_DELETE] = "deleting",
	[POLICY_FILE_LINK] = "linking to",
	[POLICY_FILE_SET_ATTRIBUTES] = "setting attributes of",
	[POLICY_PROCESS_EXEC] = "running",
	[POLICY_NETWORK_LISTEN] = "listening on",
	[POLICY_NETWORK_CONNECT] = "connecting to",
	[POLICY_DNS_RESOLVE] = "looking up",
	[POLICY_NETWORK_DATAGRAM] = "sending datagrams to",
	[POLICY_HTTP_REQUEST] = "HTTP requests to",
	[POLICY_MCP_CALL] = "calling",
	[ACTION_FILE_OPEN] = "opening",
	[ACTION_HTTP_REWRITE] = "setting headers of requests to",
};

static void say_action(struct span id, struct buf *out)
{
	int index = action_index(id);

	if (index >= 0 && index < N_ACTIONS && verbs[index])
		(void)buf_append_str(out, verbs[index]);
	else
		(void)buf_append_span(out, id);
}

static void say_actions(const struct cedar_scope *s, struct buf *out)
{
	if (s->op == CEDAR_SCOPE_ANY || s->n_uids == 0) {
		(void)buf_append_str(out, "doing anything with");
		return;
	}
	for (size_t i = 0; i < s->n_uids; i++) {
		if (i)
			(void)buf_append_str(out, i + 1 == s->n_uids ? " and " : ", ");
		say_action(s->uids[i].id, out);
	}
}

static void say_host(struct span id, struct buf *out)
{
	if (span_eq_str(id, "*"))
		(void)buf_append_str(out, "any host");
	else if (span_starts_with(id, SPAN("*.")))
		(void)buf_printf(out, "names below %.*s", SPAN_ARG(span_from(id, 2)));
	else
		(void)buf_append_span(out, id);
}

static void say_directory(struct span id, struct buf *out)
{
	while (id.len > 1 && id.p[id.len - 1] == '/')
		id.len--;
	if (span_eq_str(id, "/"))
		(void)buf_append_str(out, "any file");
	else
		(void)buf_printf(out, "%.*s and all below it", SPAN_ARG(id));
}

static void say_entity(struct cedar_entity_uid uid, struct buf *out)
{
	if (span_eq_str(uid.type, "Dir"))
		say_directory(uid.id, out);
	else if (span_eq_str(uid.type, "Host"))
		say_host(uid.id, out);
	else if (span_eq_str(uid.type, "DnsZone"))
		(void)buf_printf(out, "%.*s and names below it", SPAN_ARG(uid.id));
	else if (span_eq_str(uid.type, "IpRange"))
		(void)buf_printf(out, "addresses in %.*s", SPAN_ARG(uid.id));
	else if (span_eq_str(uid.type, "MCP::Server"))
		(void)buf_printf(out, "tools of %.*s", SPAN_ARG(uid.id));
	else if (span_eq_str(uid.type, "MCP::Tool"))
		(void)buf_printf(out, "the tool %.*s", SPAN_ARG(uid.id));
	else
		(void)buf_append_span(out, uid.id);
}

static void say_resource(const struct cedar_scope *s, struct buf *out)
{
	if (s->op == CEDAR_SCOPE_IS)
		(void)buf_printf(out, "any %.*s", SPAN_ARG(s->type_name));
	else if (s->n_uids)
		say_entity(s->uids[0], out);
	else
		(void)buf_append_str(out, "anything");
}

static void say_conditions(const struct cedar_policy *p, struct buf *out)
{
	for (size_t i = 0; i < p->n_conditions; i++) {
		(void)buf_append_str(out, i ? ", and " : ", ");
		(void)buf_append_str(out, p->conditions[i].is_unless ? "unless " : "when ");
		(void)cedar_expr_print(p->conditions[i].body, out);
	}
}

/* The value may be a secret: it is not among the words. */
static bool say_instruction(const struct cedar_policy *p, struct buf *out)
{
	struct instruction i;

	if (!instruction_is(p) || instruction_read(p, &i))
		return false;
	(void)buf_printf(out, "Sets the header %.*s of requests to ", SPAN_ARG(i.header));
	say_host(i.host, out);
	(void)buf_append_char(out, '.');
	return true;
}

int policy_source_say(const struct policy_source *s, size_t i, struct buf *out)
{
	const struct cedar_policy *p = s->policies.items[i].cedar;

	if (say_instruction(p, out))
		return out->failed ? -EMSGSIZE : 0;
	(void)buf_append_str(out, p->is_forbid ? "Forbids " : "Permits ");
	say_actions(&p->action, out);
	(void)buf_append_char(out, ' ');
	say_resource(&p->resource, out);
	if (p->principal.op != CEDAR_SCOPE_ANY && p->principal.n_uids)
		(void)buf_printf(out, " for %.*s", SPAN_ARG(p->principal.uids[0].id));
	if (!instruction_is_named(p))
		say_conditions(p, out);
	(void)buf_append_char(out, '.');
	return out->failed ? -EMSGSIZE : 0;
}
