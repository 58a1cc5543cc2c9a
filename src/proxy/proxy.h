/*
 * The proxy: the container's only way out. Connections and DNS queries arrive
 * on listeners that live in the container's network namespace; the process
 * itself lives outside, decides each, resolves names itself, and dials exactly
 * the address it decided on. It confines itself after start.
 */
#pragma once

#include "base/ipc.h"

/* Messages on the control socket between daemon (D) and proxy (P). */
enum proxy_message {
	PROXY_NONE,
	/* D→P first: struct proxy_start; fds: ring memory, ring wake, socket to the supervisor */
	PROXY_START,
	/* D→P: nothing; fds: TCP listeners v4, v6 of the container */
	PROXY_LISTENERS,
	/* D→P: nothing; fds: DNS UDP v4, v6, DNS TCP v4, v6 */
	PROXY_DNS,
	/* D→P, any number: uint16_t container port; fds: a listening socket on the host (-p) */
	PROXY_PUBLISH,
	/* D→P, any number, before the first policy: one secret, as secret-rule.h writes it */
	PROXY_SECRET,
	/* D→P: nothing; fds: socket to the signer (keys.h), the host's trusted roots in PEM */
	PROXY_TRUST,
	/* D→P: nothing; fds: a policy bundle. First time before READY. */
	PROXY_POLICY,
	/* P→D: uint64_t generation: connections are decided on it now */
	PROXY_POLICY_APPLIED,
	/* P→D: nothing */
	PROXY_READY,
	/* P→D: text of a fatal problem; the proxy exits after it */
	PROXY_FAILED,
	PROXY_MESSAGE_MAX,
};

struct proxy_start {
	uint16_t own_ports[8]; /* host ports that are leash's own: never dialled on a local address;
				  0 ends */
	/* They are those of a machine around this one, whose address here is one of a private
	   network (host.docker.internal), and of which it need not be known which. */
	bool is_far;
};

extern const struct ipc_type proxy_to_proxy[PROXY_MESSAGE_MAX];
extern const struct ipc_type proxy_to_daemon[PROXY_MESSAGE_MAX];

/* The proxy's whole life; control_fd is the socket to the daemon. Returns the exit status. */
int proxy_main(int control_fd);
