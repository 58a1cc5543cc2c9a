#include "api/recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/path.h"
#include "policy/domain.h"
#include "policy/host.h"
#include "policy/names.h"
#include "policy/text.h"

/* ---- Events as operations ------------------------------------------------------------ */

static int action_of(const struct event *e, enum policy_action *ret)
{
	static const int actions[EVENT_KIND_MAX] = {
		[EVENT_FILE_CREATE] = 1 + POLICY_FILE_CREATE,
		[EVENT_FILE_DELETE] = 1 + POLICY_FILE_DELETE,
		[EVENT_FILE_RENAME] = 1 + POLICY_FILE_DELETE,
		[EVENT_FILE_LINK] = 1 + POLICY_FILE_LINK,
		[EVENT_FILE_ATTR] = 1 + POLICY_FILE_SET_ATTRIBUTES,
		[EVENT_PROC_EXEC] = 1 + POLICY_PROCESS_EXEC,
		[EVENT_NET_CONNECT] = 1 + POLICY_NETWORK_CONNECT,
		[EVENT_NET_LISTEN] = 1 + POLICY_NETWORK_LISTEN,
		[EVENT_NET_DATAGRAM] = 1 + POLICY_NETWORK_DATAGRAM,
		[EVENT_DNS_QUERY] = 1 + POLICY_DNS_RESOLVE,
		[EVENT_HTTP_REQUEST] = 1 + POLICY_HTTP_REQUEST,
	};
	bool writes = span_eq_str(e->access, "write") || span_eq_str(e->access, "read-write");

	if (e->kind == EVENT_FILE_OPEN) {
		*ret = writes ? POLICY_FILE_OPEN_READ_WRITE : POLICY_FILE_OPEN_READ_ONLY;
		return 0;
	}
	if ((size_t)e->kind >= EVENT_KIND_MAX || !actions[e->kind])
		return -ENOENT;
	*ret = (enum policy_action)(actions[e->kind] - 1);
	/* A socket in a directory is opened like a file. */
	if (*ret == POLICY_NETWORK_CONNECT && e->path.len)
		*ret = POLICY_FILE_OPEN_READ_WRITE;
	return 0;
}

static void set_facts(const struct event *e, struct operation *o)
{
	const struct {
		enum policy_fact fact;
		struct span value;
	} facts[] = { { POLICY_FACT_EXE, e->exe },
		      { POLICY_FACT_COMM, e->comm },
		      { POLICY_FACT_CWD, e->cwd } };

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		_cleanup_free_ char *value =
			xmemdup0(facts[i].value.p ? facts[i].value.p : "", facts[i].value.len);

		operation_add_fact(o, facts[i].fact, value);
	}
	for (struct span rest = e->argv; rest.len;) {
		size_t len = strnlen(rest.p, rest.len);
		_cleanup_free_ char *value = xmemdup0(rest.p, len);

		operation_add_fact(o, POLICY_FACT_ARGV, value);
		rest = span_from(rest, len + 1);
	}
}

static int set_peer(const struct event *e, struct operation *o)
{
	struct policy_request *r = &o->request;

	if (e->host.len) {
		o->host = xmemdup0(e->host.p, e->host.len);
		r->host = span_of(o->host);
	}
	r->has_address = policy_address_parse(e->ip, &r->address);
	r->port = e->has_port ? e->port : 0;
	r->protocol = r->action == POLICY_NETWORK_DATAGRAM ? SPAN("udp") : SPAN("tcp");
	return r->host.len || r->has_address ? 0 : -ENOENT;
}

/* Of the query only that there was one is recorded. */
static int set_http(const struct event *e, struct operation *o)
{
	const char *mark = e->url.len ? memchr(e->url.p, '?', e->url.len) : NULL;
	struct span url = span_make(e->url.p, mark ? (size_t)(mark - e->url.p) : e->url.len);
	_cleanup_free_ char *object = xasprintf("%.*s %.*s", SPAN_ARG(e->method), SPAN_ARG(url));
	struct err err = { 0 };

	return operation_parse(o, "http", object, "/", "/", &err) < 0 ? -ENOENT : 0;
}

int recorded_make(const struct event *e, struct operation *ret)
{
	enum policy_action action;
	int r = action_of(e, &action);

	if (r < 0)
		return r;
	operation_init(ret, action);
	if (action == POLICY_HTTP_REQUEST && e->url.len && e->method.len) {
		r = set_http(e, ret);
	} else if (action > POLICY_PROCESS_EXEC) {
		r = set_peer(e, ret);
	} else if (e->path.len == 0 || e->path.p[0] != '/') {
		r = -ENOENT;
	} else {
		ret->object = xmemdup0(e->path.p, e->path.len);
		ret->request.path = span_of(ret->object);
		ret->request.also_reads = span_eq_str(e->access, "read-write");
		/* Of others it is not recorded. */
		ret->request.is_directory =
			e->path.len == 1 || (e->has_flags && e->flags & O_DIRECTORY);
	}
	if (r < 0) {
		operation_done(ret);
		*ret = (struct operation){ 0 };
		return r;
	}
	set_facts(e, ret);
	return 0;
}

/* ---- Policies about them ---------------------------------------------------------------- */

static const char *const names[N_BREADTHS] = { "file", "directory", "pattern", "host", "zone" };

const char *breadth_name(enum breadth b)
{
	return (size_t)b < N_BREADTHS ? names[b] : "?";
}

int breadth_from_name(struct span name, enum breadth *ret)
{
	for (size_t i = 0; i < N_BREADTHS; i++) {
		if (span_eq_str(name, names[i])) {
			*ret = (enum breadth)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* ".json" of /w/a.json; empty where the name has no ending. */
static struct span ending_of(struct span path)
{
	struct span name = path_base_name(path);
	const char *dot = name.p && name.len ? memrchr(name.p, '.', name.len) : NULL;

	return dot && dot > name.p ? span_from(name, (size_t)(dot - name.p)) : (struct span){ 0 };
}

/* Of the whole name, or empty: an address, a name that is no one's. */
static struct span zone_of(const struct policy_request *r)
{
	return r->host.len ? registrable_domain(r->host) : (struct span){ 0 };
}

bool breadth_fits(enum breadth b, const struct policy_request *r)
{
	bool is_file = r->action <= POLICY_PROCESS_EXEC;

	switch (b) {
	case BREADTH_FILE:
		return is_file;
	case BREADTH_DIRECTORY:
		return is_file && path_directory(r->path).len > 1;
	case BREADTH_PATTERN:
		/* In a pattern a star would have to be escaped. */
		return is_file && ending_of(r->path).len && !memchr(r->path.p, '*', r->path.len);
	case BREADTH_HOST:
		return !is_file && (r->host.len || r->has_address);
	case BREADTH_ZONE:
		return !is_file && zone_of(r).len;
	case N_BREADTHS:
		break;
	}
	return false;
}

/* Who forbids reading a file means that it is not to be opened at all. */
static const char *action_name(const struct policy_request *r, bool is_forbid)
{
	if (is_forbid &&
	    (r->action == POLICY_FILE_OPEN_READ_ONLY || r->action == POLICY_FILE_OPEN_READ_WRITE))
		return "FileOpen";
	return policy_action_name(r->action);
}

/* -EINVAL: the host's name is none. */
static int write_host(const struct policy_request *r, struct buf *out)
{
	_cleanup_buf_ struct buf id = BUF_INIT(0);
	int code = host_id_make(r->host, r->has_address ? &r->address : NULL, r->port, &id);

	if (code < 0)
		return code;
	(void)buf_append_str(out, "resource == Host::");
	return text_append_literal(buf_span(&id), out);
}

/* The directory, a star and the ending. */
static void write_pattern(struct span path, struct buf *out)
{
	_cleanup_buf_ struct buf literal = BUF_INIT(0);

	(void)buf_append_str(out, "resource)\nwhen { resource.path like ");
	(void)text_append_literal(path_directory(path), out);
	out->len--; /* the quote */
	(void)text_append_literal(ending_of(path), &literal);
	(void)buf_append_char(out, '*');
	(void)buf_append_span(out, span_from(buf_span(&literal), 1));
	(void)buf_append_str(out, " }");
}

int breadth_write(enum breadth b, const struct policy_request *r, bool is_forbid, struct buf *out)
{
	const char *name;

	if (!breadth_fits(b, r))
		return -EINVAL;
	name = action_name(r, is_forbid);
	(void)buf_printf(out, "%s (principal, action %s Action::\"%s\", ",
			 is_forbid ? "forbid" : "permit",
			 action_has_members(action_index(span_of(name))) ? "in" : "==", name);
	switch (b) {
	case BREADTH_FILE:
		(void)buf_append_str(out, "resource == File::");
		(void)text_append_literal(r->path, out);
		break;
	case BREADTH_DIRECTORY:
		(void)buf_append_str(out, "resource in Dir::");
		(void)text_append_literal(path_directory(r->path), out);
		break;
	case BREADTH_PATTERN:
		write_pattern(r->path, out);
		return buf_append_str(out, ";\n");
	case BREADTH_HOST:
		if (write_host(r, out) < 0)
			return -EINVAL;
		break;
	case BREADTH_ZONE:
		(void)buf_append_str(out, "resource in DnsZone::");
		(void)text_append_literal(zone_of(r), out);
		break;
	case N_BREADTHS:
		break;
	}
	return buf_append_str(out, ");\n");
}
