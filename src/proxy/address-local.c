#include <errno.h>

#include "proxy/address.h"

/* Only an address of this machine can be bound to; no table of interfaces has to be read. */
bool address_is_local(const struct policy_address *a)
{
	struct endpoint e = { .address = *a };
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&e, &ss);
	_cleanup_close_ int fd = -1;

	if (address_is_loopback(a))
		return true;
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	return bind(fd, (struct sockaddr *)&ss, len) == 0 || errno != EADDRNOTAVAIL;
}
