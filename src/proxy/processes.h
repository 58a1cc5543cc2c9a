/*
 * Which process opened a connection: the supervisor says so before (or just
 * after) the connection arrives. Bounded; the oldest announcements go.
 */
#pragma once

#include "base/span.h"
#include "policy/policy.h"

/* Facts about one process. An unknown one is all zero. */
struct process {
	int32_t pid, ppid;
	uint32_t uid;
	bool is_known;
	char *exe, *comm, *cwd; /* owned; NULL where unknown */
};

void process_done(struct process *p);
/* For policy_request.fact, with the process as context. */
int process_fact(void *ctx, enum policy_fact fact, struct span *ret);

/* What identifies a connection on this side: the agent's own end of it. */
struct process_key {
	uint8_t family; /* AF_INET or AF_INET6, as the socket was made or as the connection travels
			 */
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t port;	  /* host order */
};

struct processes;

struct processes *processes_new(void);
void processes_free(struct processes *p);
/* Takes one SUPERVISE_PROXY_CONNECTION. -EBADMSG if it is malformed. */
int processes_announce(struct processes *p, struct span payload, uint64_t now_ms,
		       struct process_key *ret_key) _must_check_;
/* Hands over what was announced for the connection. Returns whether there was something. */
bool processes_take(struct processes *p, const struct process_key *key, struct process *ret);
/*
 * What was announced for a datagram socket, which may send more than once: only
 * for a short while, as nothing tells when the socket is gone. NULL if nothing;
 * valid until the next call of processes_announce.
 */
const struct process *processes_look(struct processes *p, const struct process_key *key,
				     uint64_t now_ms);
