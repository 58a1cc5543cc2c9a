#include "supervise/trace.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "supervise/caps.h"
#include "supervise/notify.h"
#include "supervise/worker.h"

/* Our death must not release a task that nobody has looked at: EXITKILL. */
#define OPTIONS ((void *)(PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL))

static bool seize(pid_t tid)
{
	long r = ptrace(PTRACE_SEIZE, tid, NULL, OPTIONS);

	if (r == 0 || errno != EPERM)
		return r == 0;
	caps_raise(); /* not dumpable, or Yama */
	r = ptrace(PTRACE_SEIZE, tid, NULL, OPTIONS);
	caps_lower();
	return r == 0;
}

/*
 * Waits for the first stop. Under PTRACE_SEIZE the exec stop comes before
 * anything else that a task can stop for after a successful exec; a stop of
 * any other kind therefore says that the call has returned without one.
 */
static enum trace_outcome wait_for_exec(struct affinity *a, pid_t *ret_pid)
{
	for (;;) {
		int status;
		/* -1: a thread that executes takes over the number of its leader */
		pid_t pid = waitpid(-1, &status, __WALL | __WNOTHREAD);
		int event, number;

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0 || !WIFSTOPPED(status)) {
			affinity_drop(a);
			return TRACE_GONE;
		}
		event = status >> 16;
		if (event == PTRACE_EVENT_EXEC) {
			*ret_pid = pid;
			return TRACE_EXECUTED;
		}
		affinity_free_self(a);
		affinity_free_caller(a, pid);
		number =
			event ? 0 : WSTOPSIG(status); /* a signal that is being delivered goes on */
		(void)ptrace(PTRACE_DETACH, pid, NULL, (void *)(intptr_t)number);
		return TRACE_FAILED;
	}
}

enum trace_outcome trace_exec(struct worker *w, bool is_held, pid_t *ret_pid)
{
	pid_t tid = (pid_t)w->call->pid;
	enum trace_outcome outcome;

	if (!seize(tid))
		return worker_is_call_valid(w) ? TRACE_UNTRACEABLE : TRACE_GONE;
	/* An exec looks for a processor of its own, and this thread still stands on the one it is
	 * on. */
	if (is_held)
		affinity_take(&w->affinity, tid);
	if (notify_continue(w->s->listener_fd, w->call->id) < 0) {
		/* the call is gone, so this may even be another task under the same number */
		(void)ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
		outcome = wait_for_exec(&w->affinity, ret_pid);
		if (outcome == TRACE_EXECUTED)
			trace_kill(w, *ret_pid); /* it got by without a decision */
		return TRACE_GONE;
	}
	/* So that an exec which fails, and would go on unseen, stops as well. */
	(void)ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	return wait_for_exec(&w->affinity, ret_pid);
}

void trace_release(struct worker *w, pid_t pid, bool begins_in_loader)
{
	bool is_left;

	/* First, so that an idle processor can take this thread over while the program has this
	 * one. */
	affinity_free_self(&w->affinity);
	is_left = begins_in_loader && affinity_leave(&w->affinity, pid);
	if (!is_left)
		affinity_free_caller(&w->affinity, pid);
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	if (is_left)
		affinity_free_left(&w->affinity, pid);
}

void trace_kill(struct worker *w, pid_t pid)
{
	int status;

	affinity_drop(&w->affinity);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, __WALL | __WNOTHREAD) < 0 && errno == EINTR)
		;
}
