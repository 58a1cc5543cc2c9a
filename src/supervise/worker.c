#include "supervise/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "supervise/blocking.h"
#include "supervise/decide.h"
#include "supervise/handlers.h"
#include "supervise/notify.h"

#define MAX_CACHED_DECISIONS 4096
#define CROWD_NS (20 * NS_PER_MS)
#define LIMIT_ANCESTORS ((size_t)64 * LIMIT_PATH)

struct worker *worker_new(struct supervisor *s)
{
	struct worker *w = xnew(struct worker);

	w->s = s;
	w->decider = policy_decider_new(MAX_CACHED_DECISIONS);
	w->call = xcalloc(1, s->notify_len);
	w->argv.max = LIMIT_ARGV;
	w->ancestors.max = LIMIT_ANCESTORS;
	w->umask = (mode_t)-1;
	process_cache_init(&w->cache);
	return w;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	process_cache_done(&w->cache);
	image_loaders_done(&w->loaders);
	policy_decider_free(w->decider);
	buf_done(&w->argv);
	buf_done(&w->ancestors);
	buf_done(&w->reasons);
	xfree(w->call);
	xfree(w);
}

bool worker_is_call_valid(const struct worker *w)
{
	return notify_is_valid(w->s->listener_fd, w->call->id);
}

int worker_take_umask(struct worker *w)
{
	char text[16];
	mode_t mask;
	int r = process_status_field(w->process->dir_fd, "Umask", text, sizeof(text));

	if (r < 0)
		return r;
	mask = (mode_t)strtoul(text, NULL, 8) & 0777;
	if (mask != w->umask)
		(void)umask(mask);
	w->umask = mask;
	return 0;
}

static void hold_policy(struct worker *w)
{
	(void)pthread_mutex_lock(&w->s->policy_lock);
	w->policy = policy_ref(w->s->policy);
	(void)pthread_mutex_unlock(&w->s->policy_lock);
}

static void release_policy(struct worker *w)
{
	struct policy *p;

	(void)pthread_mutex_lock(&w->s->policy_lock);
	p = TAKE_PTR(w->policy);
	if (p != w->s->policy)
		(void)pthread_cond_signal(&w->s->policy_idle);
	(void)pthread_mutex_unlock(&w->s->policy_lock);
	policy_unref(p);
}

bool worker_renew_policy(struct worker *w)
{
	struct policy *old = w->policy;
	bool is_same;

	(void)pthread_mutex_lock(&w->s->policy_lock);
	is_same = old == w->s->policy;
	if (!is_same)
		w->policy = policy_ref(w->s->policy);
	(void)pthread_mutex_unlock(&w->s->policy_lock);
	if (!is_same)
		policy_unref(old);
	return !is_same;
}

static int64_t refuse(struct worker *w, const struct syscall_row *row)
{
	struct event e = { .kind = EVENT_REFUSED,
			   .error = row->error,
			   .access = span_of(row->name),
			   .message =
				   SPAN("a system call that is never allowed in the container") };

	decide_note(w, &e, EVENT_DENY);
	return -row->error;
}

/* A parent and its child take turns, as a rule, and so do those of whom one is gone before the next
 * comes. */
static void note_caller(struct worker *w)
{
	const struct process *now = w->process;
	pid_t before = w->last.tgid;

	if (now->tgid == before)
		return;
	if (before && before != now->ppid && w->last.ppid != now->tgid &&
	    (kill(before, 0) == 0 || errno == EPERM))
		w->last.crowd_ns = w->started_ns;
	w->last.tgid = now->tgid;
	w->last.ppid = now->ppid;
}

bool worker_is_crowded(const struct worker *w)
{
	return w->last.crowd_ns && w->started_ns - w->last.crowd_ns < CROWD_NS;
}

static int64_t handle(struct worker *w)
{
	const struct syscall_row *row = syscall_find(w->call->data.nr);
	uint64_t args[6];

	affinity_free_left(&w->affinity, (pid_t)w->call->pid);
	if (!row)
		return -ENOSYS;
	w->process = process_find(w, (pid_t)w->call->pid);
	if (!w->process)
		return -EPERM; /* it is gone, or hides from us */
	note_caller(w);
	if (identity_take(w) < 0)
		return -EPERM;
	exec_check(w);
	/* another program may be found to run than was cached */
	w->process = process_find(w, (pid_t)w->call->pid);
	if (!w->process)
		return -EPERM;
	if (!row->handler)
		return refuse(w, row);
	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		args[i] = w->call->data.args[i];
	return row->handler(w, args);
}

bool worker_step(struct worker *w)
{
	int listener_fd = w->s->listener_fd;
	int r = notify_receive(listener_fd, w->call, w->s->notify_len);
	int64_t value;

	if (r == -ENOENT) {
		struct pollfd p = { .fd = listener_fd, .events = POLLIN };

		/* a caller that died meanwhile, or the last one */
		return poll(&p, 1, 0) < 0 || !(p.revents & POLLHUP);
	}
	if (r == -EINTR)
		return true;
	if (r < 0)
		return false;
	w->started_ns = clock_monotonic_ns();
	atomic_store_explicit(&w->busy_ns, w->started_ns, memory_order_relaxed);
	w->process = NULL;
	w->has_argv = false;
	w->is_exec = false;
	hold_policy(w);
	value = handle(w);
	if (value != CALL_IS_ANSWERED)
		(void)notify_answer(listener_fd, w->call->id, value,
				    value < 0 && value >= -4095 ? (int)value : 0);
	release_policy(w);
	if (atomic_exchange(&w->busy_ns, 0) == WORKER_WAS_REPLACED)
		pool_unstick(w);
	if (w->may_rest) {
		w->may_rest = false;
		pool_rest(w);
	}
	return true;
}

void worker_run(struct worker *w)
{
	/* A working directory and a umask of its own: paths of one component, modes as the
	 * caller's. */
	if (unshare(CLONE_FS) < 0 || fchdir(w->s->own_fds_fd) < 0)
		abort();
	affinity_init(&w->affinity, &w->s->affinity_left);
	while (worker_step(w))
		;
}
