#include "api/operation.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "http/target.h"
#include "policy/host.h"
#include "policy/http.h"

/* What people call the operations; Cedar's own names work too. */
static const struct {
	const char *verb;
	enum policy_action action;
} verbs[] = {
	{ "read", POLICY_FILE_OPEN_READ_ONLY },
	{ "write", POLICY_FILE_OPEN_READ_WRITE },
	{ "create", POLICY_FILE_CREATE },
	{ "delete", POLICY_FILE_DELETE },
	{ "link", POLICY_FILE_LINK },
	{ "chmod", POLICY_FILE_SET_ATTRIBUTES },
	{ "exec", POLICY_PROCESS_EXEC },
	{ "listen", POLICY_NETWORK_LISTEN },
	{ "connect", POLICY_NETWORK_CONNECT },
	{ "resolve", POLICY_DNS_RESOLVE },
	{ "datagram", POLICY_NETWORK_DATAGRAM },
	{ "http", POLICY_HTTP_REQUEST },
	{ "call", POLICY_MCP_CALL },
};

static int find_action(const char *name, enum policy_action *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].verb, name) == 0) {
			*ret = verbs[i].action;
			return 0;
		}
	}
	return policy_action_from_name(span_of(name), ret);
}

/* ---- Facts ---------------------------------------------------------------------- */

static int fact_of(void *ctx, enum policy_fact fact, struct span *ret)
{
	const struct operation *o = ctx;

	*ret = o->has_fact[fact] ? buf_span(&o->facts[fact]) : (struct span){ "", 0 };
	return 0;
}

void operation_add_fact(struct operation *o, enum policy_fact fact, const char *value)
{
	struct buf *b = &o->facts[fact];

	if (fact != POLICY_FACT_ANCESTORS && fact != POLICY_FACT_ARGV)
		buf_reset(b);
	else if (o->has_fact[fact])
		(void)buf_append_char(b, 0);
	(void)buf_append_str(b, value);
	o->has_fact[fact] = true;
}

/* ---- Objects --------------------------------------------------------------------- */

/* Beginnings as in policies. */
static char *expand(const char *object, const char *home, const char *cwd)
{
	const struct {
		struct span name;
		const char *value;
	} known[] = { { SPAN("~"), home },
		      { SPAN("${HOME}"), home },
		      { SPAN("${WORKSPACE}"), cwd } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const char *rest = object + known[i].name.len;

		if (span_starts_with(span_of(object), known[i].name) && (*rest == '/' || !*rest))
			return xasprintf("%s%s", known[i].value, rest);
	}
	return xstrdup(object);
}

static int parse_path(struct operation *o, const char *object, const char *home, const char *cwd,
		      struct err *err)
{
	_cleanup_free_ char *expanded = expand(object, home, cwd);
	_cleanup_buf_ struct buf absolute = BUF_INIT(0);
	struct stat st;

	if (strcmp(object, "memfd:") == 0) {
		o->object = xstrdup(object);
		o->request.path = span_of(o->object);
		return 0;
	}
	(void)path_normalise(span_of(cwd), span_of(expanded), &absolute);
	o->object = path_resolve(absolute.data);
	if (!o->object)
		return err_set(err, -errno, "%s", object);
	o->request.path = span_of(o->object);
	o->request.is_directory = stat(o->object, &st) == 0 && S_ISDIR(st.st_mode);
	return 0;
}

static int parse_port(const char *text, const char *whole, uint16_t *ret, struct err *err)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || port == 0 || port > UINT16_MAX)
		return err_say(err, -EINVAL, "%s: the port must be a number from 1 to 65535",
			       whole);
	*ret = (uint16_t)port;
	return 0;
}

/* "name:port", "1.2.3.4:port", "[v6]:port"; the port may be missing. Cuts text into its parts. */
static int parse_host(char *text, struct policy_request *request, struct err *err)
{
	_cleanup_free_ char *whole = xstrdup(text);
	char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
	char *colon = strrchr(bracket ? bracket : text, ':');

	if (!bracket && colon && strchr(text, ':') != colon)
		colon = NULL; /* an IPv6 address without brackets */
	if (colon) {
		int r = parse_port(colon + 1, whole, &request->port, err);

		if (r < 0)
			return r;
		*colon = 0;
	}
	if (bracket) {
		*bracket = 0;
		text++;
	}
	if (!*text)
		return err_say(err, -EINVAL, "%s: a host is missing", whole);
	request->protocol = SPAN("tcp");
	if (policy_address_parse(span_of(text), &request->address))
		request->has_address = true;
	else
		request->host = span_of(text);
	return 0;
}

static int parse_tool(struct operation *o, const char *object, struct err *err)
{
	const char *slash = strrchr(object, '/');

	if (!slash || slash == object || !slash[1])
		return err_say(err, -EINVAL, "%s: name a tool as SERVER/TOOL", object);
	o->object = xstrdup(object);
	o->request.server = span_make(o->object, (size_t)(slash - object));
	o->request.tool = span_of(o->object + (slash - object) + 1);
	return 0;
}

/* ---- Requests of HTTP --------------------------------------------------------------- */

static int parse_scheme(struct operation *o, char *url, char **ret_authority, struct err *err)
{
	char *end = strstr(url, "://");

	if (end)
		*end = 0;
	if (!end || (strcmp(url, "http") != 0 && strcmp(url, "https") != 0))
		return err_say(err, -EINVAL,
			       "a request of HTTP is written as in GET https://example.com/path");
	o->http.scheme = span_of(url);
	*ret_authority = end + 3;
	return 0;
}

/* "/path?query#fragment" behind the authority, which it is cut from. */
static int parse_target(struct operation *o, char *authority)
{
	_cleanup_buf_ struct buf normal = BUF_INIT(0);
	char *fragment = strchr(authority, '#');
	char *query, *path;

	if (fragment)
		*fragment = 0;
	query = strchr(authority, '?');
	if (query)
		*query++ = 0;
	path = strchr(authority, '/');
	if (http_path_normalise(path ? span_of(path) : SPAN("/"), &normal) < 0 ||
	    http_path_merge_slashes(buf_span(&normal), &o->path) < 0)
		return -EINVAL;
	if (path)
		*path = 0;
	o->http.path = buf_span(&o->path);
	o->http.query = query ? span_of(query) : SPAN("");
	return 0;
}

/* "METHOD URL" */
static int parse_http(struct operation *o, const char *object, struct err *err)
{
	char *authority, *blank;

	o->object = xstrdup(object);
	blank = strchr(o->object, ' ');
	if (!blank)
		return err_say(err, -EINVAL,
			       "name a method and a URL, as in GET https://example.com/path");
	*blank = 0;
	o->http.method = span_of(o->object);
	if (parse_scheme(o, blank + 1, &authority, err) < 0)
		return -EINVAL;
	if (parse_target(o, authority) < 0)
		return err_say(err, -EINVAL, "%s: the method or the URL is malformed", object);
	if (strchr(authority, '@'))
		return err_say(err, -EINVAL, "a URL with a name or password in it is not sent");
	if (parse_host(authority, &o->request, err) < 0)
		return -EINVAL;
	if (!o->request.port)
		o->request.port = span_eq(o->http.scheme, SPAN("http")) ? 80 : 443;
	if (!http_is_sound(&o->http))
		return err_say(err, -EINVAL, "%s: the method or the URL is malformed", object);
	o->request.http = &o->http;
	return 0;
}

/* Its value may be a secret, so no error repeats it. */
int operation_add_header(struct operation *o, const char *header, struct err *err)
{
	struct span all = span_of(header), value;
	const char *colon = strchr(header, ':');
	char *name;

	if (!o->request.http)
		return err_say(err, -EINVAL, "headers go with a request of HTTP, METHOD and URL");
	if (!colon)
		return err_say(err, -EINVAL, "a header is written as in `accept: text/html`");
	value = span_trim(span_from(all, (size_t)(colon - header) + 1));
	name = xmemdup0(header, (size_t)(colon - header));
	for (char *c = name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	vec_push(&o->headers,
		 ((struct policy_header){ span_of(name),
					  span_make(xmemdup0(value.p, value.len), value.len) }));
	o->http.headers = o->headers.items;
	o->http.n_headers = o->headers.len;
	return http_is_sound(&o->http)
		       ? 0
		       : err_say(err, -EINVAL, "a header is written as in `accept: text/html`");
}

void operation_init(struct operation *o, enum policy_action action)
{
	*o = (struct operation){ .request = { .action = action, .fact = fact_of, .fact_ctx = o } };
}

int operation_parse(struct operation *o, const char *verb, const char *object, const char *home,
		    const char *cwd, struct err *err)
{
	operation_init(o, POLICY_FILE_OPEN_READ_ONLY);
	if (find_action(verb, &o->request.action) < 0)
		return err_say(err, -EINVAL, "unknown operation `%s`; there are %s", verb,
			       OPERATION_VERBS);
	if (o->request.action <= POLICY_PROCESS_EXEC)
		return parse_path(o, object, home, cwd, err);
	if (o->request.action == POLICY_MCP_CALL)
		return parse_tool(o, object, err);
	if (o->request.action == POLICY_HTTP_REQUEST && strpbrk(object, " /"))
		return parse_http(o, object, err);
	o->object = xstrdup(object);
	if (parse_host(o->object, &o->request, err) < 0)
		return -EINVAL;
	if (o->request.action == POLICY_NETWORK_DATAGRAM)
		o->request.protocol = SPAN("udp");
	return 0;
}

int operation_set_host(struct operation *o, const char *host, struct err *err)
{
	struct policy_request given = { 0 };
	int r;

	if (o->request.action <= POLICY_PROCESS_EXEC)
		return err_say(err, -EINVAL, "a host goes with operations of the network");
	xfree(o->host);
	o->host = xstrdup(host);
	r = parse_host(o->host, &given, err);
	if (r < 0)
		return r;
	o->request.host = given.host;
	if (given.has_address) {
		o->request.address = given.address;
		o->request.has_address = true;
	}
	if (given.port)
		o->request.port = given.port;
	if (!o->request.protocol.len)
		o->request.protocol = SPAN("tcp");
	return 0;
}

void operation_done(struct operation *o)
{
	for (size_t i = 0; i < POLICY_FACT_MAX; i++)
		buf_done(&o->facts[i]);
	for (size_t i = 0; i < o->headers.len; i++) {
		xfree((char *)(uintptr_t)o->headers.items[i].name.p);
		xfree((char *)(uintptr_t)o->headers.items[i].value.p);
	}
	vec_done(&o->headers);
	buf_done(&o->path);
	xfree(o->object);
	xfree(o->host);
	o->object = o->host = NULL;
}
