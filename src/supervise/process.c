#include "supervise/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "supervise/caps.h"
#include "supervise/task-info.h"
#include "supervise/worker.h"

#ifndef PIDFD_THREAD /* Linux 6.9 */
#define PIDFD_THREAD O_EXCL
#endif

#define FRESH_NS (5 * NS_PER_MS)
#define STALE_NS (250 * NS_PER_MS) /* comm and parent may change without our seeing it */
#define MAX_ANCESTORS 64
#define NOT_OPEN (-2)
#define KERNEL_COMM 16 /* TASK_COMM_LEN */
#define NO_PROCESS ((struct process){ .dir_fd = -1, .pidfd = NOT_OPEN })

static ssize_t read_link(int dir_fd, const char *name, char *out, size_t size)
{
	ssize_t n = readlinkat(dir_fd, name, out, size);

	if (n >= 0 || errno != EACCES)
		return n < 0 ? -errno : n;
	/* a task that is not dumpable shows its links only to who may trace it */
	caps_raise();
	n = readlinkat(dir_fd, name, out, size);
	if (n < 0)
		n = -errno;
	caps_lower();
	return n;
}

int process_open(int dir_fd, const char *name, int flags)
{
	int fd = openat(dir_fd, name, flags | O_CLOEXEC);

	if (fd >= 0 || errno != EACCES)
		return fd < 0 ? -errno : fd;
	/* as in read_link */
	caps_raise();
	fd = openat(dir_fd, name, flags | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	caps_lower();
	return fd;
}

int process_read_file(int dir_fd, const char *name, char *out, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, size - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ESRCH;
	out[n] = 0;
	return 0;
}

/*
 * The value after "\nName:\t", up to the end of the line. The first line holds
 * the name that the process gave itself, with line breaks escaped by the
 * kernel, so no field can be forged in it.
 */
bool process_find_field(const char *status, const char *name, char *out, size_t size)
{
	size_t name_len = strlen(name);

	for (const char *line = status; line && *line; line = strchr(line, '\n')) {
		const char *value;
		size_t len;

		if (*line == '\n')
			line++;
		if (strncmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		value = line + name_len + 1;
		value += strspn(value, "\t ");
		len = MIN(strcspn(value, "\n"), size - 1);
		memcpy(out, value, len);
		out[len] = 0;
		return true;
	}
	return false;
}

int process_status_field(int dir_fd, const char *name, char *out, size_t size)
{
	char status[4096];
	int r = process_read_file(dir_fd, "status", status, sizeof(status));

	if (r < 0)
		return r;
	return process_find_field(status, name, out, size) ? 0 : -ENODATA;
}

/* The number in the innermost pid namespace is the last in the line. */
static pid_t last_number(const char *line)
{
	const char *last = strrchr(line, '\t');

	return (pid_t)strtol(last ? last + 1 : line, NULL, 10);
}

/* Cuts the name at the line's end, if there is one. False for a name that the kernel may show escaped. */
static bool is_plain_name(char *name)
{
	name[strcspn(name, "\n")] = 0;
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == '\\' || *p == 127)
			return false;
	return name[0];
}

static int load_status(struct process *p, uint64_t now)
{
	char status[4096], value[256];
	int r = process_read_file(p->dir_fd, "status", status, sizeof(status));

	if (r < 0)
		return r;
	if (!process_find_field(status, "Name", p->comm, sizeof(p->comm)))
		return -ENODATA;
	if (!process_find_field(status, "Tgid", value, sizeof(value)))
		return -ENODATA;
	p->tgid = (pid_t)strtol(value, NULL, 10);
	if (!process_find_field(status, "PPid", value, sizeof(value)))
		return -ENODATA;
	p->ppid = (pid_t)strtol(value, NULL, 10);
	if (!process_find_field(status, "Uid", value, sizeof(value)))
		return -ENODATA;
	p->uid = (uint32_t)strtoul(value, NULL, 10);
	p->loaded_ns = now;
	return 0;
}

int process_load_numbers(struct process *p)
{
	char status[4096], tgid[256], tid[256];
	int r = process_read_file(p->dir_fd, "status", status, sizeof(status));

	if (r < 0)
		return r;
	if (!process_find_field(status, "NStgid", tgid, sizeof(tgid)) ||
	    !process_find_field(status, "NSpid", tid, sizeof(tid)))
		return -ENODATA;
	p->ns_tgid = last_number(tgid);
	p->ns_tid = last_number(tid);
	return 0;
}

static uint32_t exec_count(const struct supervisor *s, pid_t tgid)
{
	return atomic_load(&s->execs[(uint32_t)tgid % SUPERVISOR_EXEC_SLOTS]);
}

void process_note_exec(struct supervisor *s, pid_t tgid)
{
	atomic_fetch_add(&s->execs[(uint32_t)tgid % SUPERVISOR_EXEC_SLOTS], 1);
}

static void forget(struct process *p)
{
	if (p->dir_fd >= 0)
		fd_close(p->dir_fd);
	if (p->pidfd >= 0)
		fd_close(p->pidfd);
	xfree(p->exe);
	xfree(p->cwd);
	*p = NO_PROCESS;
}

static int load_links(struct process *p)
{
	char text[LIMIT_PATH + 1];
	ssize_t n = read_link(p->dir_fd, "exe", text, LIMIT_PATH);

	if (n < 0)
		return (int)n;
	if (!p->exe || strlen(p->exe) != (size_t)n || memcmp(p->exe, text, (size_t)n) != 0) {
		xfree(p->exe);
		p->exe = xmemdup0(text, (size_t)n);
	}
	n = process_read_cwd(p, text, sizeof(text));
	xfree(p->cwd);
	p->cwd = xmemdup0(text, n > 0 ? (size_t)n : 0);
	return 0;
}

/* A descriptor of the thread, from then on kept; -1 where there is none to be had. The number may be another's. */
static int open_pidfd(struct process *p)
{
	if (p->pidfd == NOT_OPEN)
		p->pidfd = (int)syscall(SYS_pidfd_open, p->tid, PIDFD_THREAD);
	return p->pidfd;
}

/* As open_pidfd. That the task is still there afterwards says that the number was still its own. */
static int thread_pidfd(struct process *p)
{
	bool is_new = p->pidfd == NOT_OPEN;
	char c;

	if (open_pidfd(p) >= 0 && is_new && read_link(p->dir_fd, "exe", &c, 1) < 0) {
		fd_close(p->pidfd);
		p->pidfd = -1;
	}
	return p->pidfd;
}

/*
 * Without the text of its status, which costs more than all else together. What
 * is read of the descriptor is the task's if load_links finds it afterwards.
 * False where the kernel is older, or for a name that status would show escaped.
 */
static bool load_info(struct process *p, uint64_t now)
{
	struct task_info info = { .mask = TASK_INFO_PID | TASK_INFO_CREDS };
	char comm[sizeof(p->comm)];

	if (open_pidfd(p) < 0 || ioctl(p->pidfd, TASK_INFO, &info) < 0 ||
	    (info.mask & (TASK_INFO_PID | TASK_INFO_CREDS)) != (TASK_INFO_PID | TASK_INFO_CREDS))
		return false;
	if (process_read_file(p->dir_fd, "comm", comm, sizeof(comm)) < 0 || !is_plain_name(comm))
		return false;
	memcpy(p->comm, comm, sizeof(comm));
	p->tgid = (pid_t)info.tgid;
	p->ppid = (pid_t)info.ppid;
	p->uid = info.ruid;
	p->loaded_ns = now;
	return true;
}

static int load(struct worker *w, struct process *p, pid_t tid)
{
	char name[24];
	int r;

	forget(p);
	(void)snprintf(name, sizeof(name), "%d", (int)tid);
	p->dir_fd = openat(w->s->outer_proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->dir_fd < 0)
		return -errno;
	p->tid = tid;
	r = load_info(p, w->started_ns) ? 0 : load_status(p, w->started_ns);
	if (r < 0)
		return r;
	p->n_execs = exec_count(w->s, p->tgid);
	p->alive_ns = w->started_ns;
	return load_links(p);
}

/*
 * Is the task whose directory we hold still there, so that the number is still
 * its own? Numbers are given out in turn, so none comes back within the time
 * that a few hundred forks take.
 */
static bool is_alive(const struct worker *w, struct process *p)
{
	char c;

	if (w->started_ns - p->alive_ns < FRESH_NS)
		return true;
	p->alive_ns = w->started_ns;

	if (p->pidfd >= 0)
		return syscall(SYS_pidfd_send_signal, p->pidfd, 0, NULL, 0) == 0;
	/* a task that lives this long will be asked about again */
	return thread_pidfd(p) >= 0 || read_link(p->dir_fd, "exe", &c, 1) >= 0;
}

struct process *process_find(struct worker *w, pid_t tid)
{
	struct process *p = &w->cache.slots[(uint32_t)tid % PROCESS_CACHE_SIZE];
	int r = 0;

	if (p->tid != tid || p->n_execs != exec_count(w->s, p->tgid) || !is_alive(w, p))
		r = load(w, p, tid);
	else if (w->started_ns - p->loaded_ns > STALE_NS)
		r = load_status(p, w->started_ns) < 0 ? -ESRCH : load_links(p);
	if (r < 0) {
		forget(p);
		return NULL;
	}
	return p;
}

bool process_take_exec(struct worker *w, struct span exe, const char *path)
{
	struct process *p = w->process;
	const char *slash = strrchr(path, '/');
	char comm[KERNEL_COMM];

	if (!exe.len)
		return false;
	(void)snprintf(comm, sizeof(comm), "%s", slash ? slash + 1 : path);
	if (!is_plain_name(comm))
		return false;
	process_note_exec(w->s, p->tgid);
	memcpy(p->comm, comm, sizeof(comm));
	xfree(p->exe);
	p->exe = xmemdup0(exe.p, exe.len);
	p->n_execs = exec_count(w->s, p->tgid);
	return true;
}

ssize_t process_read_cwd(const struct process *p, char *out, size_t size)
{
	ssize_t n = read_link(p->dir_fd, "cwd", out, size - 1);

	if (n >= 0)
		out[n] = 0;
	return n;
}

void process_cache_init(struct process_cache *c)
{
	for (size_t i = 0; i < PROCESS_CACHE_SIZE; i++)
		c->slots[i] = NO_PROCESS;
}

void process_cache_done(struct process_cache *c)
{
	for (size_t i = 0; i < PROCESS_CACHE_SIZE; i++)
		forget(&c->slots[i]);
}

int process_terminal(const struct process *p, dev_t *ret)
{
	char stat[1024];
	const char *field;
	int r = process_read_file(p->dir_fd, "stat", stat, sizeof(stat));
	unsigned long number;

	if (r < 0)
		return r;
	/* "pid (comm) state ppid pgrp session tty_nr": comm may hold anything, so start behind its
	 * end */
	field = strrchr(stat, ')');
	for (int i = 0; field && i < 5; i++) {
		field = strchr(field, ' ');
		if (field)
			field++;
	}
	if (!field)
		return -ENODATA;
	number = strtoul(field, NULL, 10);
	/* as the kernel packs it: new_encode_dev */
	*ret = makedev((unsigned)(number >> 8 & 0xfff),
		       (unsigned)((number & 0xff) | (number >> 12 & 0xfff00)));
	return 0;
}

int process_arguments(int dir_fd, struct buf *out, bool *ret_cut)
{
	_cleanup_close_ int fd = openat(dir_fd, "cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_cut = false;
	for (;;) {
		char piece[4096];
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (out->max && out->len + (size_t)n > out->max) {
			*ret_cut = true;
			return 0;
		}
		(void)buf_append(out, piece, (size_t)n);
		if ((size_t)n < sizeof(piece))
			return 0; /* the kernel gives all there is */
	}
}

static int get_fd(int pidfd, int fd)
{
	int r = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	if (r >= 0 || errno != EPERM)
		return r < 0 ? -errno : r;
	caps_raise();
	r = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (r < 0)
		r = -errno;
	caps_lower();
	return r;
}

int process_take_fd(struct process *p, int fd)
{
	_cleanup_close_ int pidfd = -1;

	if (thread_pidfd(p) >= 0)
		return get_fd(p->pidfd, fd);
	/*
	 * Without a descriptor of the thread the process's table is looked into:
	 * a thread may have one of its own, but then it only gets another of the
	 * agent's descriptors, to which the same decision applies.
	 */
	pidfd = (int)syscall(SYS_pidfd_open, p->tgid, 0);
	return pidfd < 0 ? -errno : get_fd(pidfd, fd);
}

int process_open_fd(struct process *p, int fd)
{
	char name[24];
	int r;

	if (fd < 0)
		return -EBADF;
	(void)snprintf(name, sizeof(name), "fd/%d", fd);
	r = openat(p->dir_fd, name, O_PATH | O_CLOEXEC);
	if (r >= 0)
		return r;
	if (errno == EACCES || errno == EPERM)
		return process_take_fd(p, fd);
	return errno == ENOENT ? -EBADF : -errno;
}

int process_open_cwd(const struct process *p)
{
	return process_open(p->dir_fd, "cwd", O_PATH | O_DIRECTORY);
}

int process_ancestors(const struct supervisor *s, const struct process *p, struct buf *out)
{
	pid_t pid = p->ppid;

	for (size_t i = 0; i < MAX_ANCESTORS && pid > 1; i++) {
		char name[24], exe[LIMIT_PATH], parent[24];
		_cleanup_close_ int dir_fd = -1;
		ssize_t n;
		int r;

		(void)snprintf(name, sizeof(name), "%d", (int)pid);
		dir_fd = openat(s->outer_proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir_fd < 0)
			return -errno;
		n = read_link(dir_fd, "exe", exe, sizeof(exe));
		if (n < 0)
			break; /* above the container, where we may not look */
		if (buf_append(out, exe, (size_t)n) < 0 || buf_append_char(out, 0) < 0)
			return -EMSGSIZE;
		r = process_status_field(dir_fd, "PPid", parent, sizeof(parent));
		if (r < 0)
			return r;
		pid = (pid_t)strtol(parent, NULL, 10);
	}
	return 0;
}
