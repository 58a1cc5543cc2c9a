#include "daemon/publish.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/span.h"
#include "base/tcp.h"

#define PORT_ATTEMPTS 1000

/* Splits "ip:host:container" from the right; the ip may be "[v6]". */
static size_t split(struct span s, struct span parts[3])
{
	size_t n = 0;

	while (n < 2) {
		size_t at = s.len;

		while (at > 0 && s.p[at - 1] != ':')
			at--;
		if (at == 0 || (s.p[0] == '[' && s.p[s.len - 1] == ']'))
			break;
		parts[n++] = span_from(s, at);
		s.len = at - 1;
	}
	parts[n++] = s;
	return n;
}

static int open_listener(struct published_port *p, bool is_host_given)
{
	int r = -EADDRINUSE;

	for (int i = 0; i < (is_host_given ? 1 : PORT_ATTEMPTS) && r == -EADDRINUSE; i++) {
		uint32_t port = (is_host_given ? p->host : p->container) + (uint32_t)i;

		if (port > UINT16_MAX)
			break;
		r = tcp_listen(p->address, (uint16_t)port, /* is_v6_only = */ false, &p->listen_fd);
		if (r >= 0)
			p->host = (uint16_t)port;
	}
	return r;
}

static unsigned another_port(uint16_t port)
{
	return port < UINT16_MAX ? port + 1U : port - 1U;
}

int publish_open(published_ports *ports, const char *option, struct err *err)
{
	struct published_port p = { .listen_fd = -1 };
	struct span text = span_of(option);
	struct span parts[3];
	size_t n;
	int r;

	if (span_ends_with(text, SPAN("/udp")))
		return err_say(err, -EINVAL, "-p %s: UDP ports cannot be published; use TCP", option);
	if (span_ends_with(text, SPAN("/tcp")))
		text.len -= 4;
	n = split(text, parts);
	p.container = tcp_parse_port(parts[0]);
	p.host = n > 1 && parts[1].len ? tcp_parse_port(parts[1]) : p.container;
	if (!p.container || !p.host)
		return err_say(err, -EINVAL,
			       "-p %s: expected [ADDRESS:][HOST-PORT:]CONTAINER-PORT, ports 1 to 65535", option);
	if (n > 2 && parts[2].len > 1 && parts[2].p[0] == '[')
		parts[2] = span_make(parts[2].p + 1, parts[2].len - 2);
	p.address = n > 2 ? xmemdup0(parts[2].p, parts[2].len) : xstrdup("127.0.0.1");
	r = open_listener(&p, n > 1 && parts[1].len);
	if (r == -EADDRINUSE)
		(void)err_say(err, r,
			      "-p %s: port %u of %s is taken; end what listens there, name another "
			      "(-p %u:%u), or none for the next one that is free (-p %u)",
			      option, p.host, p.address, another_port(p.host), p.container,
			      p.container);
	else if (r < 0)
		(void)err_set(err, r, "-p %s: listen on %s port %u", option, p.address, p.host);
	if (r < 0) {
		xfree(p.address);
		return r;
	}
	vec_push(ports, p);
	return 0;
}

void publish_done(published_ports *ports)
{
	for (size_t i = 0; i < ports->len; i++) {
		xfree(ports->items[i].address);
		if (ports->items[i].listen_fd >= 0)
			fd_close(ports->items[i].listen_fd);
	}
	vec_done(ports);
}
