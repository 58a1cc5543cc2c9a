/*
 * What the supervisor's threads share. Made once by supervise.c before the
 * first worker starts; what changes afterwards says so, and how it is guarded.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "event/ring.h"
#include "policy/policy.h"
#include "supervise/affinity.h"
#include "supervise/supervise.h"
#include "supervise/top-links.h"

#define SUPERVISOR_EXEC_SLOTS 4096

struct supervisor {
	int control_fd, proxy_fd, listener_fd;
	int outer_proc_fd; /* /proc as the host sees it: tasks by their host numbers */
	int own_fds_fd;	   /* /proc/self/fd of that /proc; every worker's working directory */
	struct stat root;  /* of the container's root directory */
	struct top_links links; /* of that directory */
	uint64_t root_mount;	/* and its mount, where there are many users */
	bool has_many_users;	/* see identity.h */
	dev_t memory_dev;  /* device of memfds and other nameless memory files */
	size_t notify_len;
	bool has_sync_wake; /* who is answered wakes up on the processor of who answers */
	uint16_t proxy_port, dns_port;
	struct event_ring *ring;

	/*
	 * Names in the tree: shared by whoever makes or removes one name, exclusive
	 * for who moves a whole directory, so that what was decided about the names
	 * below it still holds when it moves.
	 */
	pthread_rwlock_t tree_lock;

	pthread_mutex_t policy_lock;
	pthread_cond_t policy_idle; /* signalled when a worker lets go of an old policy */
	struct policy *policy;	    /* guarded by policy_lock; workers hold references */

	pthread_mutex_t proxy_lock; /* one message to the proxy at a time */

	/* Counts execs by process number modulo the size: cached facts of others are stale. */
	_Atomic uint32_t execs[SUPERVISOR_EXEC_SLOTS];

	_Atomic uint32_t n_odd_names; /* see regular.h */

	struct affinity_left affinity_left;

	struct pool *pool;
	struct watch *watch;
	struct exits *exits;
};
