/*
 * Address ranges: an address together with its prefix means all addresses
 * that share the prefix.
 */
#pragma once

#include "cedar/cedar.h"

/* Are all addresses of a in b? Always false between the families. */
bool ipaddr_is_in_range(const struct cedar_ipaddr *a, const struct cedar_ipaddr *b);
bool ipaddr_is_loopback(const struct cedar_ipaddr *a);
bool ipaddr_is_multicast(const struct cedar_ipaddr *a);
