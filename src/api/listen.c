#include "api/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/limits.h"

#define BACKLOG 128

static bool parse_port(struct span s, uint16_t *ret)
{
	uint32_t n = 0;

	if (s.len == 0 || s.len > 5)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (uint32_t)(s.p[i] - '0');
	}
	*ret = (uint16_t)n;
	return n > 0 && n <= UINT16_MAX;
}

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
	port = span_from(text, colon + 1);
	if (colon < text.len && !parse_port(port, &l->port))
		return false;
	l->is_port_given = colon < text.len;
	return parse_host(host, l);
}

int api_listen_parse(struct span text, struct api_listen *ret, struct err *err)
{
	struct api_listen l = API_LISTEN_DEFAULT;
	struct span t = span_trim(text);

	if (t.len == 0)
		l.address[0] = 0;
	else if (parse_port(t, &l.port))
		l.is_port_given = true;
	else if (!parse_parts(t, &l))
		return err_say(err, -EINVAL,
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

static int listen_at(const struct api_listen *l, uint16_t port, int *ret_fd)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is_v6 = strchr(l->address, ':') != NULL;
	_cleanup_close_ int fd = -1;
	int on = 1;

	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, l->address,
		      is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1)
		return -EINVAL;
	fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (is_v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
		 is_v6 ? sizeof(v6) : sizeof(v4)) < 0)
		return -errno;
	if (listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int api_listen_open(struct api_listen *l, struct err *err)
{
	uint32_t port = l->port;
	int r = listen_at(l, l->port, &l->fd);

	for (int i = 1; r == -EADDRINUSE && !l->is_port_given && i < LIMIT_API_PORTS; i++) {
		if (++port > UINT16_MAX)
			break;
		r = listen_at(l, (uint16_t)port, &l->fd);
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
