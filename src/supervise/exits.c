#include "supervise/exits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/map.h"
#include "supervise/process.h"
#include "supervise/task-info.h"

#define MAX_PROCESSES ((size_t)4096)
/* Of the descriptors this process may have: the others are for answering calls. */
#define SHARE_OF_FDS 4
#define AT_ONCE 64

struct running {
	pid_t pid, ppid;
	uint32_t uid;
	int pidfd;
	char *exe, *comm, *cwd, *path;
};

struct exits {
	pthread_mutex_t lock;
	int epoll_fd, proc_fd;
	struct event_ring *ring;
	size_t max;
	struct map running; /* by pid */
};

static struct span key_of(const pid_t *pid)
{
	return span_make(pid, sizeof(*pid));
}

static void forget_facts(struct running *p)
{
	xfree(p->exe);
	xfree(p->comm);
	xfree(p->cwd);
	xfree(p->path);
}

static void running_free(struct running *p)
{
	if (p->pidfd >= 0)
		fd_close(p->pidfd);
	forget_facts(p);
	xfree(p);
}

struct exits *exits_new(int proc_fd, struct event_ring *ring)
{
	struct rlimit files = { 0 };
	struct exits *x = xnew(struct exits);

	(void)getrlimit(RLIMIT_NOFILE, &files);
	*x = (struct exits){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
			     .proc_fd = proc_fd,
			     .ring = ring,
			     .max = MIN((size_t)files.rlim_cur / SHARE_OF_FDS, MAX_PROCESSES) };
	if (x->epoll_fd < 0) {
		xfree(x);
		return NULL;
	}
	(void)pthread_mutex_init(&x->lock, NULL);
	return x;
}

int exits_fd(const struct exits *x)
{
	return x->epoll_fd;
}

/* ---- How it ended ------------------------------------------------------------ */

/* As a shell says it: the status, or 128 and the signal's number. */
static void set_status(struct event *e, int wait_status)
{
	e->has_status = true;
	e->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

/* proc_pid_stat(5): the last field, counted from the parenthesis that ends the name. */
static bool parse_exit_code(const char *stat, int *ret)
{
	const char *at = strrchr(stat, ')'), *last;
	char *end;
	long code;

	if (!at || strncmp(at, ") Z ", 4) != 0)
		return false;
	last = strrchr(at, ' ');
	errno = 0;
	code = strtol(last + 1, &end, 10);
	if (errno || end == last + 1 || (*end && *end != '\n') || code < 0 || code > 0xffff)
		return false;
	*ret = (int)code;
	return true;
}

/* What nobody has waited for yet is still listed; that it is there afterwards says that it was this
 * one. */
static bool read_zombie(const struct exits *x, const struct running *p, int *ret)
{
	char name[32], text[1024];

	(void)snprintf(name, sizeof(name), "%d/stat", (int)p->pid);
	return process_read_file(x->proc_fd, name, text, sizeof(text)) == 0 &&
	       parse_exit_code(text, ret) &&
	       syscall(SYS_pidfd_send_signal, p->pidfd, 0, NULL, 0) == 0;
}

static void record_exit(struct exits *x, const struct running *p)
{
	struct task_info info = { .mask = TASK_INFO_EXIT };
	struct event e = { .kind = EVENT_PROC_EXIT,
			   .backend = EVENT_BACKEND_SUPERVISOR,
			   .pid = p->pid,
			   .ppid = p->ppid,
			   .uid = p->uid,
			   .has_uid = true,
			   .exe = span_of(p->exe),
			   .comm = span_of(p->comm),
			   .cwd = span_of(p->cwd),
			   .path = span_of(p->path) };
	int status;

	/* Where its parent has waited for it already, newer kernels (6.15) remember. */
	if (read_zombie(x, p, &status))
		set_status(&e, status);
	else if (ioctl(p->pidfd, TASK_INFO, &info) == 0 && info.mask & TASK_INFO_EXIT)
		set_status(&e, (int)info.exit_code);
	event_ring_write(x->ring, &e);
}

/* ---- Beginning and end --------------------------------------------------------- */

static bool has_ended(const struct running *p)
{
	struct pollfd one = { .fd = p->pidfd, .events = POLLIN };

	return poll(&one, 1, 0) == 1;
}

static void keep_facts(struct running *p, const struct event *e)
{
	forget_facts(p);
	p->ppid = e->ppid;
	p->uid = e->uid;
	p->exe = xmemdup0(e->exe.p, e->exe.len);
	p->comm = xmemdup0(e->comm.p, e->comm.len);
	p->cwd = xmemdup0(e->cwd.p, e->cwd.len);
	p->path = xmemdup0(e->path.p, e->path.len);
}

static struct running *begin(struct exits *x, pid_t pid)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct running *p = NULL;
	int fd = x->running.len < x->max ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return NULL;
	p = xnew(struct running);
	*p = (struct running){ .pid = pid, .pidfd = fd };
	event.data.ptr = p;
	if (epoll_ctl(x->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		running_free(p);
		return NULL;
	}
	(void)map_put(&x->running, key_of(&p->pid), p);
	return p;
}

/* With the lock held. */
static void finish(struct exits *x, struct running *p)
{
	record_exit(x, p);
	(void)map_remove(&x->running, key_of(&p->pid));
	running_free(p);
}

void exits_add(struct exits *x, const struct event *e)
{
	pid_t pid = e->pid;
	struct running *p;

	(void)pthread_mutex_lock(&x->lock);
	p = map_get(&x->running, key_of(&pid));
	/* The number is another's by now. */
	if (p && has_ended(p)) {
		finish(x, p);
		p = NULL;
	}
	if (!p)
		p = begin(x, pid);
	if (p)
		keep_facts(p, e);
	(void)pthread_mutex_unlock(&x->lock);
}

bool exits_handle(struct exits *x)
{
	struct epoll_event events[AT_ONCE];
	bool is_any = false;
	int n;

	/* Locked throughout: an entry that an event names is there until it is finished. */
	(void)pthread_mutex_lock(&x->lock);
	do {
		n = epoll_wait(x->epoll_fd, events, AT_ONCE, 0);
		for (int i = 0; i < n; i++)
			finish(x, events[i].data.ptr);
		is_any |= n > 0;
	} while (n == AT_ONCE);
	(void)pthread_mutex_unlock(&x->lock);
	return is_any;
}
