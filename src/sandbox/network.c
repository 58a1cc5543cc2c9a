#include "sandbox/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/firewall.h"
#include "sandbox/netlink.h"

#define LOOPBACK_INDEX 1 /* the first interface of every namespace */
#define BACKLOG 4096

/* "local default dev lo": whatever the agent dials is here, where the rules can catch it. */
static void put_local_default(struct netlink *n, uint8_t family, const void *source, size_t len)
{
	static const uint32_t loopback = LOOPBACK_INDEX;
	struct rtmsg m = { .rtm_family = family,
			   .rtm_table = RT_TABLE_LOCAL,
			   .rtm_protocol = RTPROT_BOOT,
			   .rtm_scope = RT_SCOPE_HOST,
			   .rtm_type = RTN_LOCAL };

	netlink_begin(n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &m, sizeof(m));
	netlink_put(n, RTA_OIF, &loopback, sizeof(loopback));
	netlink_put(n, RTA_PREFSRC, source, len);
}

static int raise_loopback(struct netlink *n)
{
	struct ifinfomsg up = { .ifi_index = LOOPBACK_INDEX,
				.ifi_flags = IFF_UP,
				.ifi_change = IFF_UP };
	struct in_addr source = { htonl(INADDR_LOOPBACK) };

	netlink_begin(n, RTM_NEWLINK, 0, &up, sizeof(up));
	put_local_default(n, AF_INET, &source, sizeof(source));
	return netlink_exchange(n);
}

static int route_ipv6(struct netlink *n)
{
	put_local_default(n, AF_INET6, &in6addr_loopback, sizeof(in6addr_loopback));
	return netlink_exchange(n);
}

static int open_socket(int family, int type, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = in6addr_loopback };
	const void *address = family == AF_INET ? (const void *)&v4 : &v6;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	_cleanup_close_ int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, address, len) < 0)
		return -errno;
	if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* One socket for each family; *has_ipv6 becomes false where there is no IPv6. */
static int open_pair(int type, uint16_t port, bool *has_ipv6, int ret[2])
{
	ret[0] = open_socket(AF_INET, type, port);
	if (ret[0] < 0)
		return ret[0];
	ret[1] = *has_ipv6 ? open_socket(AF_INET6, type, port) : -EAFNOSUPPORT;
	if (ret[1] == -EAFNOSUPPORT || ret[1] == -EADDRNOTAVAIL) {
		*has_ipv6 = false;
		ret[1] = open_socket(AF_INET, type, 0);
	}
	return MIN(ret[1], 0);
}

static int open_sockets(struct network_sockets *ret, bool *has_ipv6)
{
	int r = open_pair(SOCK_STREAM, NETWORK_PROXY_PORT, has_ipv6, ret->tcp);

	if (r >= 0)
		r = open_pair(SOCK_DGRAM, NETWORK_DNS_PORT, has_ipv6, ret->dns_udp);
	if (r >= 0)
		r = open_pair(SOCK_STREAM, NETWORK_DNS_PORT, has_ipv6, ret->dns_tcp);
	return r;
}

/* Servers on port 80 work without privilege. ICMP sockets are nobody's in a new namespace. */
static int permit_low_ports(void)
{
	_cleanup_close_ int fd =
		open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, "0", 1);
}

int network_make(struct network_sockets *ret, struct err *err)
{
	_cleanup_netlink_ struct netlink n = NETLINK_INIT;
	bool has_ipv6 = true;
	int r = netlink_open(&n, NETLINK_ROUTE);

	if (r >= 0)
		r = raise_loopback(&n);
	if (r < 0)
		return err_set(err, r, "bring up the container's loopback");
	r = open_sockets(ret, &has_ipv6);
	if (r < 0)
		return err_set(err, r, "open the proxy's sockets in the container");
	if (has_ipv6)
		r = route_ipv6(&n);
	if (r < 0)
		return err_set(err, r, "route IPv6 to the container's loopback");
	r = permit_low_ports();
	if (r < 0)
		return err_set(err, r, "set the container's network parameters");
	return firewall_make(NETWORK_PROXY_PORT, NETWORK_DNS_PORT, err);
}
