/*
 * Which names the resolver gave for an address: how a connection to an address
 * gets its name. Bounded; the least recently recorded go first. Also the
 * synthetic addresses that stand for names which the host's /etc/hosts maps to
 * the host's own loopback: inside the container 127.0.0.1 would be the
 * container's, so such a name is answered with an address of 198.18.0.0/15
 * (RFC 2544) or fd6c:6561:7368::/48, and the proxy maps that back to the name.
 */
#pragma once

#include "base/limits.h"
#include "proxy/name.h"

struct names;

struct names *names_new(void);
void names_free(struct names *n);

/* Records that name resolved to address, until now_ms + max(ttl, LIMIT_PROXY_NAMES_SECONDS). */
void names_record(struct names *n, const struct policy_address *address, const struct name *name,
		  uint32_t ttl_seconds, uint64_t now_ms);
/* The names of an address, most recently recorded first; returns how many. */
size_t names_of(const struct names *n, const struct policy_address *address, uint64_t now_ms,
		struct name ret[LIMIT_PROXY_NAMES_PER_ADDRESS]);

/*
 * The other addresses of a name than one of them; returns how many. Looks through
 * all records: for when that one does not answer.
 */
size_t names_others(const struct names *n, const struct name *name,
		    const struct policy_address *than, uint64_t now_ms, struct policy_address *ret,
		    size_t max);

/* The synthetic address of a name, the same each time; -ENOSPC when all are taken. */
int names_synthesise(struct names *n, const struct name *name, bool want_v6,
		     struct policy_address *ret) _must_check_;
bool names_is_synthetic(const struct policy_address *address);
/* The name that a synthetic address stands for, or -ENOENT. */
int names_of_synthetic(const struct names *n, const struct policy_address *address,
		       struct name *ret) _must_check_;
