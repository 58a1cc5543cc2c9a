/*
 * The supervisor: answers the system calls that the container's seccomp filter
 * holds. One process, several worker threads, in the container's user, mount
 * and network namespaces but outside its pid namespace, where nobody inside
 * can see, signal or trace it. See docs/internals/supervise.md.
 */
#pragma once

#include <linux/filter.h>

#include "base/err.h"
#include "base/ipc.h"

/* Messages on the control socket between daemon (D) and supervisor (S). */
enum supervise_message {
	SUPERVISE_NONE,
	/* D→S first: struct supervise_start; fds: init's pidfd, the seccomp listener, ring memory,
	   ring wake */
	SUPERVISE_START,
	/* D→S second: nothing; fds: the socket to the proxy */
	SUPERVISE_PROXY,
	/* D→S: nothing; fds: a policy bundle. First time before READY. */
	SUPERVISE_POLICY,
	/* S→D: uint64_t generation: every worker now decides on it */
	SUPERVISE_POLICY_APPLIED,
	/* S→D: nothing: notifications are being answered */
	SUPERVISE_READY,
	/* S→D: text of a fatal problem; the supervisor exits after it */
	SUPERVISE_FAILED,
	SUPERVISE_MESSAGE_MAX,
};

struct supervise_start {
	int32_t command_pid; /* first process of the agent, as the host numbers it */
	int32_t init_pid;
	uint16_t proxy_port, dns_port; /* the proxy's listeners inside the container: no agent may
					  bind or dial them directly */
	uint16_t has_many_users;       /* as struct sandbox_options has a user */
	uint16_t n_workers;	       /* 0: choose */
};

/* Messages on the socket between supervisor (S) and proxy (P). */
enum supervise_proxy_message {
	SUPERVISE_PROXY_NONE,
	/* S→P: struct supervise_connection, exe, comm, cwd (each NUL-terminated): a socket is about
	   to connect */
	SUPERVISE_PROXY_CONNECTION,
	/* P→S: uint16_t port: connect to this port on the container's loopback (published ports) */
	SUPERVISE_PROXY_DIAL,
	/* S→P, id of the request: int32_t errno, then one fd if 0 (DIALLED) or none (DIAL_FAILED)
	 */
	SUPERVISE_PROXY_DIALLED,
	SUPERVISE_PROXY_DIAL_FAILED,
	SUPERVISE_PROXY_MESSAGE_MAX,
};

struct supervise_connection {
	uint8_t family;	     /* AF_INET or AF_INET6 */
	uint8_t protocol;    /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t local_port; /* of the agent's socket, host order: identifies the connection for the
				proxy */
	int32_t pid, ppid;
	uint32_t uid;
};

/* The tables both ends check messages against. */
extern const struct ipc_type supervise_to_supervisor[SUPERVISE_MESSAGE_MAX];
extern const struct ipc_type supervise_to_daemon[SUPERVISE_MESSAGE_MAX];
extern const struct ipc_type supervise_supervisor_to_proxy[SUPERVISE_PROXY_MESSAGE_MAX];
extern const struct ipc_type supervise_proxy_to_supervisor[SUPERVISE_PROXY_MESSAGE_MAX];

/* The supervisor's whole life; control_fd is the socket to the daemon. Returns the exit status. */
int supervise_main(int control_fd);

/*
 * The seccomp program for the container, and the flags to install it with.
 * The program is newly allocated (free with xfree(program->filter)).
 */
int supervise_filter(struct sock_fprog *ret, unsigned int *ret_flags, struct err *err) _must_check_;

/* What the kernel offers for supervision, one line each for `leash doctor`. */
struct supervise_probe {
	const char *name;
	bool is_present, is_required;
	char detail[256];
};
size_t supervise_probe(struct supervise_probe *rows, size_t max);
