#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/ipc.h"
#include "event/ring.h"
#include "policy/policy.h"
#include "supervise/supervise.h"

char harness_dir[64];
unsigned harness_workers;

static int commands[2] = { -1, -1 }; /* test end, container end */
static int control_fd = -1;
static pid_t supervisor_pid, outer_pid, init_pid;
static struct event_ring *ring;
static uint64_t generation;

static void die(const char *what)
{
	fprintf(stderr, "# %s: %s\n", what, strerror(errno));
	_exit(99);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

static void send_fd(int socket_fd, int value, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { &value, sizeof(value) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	if (sendmsg(socket_fd, &m, 0) < 0)
		die("sendmsg");
}

static int receive_fd(int socket_fd, int *ret_value)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { ret_value, sizeof(*ret_value) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(socket_fd, &m, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* ---- inside ---- */

int inside_failed(int line, const char *what)
{
	int e = errno;

	dprintf(2, "# line %d: %s (errno %d %s)\n", line, what, e, strerror(e));
	return line % 120 + 1;
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int inside_fork(inside_fn fn)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return 98;
	if (pid == 0)
		_exit(fn());
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 97;
	return status_of(status);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	for (int i = 0; i <= 63; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	if (syscall(SYS_capset, &header, data) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("drop capabilities");
}

static void serve_commands(void)
{
	struct sock_fprog program;
	unsigned int flags;
	int listener, go;

	if (supervise_filter(&program, &flags, NULL) < 0)
		die("filter");
	drop_capabilities();
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (listener < 0)
		die("seccomp");
	send_fd(commands[1], 0, listener);
	close(listener);
	while (read(commands[1], &go, 0) == 0) {
		inside_fn fn;
		int status;

		if (read(commands[1], &fn, sizeof(fn)) != sizeof(fn))
			_exit(0);
		status = inside_fork(fn);
		if (write(commands[1], &status, sizeof(status)) != sizeof(status))
			_exit(0);
	}
}

static void set_up_namespaces(void)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("make mounts private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		die("mount /proc");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up) < 0)
		die("loopback");
	close(fd);
}

static void outer(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	char map[64];
	pid_t pid;
	int told[2];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
		    CLONE_NEWUTS) < 0)
		die("unshare");
	write_file("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	write_file("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	write_file("/proc/self/gid_map", map);
	if (pipe2(told, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		pid_t command;
		char c;

		/* only when the test knows our number does it expect a listener */
		close(told[1]);
		(void)!read(told[0], &c, 1);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		set_up_namespaces();
		command = fork();
		if (command == 0) {
			serve_commands();
			_exit(0);
		}
		close(commands[1]);
		while (waitpid(-1, NULL, 0) != command)
			;
		_exit(0);
	}
	if (write(commands[1], &pid, sizeof(pid)) != sizeof(pid))
		die("tell pid");
	close(commands[1]);
	close(told[1]);
	(void)waitpid(pid, NULL, 0);
	_exit(0);
}

/* ---- outside ---- */

static char *expand(const char *policy)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	const char *p;

	while ((p = strstr(policy, "${DIR}"))) {
		(void)buf_append(&out, policy, (size_t)(p - policy));
		(void)buf_append_str(&out, harness_dir);
		policy = p + 6;
	}
	(void)buf_append_str(&out, policy);
	return buf_take(&out);
}

static int make_bundle(const char *policy)
{
	static const char *const none[] = { NULL };
	struct policy_environment env = { .agent = "test",
					  .home = harness_dir,
					  .workspace = harness_dir,
					  .profile = "locked",
					  .own_paths = none,
					  .mode = POLICY_ENFORCE };
	struct policy_source *s = policy_source_new(&env);
	_cleanup_free_ char *text = expand(policy);
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct err err = { 0 };
	int fd;

	if (policy_source_add_text(s, POLICY_LAYER_FILE, "test.cedar", span_of(text), false,
				   &report, &err) < 0) {
		fprintf(stderr, "# policy: %s\n%s\n", err.text, report.data ? report.data : "");
		exit(1);
	}
	fd = policy_source_bundle(s, ++generation, &err);
	if (fd < 0) {
		fprintf(stderr, "# bundle: %s\n", err.text);
		exit(1);
	}
	policy_source_free(s);
	return fd;
}

static void expect(uint16_t type)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(control_fd, supervise_to_daemon, SUPERVISE_MESSAGE_MAX, &m);

	if (r == 1 && m.type == type)
		return;
	fprintf(stderr, "# supervisor: %d type %u %s\n", r, m.type,
		m.payload.data ? m.payload.data : "");
	exit(1);
}

void harness_policy(const char *policy)
{
	int fd = make_bundle(policy);

	if (ipc_send(control_fd, SUPERVISE_POLICY, 0, (struct span){ 0 }, &fd, 1) < 0)
		exit(1);
	close(fd);
	expect(SUPERVISE_POLICY_APPLIED);
}

int harness_proxy(void)
{
	int sockets[2];

	if (ipc_socketpair(sockets) < 0 ||
	    ipc_send(control_fd, SUPERVISE_PROXY, 0, (struct span){ 0 }, &sockets[1], 1) < 0)
		exit(1);
	close(sockets[1]);
	return sockets[0];
}

static void start_supervisor(int listener)
{
	struct supervise_start start = { .init_pid = init_pid,
					 .proxy_port = 18081,
					 .dns_port = 18053,
					 .n_workers = (uint16_t)harness_workers };
	int sockets[2], fds[4];
	struct err err;

	if (ipc_socketpair(sockets) < 0)
		exit(1);
	fds[0] = (int)syscall(SYS_pidfd_open, init_pid, 0);
	fds[1] = listener;
	if (event_ring_create(RING_DEFAULT_SIZE, &fds[2], &fds[3], &err) < 0 ||
	    event_ring_open_reader(fds[2], fds[3], &ring) < 0)
		exit(1);
	supervisor_pid = fork();
	if (supervisor_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		close(sockets[0]);
		close(commands[0]);
		for (int i = 0; i < 4; i++)
			close(fds[i]);
		_exit(supervise_main(sockets[1]));
	}
	close(sockets[1]);
	control_fd = sockets[0];
	if (ipc_send(control_fd, SUPERVISE_START, 0, span_make(&start, sizeof(start)), fds, 4) < 0)
		exit(1);
	close(fds[0]);
	close(fds[1]);
	close(fds[2]);
}

void harness_start(const char *policy)
{
	int listener, value;

	(void)snprintf(harness_dir, sizeof(harness_dir), "/tmp/leash-supervise-XXXXXX");
	if (!mkdtemp(harness_dir) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, commands) < 0)
		exit(1);
	outer_pid = fork();
	if (outer_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		close(commands[0]);
		outer();
	}
	close(commands[1]);
	if (read(commands[0], &init_pid, sizeof(init_pid)) != sizeof(init_pid) ||
	    (listener = receive_fd(commands[0], &value)) < 0) {
		printf("1..0 # SKIP no unprivileged user namespaces here\n");
		(void)rmdir(harness_dir);
		exit(77);
	}
	start_supervisor(listener);
	harness_policy(policy);
	expect(SUPERVISE_READY);
}

void harness_stop(void)
{
	char *const argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, harness_dir, NULL };
	pid_t pid;

	close(commands[0]);
	(void)kill(outer_pid, SIGKILL);
	(void)kill(init_pid, SIGKILL);
	(void)waitpid(outer_pid, NULL, 0);
	close(control_fd);
	(void)waitpid(supervisor_pid, NULL, 0);
	pid = fork();
	if (pid == 0) {
		execv("/bin/rm", argv);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
}

int harness_run(inside_fn fn)
{
	int status;

	if (write(commands[0], &fn, sizeof(fn)) != sizeof(fn) ||
	    read(commands[0], &status, sizeof(status)) != sizeof(status))
		return 99;
	return status;
}

struct keep {
	struct seen *out;
	size_t n, max;
};

static void copy(char *to, size_t size, struct span from)
{
	size_t len = MIN(from.len, size - 1);

	memcpy(to, from.p, len);
	for (size_t i = 0; i < len; i++)
		if (!to[i])
			to[i] = ' ';
	to[len] = 0;
}

static void keep(const struct event *e, void *ctx)
{
	struct keep *k = ctx;
	struct seen *s;

	if (secure_getenv("LEASH_TEST_VERBOSE"))
		fprintf(stderr, "# event %s %s %.*s -> %.*s errno %d %.*s [%.*s] %u us\n",
			event_kind_name(e->kind), event_decision_name(e->decision),
			SPAN_ARG(e->path), SPAN_ARG(e->target), e->error, SPAN_ARG(e->message),
			SPAN_ARG(e->exe), e->latency_us);
	if (k->n == k->max)
		return;
	s = &k->out[k->n++];
	s->kind = e->kind;
	s->decision = e->decision;
	s->error = e->error;
	copy(s->path, sizeof(s->path), e->path);
	copy(s->target, sizeof(s->target), e->target);
	copy(s->argv, sizeof(s->argv), e->argv);
	copy(s->message, sizeof(s->message), e->message);
	copy(s->access, sizeof(s->access), e->access);
	copy(s->exe, sizeof(s->exe), e->exe);
}

size_t harness_events(struct seen *out, size_t max)
{
	struct keep k = { out, 0, max };

	if (event_ring_drain(ring, keep, &k) < 0)
		exit(1);
	return k.n;
}

void harness_forget_events(void)
{
	(void)harness_events(NULL, 0);
}

static void *drain_forever(void *arg)
{
	struct timespec pause = { 0, 10000000 };
	struct keep k = { 0 };

	while (event_ring_drain(ring, keep, &k) >= 0)
		(void)nanosleep(&pause, NULL);
	return arg;
}

void harness_drain_forever(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, drain_forever, NULL) != 0)
		exit(1);
}

bool harness_has_event(enum event_kind kind, enum event_decision decision, const char *path)
{
	static struct seen seen[4096];
	size_t n = harness_events(seen, ARRAY_SIZE(seen));

	for (size_t i = 0; i < n; i++)
		if (seen[i].kind == kind && seen[i].decision == decision &&
		    (!path || strcmp(seen[i].path, path) == 0))
			return true;
	return false;
}

const char *at(const char *name)
{
	static char buffers[8][512];
	static unsigned next;
	char *b = buffers[next++ % 8];

	(void)snprintf(b, sizeof(buffers[0]), "%s/%s", harness_dir, name);
	return b;
}

void put(const char *name, const char *content, unsigned mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, content, strlen(content)) < 0 || fchmod(fd, mode) < 0)
		exit(1);
	close(fd);
}

void put_dir(const char *name)
{
	if (mkdir(at(name), 0755) < 0)
		exit(1);
}
