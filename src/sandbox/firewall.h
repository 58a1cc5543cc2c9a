/*
 * The rules of the container's network: whatever leaves goes to the proxy, to
 * the resolver, or nowhere. Written as nf_tables messages, because starting
 * the nft program would take longer than the rest of the container together.
 */
#pragma once

#include "base/err.h"

/* To be called in the container's network namespace, with CAP_NET_ADMIN in it. */
int firewall_install(uint16_t proxy_port, uint16_t dns_port, struct err *err) _must_check_;
