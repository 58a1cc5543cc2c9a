#include "api/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/tcp.h"

static bool parse_host(struct span s, struct api_listen *l)
{
	unsigned char bytes[16];

	if (s.len == 0 || span_eq_nocase(s, SPAN("localhost")))
		s = SPAN("127.0.0.1");
	if (s.len >= sizeof(l->address) || memchr(s.p, 0, s.len))
		return false;
	memcpy(l->address, s.p, s.len);
	l->address[s.len] = 0;
	return inet_pton(AF_INET, l->address, bytes) == 1 ||
	       inet_pton(AF_INET6, l->address, bytes) == 1;
}

/* Splits at the last colon, unless that is one of a bare IPv6 address. */
static bool parse_parts(struct span text, struct api_listen *l)
{
	const char *bracket = memchr(text.p, ']', text.len);
	struct span host = text, port = { 0 };
	size_t colon = text.len;

	if (text.p[0] == '[') {
		if (!bracket)
			return false;
		host = span_make(text.p + 1, (size_t)(bracket - text.p) - 1);
		port = span_from(text, host.len + 2);
		if (!memchr(host.p, ':', host.len) || (port.len && port.p[0] != ':'))
			return false;
		colon = port.len ? host.len + 2 : text.len;
	} else {
		for (size_t i = 0, n = 0; i < text.len; i++)
			if (text.p[i] == ':')
				colon = n++ ? text.len : i;
		host.len = colon;
	}
	l->is_port_given = colon < text.len;
	if (l->is_port_given)
		l->port = tcp_parse_port(span_from(text, colon + 1));
	if (!l->port)
		return false;
	return parse_host(host, l);
}

int api_listen_parse(struct span text, struct api_listen *ret, struct err *err)
{
	struct api_listen l = API_LISTEN_DEFAULT;
	struct span t = span_trim(text);
	uint16_t port = tcp_parse_port(t);

	l.is_port_given = port != 0;
	if (t.len == 0)
		l.address[0] = 0;
	else if (port)
		l.port = port;
	else if (!parse_parts(t, &l))
		return err_say(
			err, -EINVAL,
			"%.*s: expected PORT, ADDRESS, ADDRESS:PORT or [IPV6]:PORT, ports 1 to "
			"65535, or nothing at all for no API",
			(int)MIN(text.len, 100), text.p);
	*ret = l;
	return 0;
}

bool api_listen_is_loopback(const struct api_listen *l)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, l->address, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return strcmp(l->address, "::1") == 0;
}

bool api_listen_is_any(const struct api_listen *l)
{
	struct in6_addr v6;

	if (inet_pton(AF_INET6, l->address, &v6) == 1)
		return IN6_IS_ADDR_UNSPECIFIED(&v6);
	return strcmp(l->address, "0.0.0.0") == 0;
}

int api_listen_open(struct api_listen *l, struct err *err)
{
	uint32_t port = l->port;
	int r = tcp_listen(l->address, l->port, /* is_v6_only = */ true, &l->fd);

	for (int i = 1; r == -EADDRINUSE && !l->is_port_given && i < LIMIT_API_PORTS; i++) {
		if (++port > UINT16_MAX)
			break;
		r = tcp_listen(l->address, (uint16_t)port, /* is_v6_only = */ true, &l->fd);
	}
	if (r < 0)
		return err_set(err, r, "listen on %s port %u%s", l->address, l->port,
			       r == -EADDRINUSE ? " (--listen names another)" : "");
	l->port = (uint16_t)port;
	return 0;
}

void api_listen_close(struct api_listen *l)
{
	if (l->fd >= 0)
		fd_close(TAKE_FD(l->fd));
}
