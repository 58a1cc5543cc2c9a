#include "sandbox/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/firewall.h"
#include "sandbox/netlink.h"

#define LOOPBACK_INDEX 1
#define BACKLOG 4096
/* Far from what programs take by habit. Nothing else runs in the namespace yet. */
#define PROXY_PORT 61080
#define DNS_PORT 61053

static void loopback_up(struct netlink *n)
{
	struct ifinfomsg link = { .ifi_index = LOOPBACK_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	netlink_begin(n, RTM_NEWLINK, NLM_F_ACK, &link, sizeof(link));
	netlink_end(n);
}

/* "local default dev lo": every address is our own, so that connections to it can be taken. */
static void everything_is_local(struct netlink *n, uint8_t family)
{
	struct rtmsg route = { .rtm_family = family,
			       .rtm_table = RT_TABLE_MAIN,
			       .rtm_protocol = RTPROT_STATIC,
			       .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
			       .rtm_type = RTN_LOCAL };
	const struct in_addr source_v4 = { htonl(INADDR_LOOPBACK) };
	uint32_t index = LOOPBACK_INDEX;

	netlink_begin(n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &route, sizeof(route));
	netlink_put(n, RTA_OIF, &index, sizeof(index));
	/* Else a packet's source would be its destination, and the resolver's answer would look like one that leaves. */
	if (family == AF_INET)
		netlink_put(n, RTA_PREFSRC, &source_v4, sizeof(source_v4));
	else
		netlink_put(n, RTA_PREFSRC, &in6addr_loopback, sizeof(in6addr_loopback));
	netlink_end(n);
}

static int set_up_routes(struct err *err)
{
	struct netlink n = NETLINK_INIT;
	int r;

	loopback_up(&n);
	everything_is_local(&n, AF_INET);
	everything_is_local(&n, AF_INET6);
	r = netlink_commit(&n, NETLINK_ROUTE, err);
	buf_done(&n.out);
	return r < 0 ? err_wrap(err, r, "set up the container's loopback") : 0;
}

static int bind_loopback(int fd, int family, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof(v4)) :
				   bind(fd, (struct sockaddr *)&v6, sizeof(v6));
}

static int open_socket(int family, int type, uint16_t port, int *ret_fd)
{
	_cleanup_close_ int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind_loopback(fd, family, port) < 0)
		return -errno;
	if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_listeners(struct network *n)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = 0;

	n->proxy_port = PROXY_PORT;
	n->dns_port = DNS_PORT;
	for (size_t i = 0; i < ARRAY_SIZE(families) && r >= 0; i++) {
		r = open_socket(families[i], SOCK_STREAM, n->proxy_port, &n->tcp_listen_fds[i]);
		if (r >= 0)
			r = open_socket(families[i], SOCK_DGRAM, n->dns_port, &n->dns_udp_fds[i]);
		if (r >= 0)
			r = open_socket(families[i], SOCK_STREAM, n->dns_port, &n->dns_tcp_fds[i]);
	}
	return r;
}

int network_set_up(struct network *ret, struct err *err)
{
	int r = set_up_routes(err);

	if (r < 0)
		return r;
	r = open_listeners(ret);
	if (r < 0)
		return err_set(err, r, "open the proxy's listeners");
	return firewall_install(ret->proxy_port, ret->dns_port, err);
}
