/*
 * A worker: one thread that takes calls from the listener, one after the
 * other, and answers them. Everything here belongs to that thread alone.
 */
#pragma once

#include <linux/seccomp.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/limits.h"
#include "supervise/affinity.h"
#include "supervise/give.h"
#include "supervise/identity.h"
#include "supervise/image.h"
#include "supervise/process.h"
#include "supervise/program.h"
#include "supervise/regular.h"
#include "supervise/supervisor.h"
#include "supervise/syscalls.h"

#define WORKER_WAS_REPLACED UINT64_MAX /* pool_check has put another in its place */

struct worker {
	struct supervisor *s;
	struct policy_decider *decider;
	struct policy *policy; /* held for the current call; guarded by policy_lock for others */
	struct process_cache cache;
	struct regular_names regular;
	struct program_cache programs;
	struct image_loaders loaders;
	struct affinity affinity;
	struct give_times give_times;
	struct identity identity; /* whose power this thread has; see identity.h */
	bool has_identity;
	struct process *process; /* the caller of the current call */
	struct {
		pid_t tgid, ppid;  /* who called last */
		uint64_t crowd_ns; /* when that was somebody beside the one before; 0: never */
	} last;
	struct seccomp_notif *call;
	uint64_t started_ns;
	mode_t umask;	       /* of this thread, which does not share it */
	struct buf argv;       /* of an exec that is being decided */
	uint64_t argv_address; /* of the exec; see is_exec */
	bool is_exec;	       /* else a policy's argv is that of the running program */
	bool has_argv, is_argv_cut;
	struct buf ancestors;
	struct buf reasons; /* keeps its memory from call to call */
	char comm[64];
	char path[LIMIT_PATH + 1]; /* as the caller gave it */
	char path2[LIMIT_PATH + 1];
	char name[2 * LIMIT_PATH]; /* canonical */
	char name2[2 * LIMIT_PATH];
	char cwd[LIMIT_PATH + 1]; /* of the caller, where a policy asks for it */
	/* see blocking.h */
	pthread_t thread;
	struct worker *next;
	bool is_blocked; /* guarded by the pool's lock */
	bool may_rest;	 /* it has blocked, so there may be more workers than needed */
	_Atomic bool is_interrupted;
	_Atomic uint64_t
		busy_ns; /* when the current call came; 0 between calls, or WORKER_WAS_REPLACED */
};

/* Makes a worker (without a thread). */
struct worker *worker_new(struct supervisor *s) _must_check_;
void worker_free(struct worker *w);
/* Its thread's life; returns when the listener has no more callers. */
void worker_run(struct worker *w);
/* Reads and answers one call. False when the listener is finished. */
bool worker_step(struct worker *w);

/*
 * Takes the newest policy. True if it is another than the call was decided by:
 * then what waited since must be decided again.
 */
bool worker_renew_policy(struct worker *w);
/*
 * Have processes that run beside each other called lately? Then whoever has been
 * answered must not be in this thread's way.
 */
bool worker_is_crowded(const struct worker *w);
/* Does the caller of the current call still wait, as the one that was read from? */
bool worker_is_call_valid(const struct worker *w);
/* Takes the umask of the caller. 0 or negative errno. */
int worker_take_umask(struct worker *w) _must_check_;
