/*
 * The packet rules of the container's network namespace, put into the kernel
 * as nfnetlink messages of our own: no nft program is needed, and its start-up
 * alone would cost more than all of the container's other preparations.
 */
#pragma once

#include "base/err.h"

/*
 * Redirects every TCP connection except those to loopback to proxy_port, and
 * all DNS, loopback included, to dns_port. Whatever is left and does not go to
 * loopback is dropped in the sender's call, which fails with EPERM.
 * Needs CAP_NET_ADMIN in the caller's network namespace.
 */
int firewall_make(uint16_t proxy_port, uint16_t dns_port, struct err *err) _must_check_;
