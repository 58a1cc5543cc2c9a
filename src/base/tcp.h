/*
 * TCP's listening sockets and the ports that people name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/span.h"

/* 1 to 65535 in decimal digits, five at most, and nothing else; 0 for any other text. */
uint16_t tcp_parse_port(struct span text);

/*
 * Listens at an address in numbers (IPv6 without brackets), non-blocking,
 * close-on-exec. is_v6_only: an IPv6 address takes no clients of IPv4. The
 * descriptor is the caller's. -EINVAL for what is no address, or the socket's errno.
 */
int tcp_listen(const char *address, uint16_t port, bool is_v6_only, int *ret_fd) _must_check_;
