#include "random-policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/path.h"
#include "policy/host.h"
#include "policy/text.h"

static size_t below(size_t n)
{
	return (size_t)random() % n;
}

static bool one_in(size_t n)
{
	return below(n) == 0;
}

#define PICK(list) ((list)[below(ARRAY_SIZE(list))])

/* ---- Literals -------------------------------------------------------------------- */

static const char *const parts[] = { "a",  "b",	 "ab", "abc", ".x", "x.d", "..y",
				     "\xc3\xa9", "aaaaaaaa", "aaaaaaaab", "-", "bin" };
static const char *const hosts[] = { "a.b", "x.a.b", "y.x.a.b", "b",	     "aa.b",
				     "c",   "xa.b",  "a-b.c",   "1.a.b", "aaaaaaaaa.b" };
static const char *const ranges[] = { "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "10.1.2.2/31",
				      "0.0.0.0/0",  "11.0.0.1/7",  "fe80::/10",	  "fe80::1/128",
				      "64:ff9b::/96", "::/0",	   "2001:db8::/33" };
static const char *const addresses[] = { "10.1.2.3", "10.0.0.0", "10.255.255.255", "9.255.255.255",
					 "11.0.0.0", "127.0.0.1", "224.0.0.1",	    "fe80::1",
					 "febf::1",  "fec0::1",	  "::1",	    "ff02::1",
					 "64:ff9b::a01:203", "::ffff:10.1.2.3", "2001:db8::1",
					 "10.1.2.2", "2001:db8:8000::" };
static const long ports[] = { 1, 22, 79, 80, 81, 443, 444, 1023, 1024, 32767, 32768, 65534, 65535 };

static void path(struct buf *out)
{
	size_t n = 1 + below(one_in(2) ? 1 : 4);

	for (size_t i = 0; i < n; i++)
		(void)buf_printf(out, "/%s", parts[below(one_in(2) ? 3 : ARRAY_SIZE(parts))]);
}

static void string(struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	if (one_in(4))
		(void)buf_append_str(&text, PICK(parts));
	else
		path(&text);
	if (one_in(12))
		(void)buf_append_char(&text, (char)0xff);
	(void)text_append_literal(buf_span(&text), out);
}

/* The literal starts of patterns are paths, so they begin with a slash. */
static void pattern(struct buf *out)
{
	size_t n = 1 + below(3);

	(void)buf_append_char(out, '"');
	if (one_in(2))
		path(out);
	for (size_t i = 0; i < n; i++) {
		(void)buf_append_char(out, '*');
		if (one_in(4) && i + 1 == n)
			break;
		if (one_in(2))
			(void)buf_append_char(out, '/');
		(void)buf_append_str(out, PICK(parts));
		if (one_in(3))
			(void)buf_append_char(out, '/');
	}
	(void)buf_append_char(out, '"');
}

static void loose_pattern(struct buf *out)
{
	static const char *const patterns[] = { "\"*\"",   "\"\"",	  "\"a*\"",    "\"*a\"",
						"\"*.b\"", "\"x.*\"",	  "\"*a*b*\"", "\"a\"",
						"\"*.*\"", "\"a*a*a\"", "\"*ab*\"",  "\"**b\"" };

	if (one_in(2))
		(void)buf_append_str(out, PICK(patterns));
	else
		pattern(out);
}

static void host_id(struct buf *out)
{
	if (one_in(5))
		(void)buf_append_str(out, "*");
	else if (one_in(4))
		(void)buf_append_str(out, PICK(addresses));
	else
		(void)buf_printf(out, "%s%s", one_in(3) ? "*." : "", PICK(hosts));
	if (one_in(3) && !memchr(out->data, '[', out->len)) {
		struct span s = buf_span(out);
		size_t colons = 0;

		while (s.len && s.p[s.len - 1] != '"')
			colons += s.p[--s.len] == ':';
		if (!colons)
			(void)buf_printf(out, ":%ld", PICK(ports));
	}
}

static void file_entity(struct buf *out)
{
	(void)buf_append_str(out, one_in(2) ? "File::" : "Dir::");
	if (one_in(12))
		(void)buf_append_str(out, "\"/\"");
	else {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		path(&text);
		if (one_in(12))
			(void)buf_append_char(&text, (char)0xff);
		(void)text_append_literal(buf_span(&text), out);
	}
}

static void net_entity(struct buf *out)
{
	switch (below(5)) {
	case 0:
		(void)buf_printf(out, "DnsZone::\"%s\"", PICK(hosts));
		return;
	case 1:
		(void)buf_printf(out, "IpRange::\"%s\"", PICK(ranges));
		return;
	default:
		(void)buf_append_str(out, "Host::\"");
		host_id(out);
		(void)buf_append_char(out, '"');
	}
}

static void entity(struct buf *out)
{
	static const char *const others[] = { "MCP::Server::\"s\"", "MCP::Tool::\"t\"",
					      "MCP::Tool::\"u\"", "Agent::\"claude\"",
					      "Action::\"FileCreate\"" };
	size_t kind = below(12);

	if (kind == 0)
		(void)buf_append_str(out, PICK(others));
	else if (kind < 7)
		file_entity(out);
	else
		net_entity(out);
}

static void set_of(struct buf *out, void (*item)(struct buf *))
{
	size_t n = 1 + below(3);

	(void)buf_append_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			(void)buf_append_str(out, ", ");
		item(out);
	}
	(void)buf_append_char(out, ']');
}

static void port(struct buf *out)
{
	(void)buf_printf(out, "%ld", PICK(ports));
}

static void ip(struct buf *out)
{
	static const char *const ips[] = { "10.0.0.0/8", "10.1.2.3",   "10.1.2.3/31", "fe80::/10",
					   "fe80::1",	 "64:ff9b::/96", "0.0.0.0/0", "::/0" };

	(void)buf_printf(out, "ip(\"%s\")", PICK(ips));
}

/* ---- Conditions ----------------------------------------------------------------------- */

static void comparison(struct buf *out)
{
	static const char *const operators[] = { "<", "<=", ">", ">=", "==", "!=" };

	(void)buf_printf(out, " %s ", PICK(operators));
}

static void string_term(struct buf *out)
{
	static const char *const strings[] = { "context.exe", "context.comm", "context.cwd",
					       "resource.path", "resource.path", "context.args",
					       "context.hostname", "resource.name",
					       "context.protocol" };
	const char *s = PICK(strings);

	switch (below(5)) {
	case 0:
		(void)buf_printf(out, "%s == ", s);
		string(out);
		return;
	case 1:
		set_of(out, string);
		(void)buf_printf(out, ".contains(%s)", s);
		return;
	case 2:
		(void)buf_printf(out, "%s != ", s);
		string(out);
		return;
	default:
		(void)buf_printf(out, "%s like ", s);
		if (strcmp(s, "resource.path") == 0 || strcmp(s, "context.exe") == 0 ||
		    strcmp(s, "context.cwd") == 0)
			pattern(out);
		else
			loose_pattern(out);
	}
}

static void port_term(struct buf *out)
{
	const char *s = one_in(2) ? "context.port" : "resource.port";

	switch (below(4)) {
	case 0:
		set_of(out, port);
		(void)buf_printf(out, ".contains(%s)", s);
		return;
	case 1:
		port(out);
		comparison(out);
		(void)buf_append_str(out, s);
		return;
	default:
		(void)buf_append_str(out, s);
		comparison(out);
		if (one_in(8))
			(void)buf_append_str(out, one_in(2) ? "-1" : "70000");
		else
			port(out);
	}
}

static void ip_term(struct buf *out)
{
	static const char *const methods[] = { "isIpv4", "isIpv6", "isLoopback", "isMulticast" };

	switch (below(4)) {
	case 0:
		(void)buf_printf(out, "context.ip.%s()", PICK(methods));
		return;
	case 1:
		(void)buf_append_str(out, "context.ip == ");
		ip(out);
		return;
	case 2:
		set_of(out, ip);
		(void)buf_append_str(out, ".contains(context.ip)");
		return;
	default:
		(void)buf_append_str(out, "context.ip.isInRange(");
		ip(out);
		(void)buf_append_char(out, ')');
	}
}

static void list_term(struct buf *out)
{
	static const char *const methods[] = { "containsAny", "containsAll" };
	const char *list = one_in(2) ? "context.argv" : "context.ancestors";

	if (one_in(2)) {
		(void)buf_printf(out, "%s.contains(", list);
		string(out);
	} else {
		(void)buf_printf(out, "%s.%s(", list, PICK(methods));
		set_of(out, string);
	}
	(void)buf_append_char(out, ')');
}

static void resource_term(struct buf *out)
{
	static const char *const types[] = { "File", "Host", "MCP::Tool", "Dir" };

	switch (below(8)) {
	case 0:
		(void)buf_printf(out, "resource is %s", PICK(types));
		return;
	case 1:
		(void)buf_printf(out, "resource is %s in ", PICK(types));
		entity(out);
		return;
	case 2:
		(void)buf_append_str(out, one_in(2) ? "resource != " : "resource == ");
		entity(out);
		return;
	case 3:
		set_of(out, entity);
		(void)buf_append_str(out, ".contains(resource)");
		return;
	case 4:
		(void)buf_append_str(out, "resource in ");
		set_of(out, entity);
		return;
	default:
		(void)buf_append_str(out, "resource in ");
		entity(out);
	}
}

static void http_term(struct buf *out)
{
	static const char *const terms[] = {
		"context.method == \"GET\"",
		"context.method != \"GET\"",
		"[\"GET\", \"HEAD\"].contains(context.method)",
		"context.scheme == \"https\"",
		"context.query == \"\"",
		"context.query like \"*a*\"",
		"context.headers has authorization",
		"context has headers.authorization",
		"context.headers.accept like \"*b*\"",
		"context.headers has accept && context.headers.accept == \"a, b\"",
		"context has path",
		"context has method && context.method == \"GET\"",
		"context.headers == context.headers",
	};

	if (one_in(3)) {
		(void)buf_append_str(out, "context.path like ");
		pattern(out);
	} else {
		(void)buf_append_str(out, PICK(terms));
	}
}

static void other_term(struct buf *out)
{
	static const char *const terms[] = {
		"action == Action::\"FileCreate\"",
		"action in Action::\"FileOpenReadWrite\"",
		"action in Action::\"NetworkConnect\"",
		"principal == Agent::\"claude\"",
		"principal is Agent",
		"context has hostname",
		"context has port",
		"context has ip",
		"context has protocol",
		"context has exe",
		"context has argv",
		"context has method",
		"resource has path",
		"resource has port",
		"resource has name",
		"context.method == \"GET\"",
		"context.now > datetime(\"2020-01-01\")",
		"context.now <= datetime(\"2020-01-01\")",
		"context.now.toTime() < duration(\"24h\")",
		"duration(\"1d\") <= context.now.toTime()",
		"context.exe == resource.path",
		"context.exe < \"x\"",
		"context.argv.isEmpty()",
		"resource.port + 1 < 82",
		"File::\"/a/b\" in Dir::\"/a\"",
		"(resource in Dir::\"/a\") == true",
		"true",
		"false",
		"1 < 2",
		"ip(\"10.0.0.0/8\").isInRange(context.ip)",
		"context.hostname.contains(\"a\")",
		"resource in principal",
	};

	(void)buf_append_str(out, PICK(terms));
}

static void term(struct buf *out)
{
	static void (*const terms[])(struct buf *) = { string_term,   port_term,     ip_term,
						       list_term,     resource_term, resource_term,
						       resource_term, http_term,     other_term };

	PICK(terms)(out);
}

static void condition(struct buf *out, size_t depth)
{
	size_t kind = depth ? below(8) : 0;

	if (kind < 3) {
		term(out);
	} else if (kind == 3) {
		(void)buf_append_str(out, "!(");
		condition(out, depth - 1);
		(void)buf_append_char(out, ')');
	} else if (kind == 7) {
		(void)buf_append_str(out, "(if ");
		condition(out, depth - 1);
		(void)buf_append_str(out, " then ");
		condition(out, depth - 1);
		(void)buf_append_str(out, " else ");
		condition(out, depth - 1);
		(void)buf_append_char(out, ')');
	} else {
		(void)buf_append_char(out, '(');
		condition(out, depth - 1);
		(void)buf_append_str(out, kind < 6 ? " && " : " || ");
		condition(out, depth - 1);
		(void)buf_append_char(out, ')');
	}
}

void random_policy(struct buf *out)
{
	static const char *const actions[] = {
		"action",
		"action",
		"action in Action::\"FileOpen\"",
		"action == Action::\"FileOpenReadOnly\"",
		"action in Action::\"FileOpenReadWrite\"",
		"action in [Action::\"FileOpen\", Action::\"ProcessExec\"]",
		"action in Action::\"NetworkConnect\"",
		"action == Action::\"DnsResolve\"",
		"action in Action::\"HttpRequest\"",
		"action in [Action::\"NetworkConnect\", Action::\"NetworkListen\"]",
	};
	static const char *const file_scopes[] = { "resource is File in ", "resource in ",
						   "resource == " };
	size_t action = below(ARRAY_SIZE(actions));

	(void)buf_printf(out, "%s (%s, %s, ", one_in(2) ? "permit" : "forbid",
			 one_in(8) ? "principal == Agent::\"claude\"" : "principal",
			 actions[action]);
	if (one_in(2)) {
		(void)buf_append_str(out, "resource");
	} else if (action < 2 ? one_in(2) : action < 6) {
		(void)buf_append_str(out, PICK(file_scopes));
		file_entity(out);
	} else {
		(void)buf_append_str(out, one_in(4) ? "resource == " : "resource in ");
		net_entity(out);
	}
	(void)buf_append_char(out, ')');
	for (size_t i = below(3); i > 0; i--) {
		(void)buf_append_str(out, one_in(3) ? " unless { " : " when { ");
		condition(out, 3);
		(void)buf_append_str(out, " }");
	}
	(void)buf_append_str(out, ";\n");
}

/* ---- Requests ------------------------------------------------------------------------------ */

/* A byte more, less or other, anywhere. */
static void change(char *text, size_t size)
{
	static const char bytes[] = { 'a', 'b', '/', '.', '\xff', '\xc3', 'x', '*' };
	size_t len = strlen(text), at = below(len + 1);

	switch (below(3)) {
	case 0:
		if (len + 2 < size) {
			memmove(text + at + 1, text + at, len - at + 1);
			text[at] = PICK(bytes);
		}
		return;
	case 1:
		if (at < len)
			memmove(text + at, text + at + 1, len - at);
		return;
	default:
		if (at < len)
			text[at] = PICK(bytes);
	}
}

static void copy(char *to, size_t size, const struct buf *from)
{
	size_t len = MIN(from->len, size - 1);

	if (len)
		memcpy(to, from->data, len);
	to[len] = 0;
}

static void random_path(char *to, size_t size)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	if (one_in(40))
		(void)buf_append_str(&text, one_in(2) ? "/" : "memfd:");
	else
		path(&text);
	if (one_in(20))
		for (size_t i = below(20); i > 0; i--)
			path(&text);
	copy(to, size, &text);
	if (one_in(4))
		change(to, size);
}

static int give_fact(void *ctx, enum policy_fact fact, struct span *ret)
{
	const struct random_request *r = ctx;
	const struct span values[] = {
		[POLICY_FACT_EXE] = span_of(r->exe),	  [POLICY_FACT_COMM] = span_of(r->comm),
		[POLICY_FACT_CWD] = span_of(r->cwd),	  [POLICY_FACT_ANCESTORS] = r->ancestors,
		[POLICY_FACT_ARGV] = r->argv,
	};

	if (fact == r->missing)
		return -ESRCH;
	*ret = values[fact];
	return 0;
}

static void add_to(struct policy_address *a, int step)
{
	for (int i = a->is_v6 ? 15 : 3; i >= 0; i--) {
		int sum = a->bytes[i] + step;

		a->bytes[i] = (unsigned char)sum;
		if (sum >= 0 && sum <= 255)
			return;
	}
}

/* The first or last address of a range, or the one beside it. */
static struct policy_address edge_of(const char *text)
{
	struct ip_range range = { 0 };
	bool is_last = one_in(2);

	(void)ip_range_parse(span_of(text), &range);
	for (unsigned int bit = range.prefix; bit < (range.address.is_v6 ? 128 : 32); bit++) {
		unsigned char mask = (unsigned char)(0x80 >> bit % 8);

		range.address.bytes[bit / 8] &= (unsigned char)~mask;
		if (is_last)
			range.address.bytes[bit / 8] |= mask;
	}
	if (one_in(2))
		add_to(&range.address, is_last ? 1 : -1);
	return range.address;
}

static struct policy_address random_address(void)
{
	const struct policy_address nat64 = { .bytes = { 0x00, 0x64, 0xff, 0x9b }, .is_v6 = true };
	const struct policy_address mapped = { .bytes = { [10] = 0xff, [11] = 0xff },
					       .is_v6 = true };
	struct policy_address a = { 0 }, embedded;

	if (one_in(2))
		a = edge_of(PICK(ranges));
	else
		(void)policy_address_parse(span_of(PICK(addresses)), &a);
	if (a.is_v6 || !one_in(4))
		return a;
	embedded = one_in(6) ? mapped : nat64;
	memcpy(embedded.bytes + 12, a.bytes, 4);
	return embedded;
}

static void random_network(struct random_request *r)
{
	struct policy_request *q = &r->request;

	if (!one_in(4)) {
		(void)snprintf(r->host, sizeof(r->host), "%s%s%s", one_in(3) ? "z." : "",
			       PICK(hosts), one_in(10) ? "." : "");
		if (one_in(6))
			change(r->host, sizeof(r->host));
		if (one_in(10))
			r->host[0] = 'A';
		if (one_in(30))
			(void)snprintf(r->host, sizeof(r->host), "%s", PICK(addresses));
		q->host = span_of(r->host);
	}
	if (!one_in(4)) {
		q->has_address = true;
		q->address = random_address();
	}
	if (!one_in(4))
		q->port = (uint16_t)(PICK(ports) + (long)below(3) - 1);
	if (!one_in(4))
		q->protocol = one_in(2) ? SPAN("tcp") : SPAN("a");
}

static void random_http(struct random_request *r)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "get", "", "G T" };
	static const char *const queries[] = { "", "a", "b=a", "\xff", "a b" };
	static const char *const names[] = { "accept", "authorization", "cookie", "x-y", "Accept" };
	static const char *const values[] = { "a", "b", "", "a, b", "\xff", "\x01" };

	if (one_in(6))
		return;
	random_path(r->url_path, sizeof(r->url_path));
	for (size_t i = 0; i < ARRAY_SIZE(r->headers); i++) {
		size_t n = one_in(20) ? ARRAY_SIZE(names) : ARRAY_SIZE(names) - 1;

		r->headers[i].name = span_of(names[below(n)]);
		r->headers[i].value = span_of(PICK(values));
	}
	r->http = (struct policy_http){
		.method = span_of(methods[below(one_in(10) ? ARRAY_SIZE(methods) : 4)]),
		.scheme = one_in(2)    ? SPAN("https")
			  : one_in(20) ? SPAN("ws")
				       : SPAN("http"),
		.path = span_of(r->url_path),
		.query = span_of(queries[below(one_in(10) ? ARRAY_SIZE(queries) : 4)]),
		.headers = r->headers,
		.n_headers = below(ARRAY_SIZE(r->headers) + 1),
	};
	r->request.http = &r->http;
}

void random_request(struct random_request *r)
{
	static const struct span lists[] = { SPAN(""), SPAN("a"), SPAN("a\0b"), SPAN("a\0/a/b\0"),
					     SPAN("\0\0"), SPAN("ab\0\xff\0x.d\0") };
	static const char *const words[] = { "a", "ab", "", "bin", "\xff", "/a", "/a/b" };

	*r = (struct random_request){ .missing = one_in(30) ? (enum policy_fact)below(5)
							    : POLICY_FACT_MAX };
	random_path(r->path, sizeof(r->path));
	random_path(r->exe, sizeof(r->exe));
	r->comm = PICK(words);
	r->cwd = PICK(words);
	r->ancestors = PICK(lists);
	r->argv = PICK(lists);
	(void)snprintf(r->server, sizeof(r->server), "%s", one_in(2) ? "s" : "sa");
	(void)snprintf(r->tool, sizeof(r->tool), "%s", one_in(2) ? "t" : one_in(8) ? "" : "u");
	r->request = (struct policy_request){
		.action = (enum policy_action)below(POLICY_ACTION_MAX),
		.path = span_of(r->path),
		.is_directory = one_in(3),
		.is_link = one_in(3),
		.also_reads = one_in(2),
		.server = span_of(r->server),
		.tool = span_of(r->tool),
		.fact = one_in(20) ? NULL : give_fact,
		.fact_ctx = r,
	};
	random_network(r);
	random_http(r);
}
