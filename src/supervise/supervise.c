/*
 * Start-up and control. Read setup() from top to bottom: what the process
 * takes hold of outside, how it enters the container, what it gives up.
 */
#include "supervise/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "supervise/blocking.h"
#include "supervise/caps.h"
#include "supervise/exits.h"
#include "supervise/identity.h"
#include "supervise/link.h"
#include "supervise/notify.h"
#include "supervise/program.h"
#include "supervise/supervisor.h"
#include "supervise/watch.h"
#include "supervise/worker.h"

#define MAX_DEFAULT_WORKERS 8
#define CHECK_MS 100
/* Programs that end one after the other wake this thread, and so disturb the next, only so often.
 */
#define EXITS_MS 10
/* What a worker may take, at the end, for the last call. */
#define SETTLE_MS 1000
#define MAX_START_WORKERS 64

const struct ipc_type supervise_to_supervisor[SUPERVISE_MESSAGE_MAX] = {
	[SUPERVISE_START] = { "start", sizeof(struct supervise_start),
			      sizeof(struct supervise_start), 4 },
	[SUPERVISE_PROXY] = { "proxy", 0, 0, 1 },
	[SUPERVISE_POLICY] = { "policy", 0, 0, 1 },
};

const struct ipc_type supervise_to_daemon[SUPERVISE_MESSAGE_MAX] = {
	[SUPERVISE_POLICY_APPLIED] = { "policy applied", sizeof(uint64_t), sizeof(uint64_t), 0 },
	[SUPERVISE_READY] = { "ready", 0, 0, 0 },
	[SUPERVISE_FAILED] = { "failed", 0, sizeof(((struct err *)0)->text), 0 },
};

/* ---- start ---- */

static int take_outside(struct supervisor *s, struct err *err)
{
	int memory_fd;
	struct stat st;

	s->outer_proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->outer_proc_fd < 0)
		return err_set(err, -errno, "open /proc");
	s->own_fds_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->own_fds_fd < 0)
		return err_set(err, -errno, "open /proc/self/fd");
	memory_fd = memfd_create("probe", MFD_CLOEXEC);
	if (memory_fd < 0 || fstat(memory_fd, &st) < 0)
		return err_set(err, -errno, "make a memory file");
	s->memory_dev = st.st_dev;
	fd_close(memory_fd);
	return 0;
}

static int enter_container(struct supervisor *s, pid_t init_pid, int init_pidfd, struct err *err)
{
	static const int others[] = { CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP };
	_cleanup_close_ int root_fd = -1;
	char name[32];

	(void)snprintf(name, sizeof(name), "%d/root", (int)init_pid);
	root_fd = openat(s->outer_proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, -errno, "open the container's root");
	if (setns(init_pidfd, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
		return err_set(err, -errno, "enter the container");
	/* What /proc/sys shows depends on these; a container may share them with the host. */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		(void)setns(init_pidfd, others[i]);
	if (fchdir(root_fd) < 0 || chroot(".") < 0)
		return err_set(err, -errno, "take the container's root");
	if (stat("/", &s->root) < 0)
		return err_set(err, -errno, "look at the container's root");
	if (s->has_many_users && identity_mount_of(root_fd, &s->root_mount) < 0)
		return err_say(err, -ENOSYS,
			       "the kernel does not say which mount a file is on (Linux 5.8)");
	top_links_read(&s->links);
	return 0;
}

static int give_up_power(bool has_many_users, struct err *err)
{
	struct rlimit files, core = { 0, 0 };
	sigset_t all;
	int r;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)setrlimit(RLIMIT_CORE, &core);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, -errno, "become undumpable");
	r = caps_drop(has_many_users);
	if (r < 0)
		return err_set(err, r, "drop capabilities");
	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGUSR1);
	(void)sigdelset(&all, SIGTERM);
	(void)sigdelset(&all, SIGSEGV); /* a crash ends the process: every call then fails */
	(void)sigdelset(&all, SIGBUS);
	(void)sigdelset(&all, SIGABRT);
	r = pthread_sigmask(SIG_SETMASK, &all, NULL);
	return r ? err_set(err, -r, "block signals") : 0;
}

static int init_shared(struct supervisor *s, struct err *err)
{
	int r = notify_size(&s->notify_len);

	if (r < 0)
		return err_set(err, r, "seccomp notifications");
	s->has_sync_wake = notify_set_sync_wake(s->listener_fd) == 0;
	s->watch = watch_new();
	s->exits = exits_new(s->outer_proc_fd, s->ring);
	if (!s->exits)
		return err_set(err, -errno, "watch the ends of programs");
	(void)pthread_rwlock_init(&s->tree_lock, NULL);
	(void)pthread_mutex_init(&s->affinity_left.lock, NULL);
	(void)pthread_mutex_init(&s->policy_lock, NULL);
	(void)pthread_cond_init(&s->policy_idle, NULL);
	(void)pthread_mutex_init(&s->proxy_lock, NULL);
	return 0;
}

static int setup(struct supervisor *s, struct ipc_message *m, struct supervise_start *start,
		 struct err *err)
{
	int init_pidfd = m->fds[0];
	int r;

	memcpy(start, m->payload.data, sizeof(*start));
	s->proxy_port = start->proxy_port;
	s->dns_port = start->dns_port;
	s->has_many_users = start->has_many_users;
	if (s->has_many_users)
		program_trust_no_owner();
	s->listener_fd = fd_dup(m->fds[1]);
	if (s->listener_fd < 0)
		return err_set(err, s->listener_fd, "keep the listener");
	/* the ring keeps using its wake descriptor */
	r = event_ring_open_writer(m->fds[2], m->fds[3], &s->ring);
	if (r < 0)
		return err_set(err, r, "map the event ring");
	r = take_outside(s, err);
	if (r == 0)
		r = enter_container(s, start->init_pid, init_pidfd, err);
	if (r == 0)
		r = give_up_power(s->has_many_users, err);
	return r < 0 ? r : init_shared(s, err);
}

/* ---- policies ---- */

static void is_holding_other(struct worker *w, void *ctx)
{
	struct supervisor *s = w->s;

	/* a worker that waits for somebody has decided long ago and decides again before it goes on
	 */
	if (w->policy && w->policy != s->policy && !w->is_blocked)
		*(bool *)ctx = true;
}

/* With policy_lock held. A worker that begins to wait gives no signal, so look again now and then.
 */
static void wait_until_used(struct supervisor *s)
{
	for (;;) {
		uint64_t at = clock_real_ns() + 5 * NS_PER_MS;
		struct timespec until = { (time_t)(at / NS_PER_SEC), (long)(at % NS_PER_SEC) };
		bool is_other = false;

		pool_each(s, is_holding_other, &is_other);
		if (!is_other)
			return;
		(void)pthread_cond_timedwait(&s->policy_idle, &s->policy_lock, &until);
	}
}

static int apply_policy(struct supervisor *s, int bundle_fd, struct err *err)
{
	struct policy *new = NULL, *old;
	uint64_t generation;
	int r = policy_open(bundle_fd, &new, err);

	if (r < 0)
		return r;
	generation = policy_generation(new);
	(void)pthread_mutex_lock(&s->policy_lock);
	old = s->policy;
	s->policy = new;
	if (s->pool)
		wait_until_used(s);
	(void)pthread_mutex_unlock(&s->policy_lock);
	policy_unref(old);
	r = ipc_send(s->control_fd, SUPERVISE_POLICY_APPLIED, 0,
		     span_make(&generation, sizeof(generation)), NULL, 0);
	return r < 0 ? err_set(err, r, "acknowledge the policy") : 0;
}

/* ---- life ---- */

/*
 * A waiting worker is woken by every call, so each one more makes all calls
 * dearer: with two of them on two CPUs an open took half as long again. One
 * answers more than 100,000 calls in a second.
 */
static size_t default_workers(void)
{
	long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return n_cpus < 8 ? 1 : MIN((size_t)n_cpus / 4, MAX_DEFAULT_WORKERS);
}

static int start_serving(struct supervisor *s, size_t n, struct err *err)
{
	int r = pool_start(s, n ? MIN(n, MAX_START_WORKERS) : default_workers());

	if (r < 0)
		return err_set(err, r, "start the workers");
	r = ipc_send(s->control_fd, SUPERVISE_READY, 0, (struct span){ 0 }, NULL, 0);
	return r < 0 ? err_set(err, r, "report that the supervisor is ready") : 0;
}

/* Returns 1 to go on, 0 when the daemon is gone, or a negative errno. */
static int handle_control(struct supervisor *s, size_t n_workers, struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(s->control_fd, supervise_to_supervisor, SUPERVISE_MESSAGE_MAX, &m);

	if (r == 0 || r == -EAGAIN)
		return r ? 1 : 0;
	if (r < 0)
		return err_set(err, r, "read the daemon's message");
	switch ((enum supervise_message)m.type) {
	case SUPERVISE_PROXY:
		if (s->proxy_fd >= 0)
			return err_say(err, -EBADMSG, "a second proxy was announced");
		s->proxy_fd = TAKE_FD(m.fds[0]);
		m.n_fds = 0;
		return 1;
	case SUPERVISE_POLICY:
		r = apply_policy(s, m.fds[0], err);
		if (r == 0 && !s->pool)
			r = start_serving(s, n_workers, err);
		return r < 0 ? r : 1;
	case SUPERVISE_NONE:
	case SUPERVISE_START:
	case SUPERVISE_POLICY_APPLIED:
	case SUPERVISE_READY:
	case SUPERVISE_FAILED:
	case SUPERVISE_MESSAGE_MAX:
		break;
	}
	return err_say(err, -EBADMSG, "an unexpected message from the daemon");
}

static int serve(struct supervisor *s, size_t n_workers, struct err *err)
{
	bool has_just_handled = false;

	for (;;) {
		struct pollfd polls[] = { { .fd = s->control_fd, .events = POLLIN },
					  { .fd = s->proxy_fd, .events = POLLIN },
					  { .fd = has_just_handled ? -1 : exits_fd(s->exits),
					    .events = POLLIN } };
		int r;

		if (poll(polls, ARRAY_SIZE(polls), has_just_handled ? EXITS_MS : CHECK_MS) < 0) {
			if (errno != EINTR)
				return err_set(err, -errno, "wait for messages");
			continue;
		}
		if (s->pool)
			pool_check(s);
		/* Before the daemon's going is seen: by then everything inside has ended. */
		has_just_handled = exits_handle(s->exits);
		if (polls[0].revents) {
			r = handle_control(s, n_workers, err);
			if (r <= 0)
				return r;
		}
		/* without the proxy there is no way out; files are decided all the same */
		if (polls[1].revents && !link_handle(s)) {
			(void)pthread_mutex_lock(&s->proxy_lock);
			fd_close(s->proxy_fd);
			s->proxy_fd = -1;
			(void)pthread_mutex_unlock(&s->proxy_lock);
		}
	}
}

static int supervise(struct supervisor *s, struct err *err)
{
	/* stays alive: the ring's wake descriptor is one of its descriptors */
	static struct ipc_message first = IPC_MESSAGE_INIT;
	struct supervise_start start;
	int r = ipc_receive(s->control_fd, supervise_to_supervisor, SUPERVISE_MESSAGE_MAX, &first);

	if (r <= 0)
		return r;
	if (first.type != SUPERVISE_START)
		return err_say(err, -EBADMSG, "the daemon's first message is not \"start\"");
	r = setup(s, &first, &start, err);
	if (r < 0)
		return r;
	return serve(s, start.n_workers, err);
}

int supervise_main(int control_fd)
{
	static struct supervisor s;
	struct err err = { 0 };
	int r;

	s = (struct supervisor){ .control_fd = control_fd,
				 .proxy_fd = -1,
				 .listener_fd = -1,
				 .outer_proc_fd = -1,
				 .own_fds_fd = -1 };
	r = supervise(&s, &err);
	if (r < 0)
		r = ipc_send(control_fd, SUPERVISE_FAILED, 0, span_of(err.text), NULL, 0) < 0
			    ? r
			    : -EIO;
	if (s.pool)
		pool_settle(&s, SETTLE_MS);
	/* That was all: the daemon need not wait until our memory is taken apart. */
	(void)shutdown(control_fd, SHUT_RDWR);
	/* with the process its workers and the listener end: what waits fails with ENOSYS */
	_exit(r < 0 ? 1 : 0);
}
