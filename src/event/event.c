#include "event/event-private.h"

#include "base/alloc.h"

static const char *const kind_names[EVENT_KIND_MAX] = {
	[EVENT_NONE] = "none",
	[EVENT_FILE_OPEN] = "file.open",
	[EVENT_FILE_CREATE] = "file.create",
	[EVENT_FILE_DELETE] = "file.delete",
	[EVENT_FILE_RENAME] = "file.rename",
	[EVENT_FILE_LINK] = "file.link",
	[EVENT_FILE_ATTR] = "file.attr",
	[EVENT_PROC_EXEC] = "proc.exec",
	[EVENT_PROC_EXIT] = "proc.exit",
	[EVENT_NET_CONNECT] = "net.connect",
	[EVENT_NET_LISTEN] = "net.listen",
	[EVENT_NET_DATAGRAM] = "net.datagram",
	[EVENT_NET_CLOSE] = "net.close",
	[EVENT_DNS_QUERY] = "dns.query",
	[EVENT_HTTP_REQUEST] = "http.request",
	[EVENT_WS_OPEN] = "ws.open",
	[EVENT_HTTP_REWRITE] = "http.rewrite",
	[EVENT_POLICY_APPLIED] = "policy.applied",
	[EVENT_SESSION_START] = "session.start",
	[EVENT_SESSION_READY] = "session.ready",
	[EVENT_SESSION_STOP] = "session.stop",
	[EVENT_TAMPER] = "tamper",
	[EVENT_MISMATCH] = "mismatch",
	[EVENT_REFUSED] = "refused",
	[EVENT_LOST] = "lost",
};

static const char *const decision_names[] = {
	[EVENT_DECISION_NONE] = "none",	   [EVENT_ALLOW] = "allow", [EVENT_DENY] = "deny",
	[EVENT_WOULD_DENY] = "would-deny", [EVENT_ASKED] = "asked",
};

static const char *const backend_names[] = {
	[EVENT_BACKEND_NONE] = "none",	   [EVENT_BACKEND_SUPERVISOR] = "supervisor",
	[EVENT_BACKEND_PROXY] = "proxy",   [EVENT_BACKEND_KERNEL] = "kernel",
	[EVENT_BACKEND_DAEMON] = "daemon",
};

const char *event_kind_name(enum event_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : kind_names[0];
}

enum event_kind event_kind_from_name(struct span name)
{
	for (size_t i = 1; i < ARRAY_SIZE(kind_names); i++)
		if (span_eq_str(name, kind_names[i]))
			return (enum event_kind)i;
	return EVENT_NONE;
}

const char *event_decision_name(enum event_decision d)
{
	return (size_t)d < ARRAY_SIZE(decision_names) ? decision_names[d] : decision_names[0];
}

enum event_decision event_decision_from_name(struct span name)
{
	for (size_t i = 1; i < ARRAY_SIZE(decision_names); i++)
		if (span_eq_str(name, decision_names[i]))
			return (enum event_decision)i;
	return EVENT_DECISION_NONE;
}

const char *event_backend_name(enum event_backend b)
{
	return (size_t)b < ARRAY_SIZE(backend_names) ? backend_names[b] : backend_names[0];
}

/* The ring's format has this order. */
const size_t event_text_offsets[EVENT_N_TEXTS] = {
	offsetof(struct event, argv),	  offsetof(struct event, mode),
	offsetof(struct event, policies), offsetof(struct event, exe),
	offsetof(struct event, comm),	  offsetof(struct event, cwd),
	offsetof(struct event, path),	  offsetof(struct event, target),
	offsetof(struct event, access),	  offsetof(struct event, host),
	offsetof(struct event, ip),	  offsetof(struct event, protocol),
	offsetof(struct event, family),	  offsetof(struct event, method),
	offsetof(struct event, url),	  offsetof(struct event, header),
	offsetof(struct event, secret),	  offsetof(struct event, message),
};

struct event *event_copy(const struct event *e)
{
	struct event fixed = *e;
	size_t len = sizeof(fixed);
	struct event *copy;
	char *at;

	for (size_t i = 0; i < EVENT_N_TEXTS; i++)
		len += event_text(&fixed, i)->len;
	copy = xcalloc(1, len);
	at = (char *)(copy + 1);
	for (size_t i = 0; i < EVENT_N_TEXTS; i++) {
		struct span *text = event_text(&fixed, i);

		if (text->len)
			memcpy(at, text->p, text->len);
		text->p = at;
		at += text->len;
	}
	*copy = fixed;
	return copy;
}
