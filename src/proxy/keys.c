#include "proxy/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/seccomp.h"
#include "proxy/ca.h"
#include "proxy/confine.h"
#include "proxy/name.h"

/* Standard descriptors, the two sockets, and one to spare for what arrives with a message. */
#define MAX_DESCRIPTORS 8

struct keys {
	int control_fd, proxy_fd;
	struct ca *ca;
};

/* ---- Confinement ------------------------------------------------------------------ */

#define KILL(name) SECCOMP_CALL(name, SECCOMP_RET_KILL_PROCESS)
#define REFUSE (SECCOMP_RET_ERRNO | ENOSYS)
/* Unless the memory is to be executable. */
#define ALLOW_DATA(name)                                                                           \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), SECCOMP_LOAD(args[2]),              \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), SECCOMP_RETURN(REFUSE),     \
		SECCOMP_RETURN(SECCOMP_RET_ALLOW)

/*
 * Neither open nor read nor write: all it has are two sockets, and messages on
 * them. Killed is who calls what nothing of ours ever calls.
 */
static const struct sock_filter program[] = {
	SECCOMP_BEGIN,
#ifdef SYS_poll
	SECCOMP_ALLOW(poll),
#endif
	SECCOMP_ALLOW(ppoll),
	SECCOMP_ALLOW(recvfrom),
	SECCOMP_ALLOW(recvmsg),
	SECCOMP_ALLOW(sendmsg),
	SECCOMP_ALLOW(close),
	SECCOMP_ALLOW(getrandom),
	SECCOMP_ALLOW(getpid), /* the random generator looks whether it is in a child */
	SECCOMP_ALLOW(clock_gettime),
	SECCOMP_ALLOW(futex),
	SECCOMP_ALLOW(brk),
	SECCOMP_ALLOW(munmap),
	SECCOMP_ALLOW(mremap),
	SECCOMP_ALLOW(madvise),
	ALLOW_DATA(mmap),
	ALLOW_DATA(mprotect),
	SECCOMP_ALLOW(rt_sigreturn),
	SECCOMP_ALLOW(restart_syscall),
	SECCOMP_ALLOW(exit_group),
#ifdef HAS_SANITIZER
	SECCOMP_ALLOW(sigaltstack),
#endif
	KILL(execve),
	KILL(execveat),
	KILL(clone),
	KILL(clone3),
	KILL(ptrace),
	KILL(process_vm_readv),
	KILL(process_vm_writev),
	KILL(kill),
	KILL(tkill),
	SECCOMP_RETURN(REFUSE),
};

static int filter_calls(struct err *err)
{
	int r = seccomp_install(program, ARRAY_SIZE(program));

	return r < 0 ? err_set(err, r, "seccomp") : 0;
}

/* What was given up must be gone. */
static int test_confinement(struct err *err)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOSYS)
		return err_say(err, -EPERM, "a file could be opened");
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 || errno != ENOSYS)
		return err_say(err, -EPERM, "a socket could be made");
	if (syscall(SYS_unshare, CLONE_NEWNS) == 0 || errno != ENOSYS)
		return err_say(err, -EPERM, "the system call filter does not hold");
	if (mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return err_say(err, -EPERM, "memory could be made executable");
	return 0;
}

static int drop_the_rest(struct err *err)
{
	static const char *const no_file[] = { NULL };
	const struct rlimit few = { MAX_DESCRIPTORS, MAX_DESCRIPTORS };
	int r = confine_files(no_file, err);

	if (r == 0 && setrlimit(RLIMIT_NOFILE, &few) < 0)
		r = err_set(err, -errno, "limit the descriptors");
	if (r == 0)
		r = filter_calls(err);
	if (r == 0)
		r = test_confinement(err);
	return r < 0 ? err_wrap(err, r, "confine the signer") : 0;
}

/* ---- The daemon -------------------------------------------------------------------- */

static int say_failed(const struct keys *k, const struct err *err)
{
	/* A daemon that cannot be told sees the end of the socket. */
	(void)ipc_send(k->control_fd, KEYS_FAILED, 0, span_of(err->text), NULL, 0);
	return 1;
}

static int send_authority(const struct keys *k, struct err *err)
{
	_cleanup_buf_ struct buf der = BUF_INIT(CA_CERTIFICATE_MAX);
	int r = ca_certificate(k->ca, &der);

	if (r == 0)
		r = ipc_send(k->control_fd, KEYS_AUTHORITY, 0, buf_span(&der), NULL, 0);
	return r < 0 ? err_set(err, r, "show the certificate authority") : 0;
}

/* 1, 0 at the end, or a negative errno, as for the proxy below. */
static int take_from_daemon(struct keys *k)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(k->control_fd, keys_from_daemon, KEYS_MESSAGE_MAX, &m);

	if (r <= 0)
		return r;
	if (k->proxy_fd >= 0)
		return -EBADMSG;
	k->proxy_fd = TAKE_FD(m.fds[0]);
	return 1;
}

/* ---- The proxy ---------------------------------------------------------------------- */

static int sign(const struct keys *k, const struct ipc_message *m)
{
	_cleanup_buf_ struct buf der = BUF_INIT(CA_CERTIFICATE_MAX);
	int r = ca_sign(k->ca, buf_span(&m->payload), &der);

	if (r < 0 && r != -EINVAL)
		return r;
	r = ipc_send(k->proxy_fd, r < 0 ? KEYS_REFUSED : KEYS_SIGNED, m->id, buf_span(&der), NULL,
		     0);
	return r < 0 ? r : 1;
}

static int take_from_proxy(struct keys *k)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(k->proxy_fd, keys_from_proxy, KEYS_MESSAGE_MAX, &m);

	if (r <= 0)
		return r;
	if (m.type == KEYS_SIGN)
		return sign(k, &m);
	r = ca_set_leaf_key(k->ca, buf_span(&m.payload));
	return r < 0 ? r : 1;
}

/* A proxy that sends what no proxy of ours sends is somebody else: the end, without an answer. */
static int serve(struct keys *k)
{
	for (;;) {
		struct pollfd fds[2] = { { .fd = k->control_fd, .events = POLLIN },
					 { .fd = k->proxy_fd, .events = POLLIN } };
		int r = poll(fds, 2, -1) < 0 && errno != EINTR ? -errno : 1;

		if (r > 0 && fds[0].revents)
			r = take_from_daemon(k);
		if (r > 0 && fds[1].revents)
			r = take_from_proxy(k);
		if (r <= 0)
			return r < 0;
	}
}

/* ---- Start --------------------------------------------------------------------------- */

static int start(struct keys *k, struct err *err)
{
	int r;

	if ((k->control_fd > 3 &&
	     syscall(SYS_close_range, 3, (unsigned)k->control_fd - 1, 0) < 0) ||
	    syscall(SYS_close_range, (unsigned)k->control_fd + 1, ~0u, 0) < 0)
		return err_set(err, -errno, "close inherited descriptors");
	/* It may wait for a proxy that takes no answer, and must not outlive the session there. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, -errno, "bind the signer's life to the session's");
	/* Before there is a key that another process of the user might read. */
	r = confine_process(err);
	if (r == 0)
		r = ca_new(&k->ca, err);
	/* The daemon has a container to finish with it; nobody has said a word to us yet. */
	if (r == 0)
		r = send_authority(k, err);
	return r < 0 ? r : drop_the_rest(err);
}

int keys_main(int control_fd)
{
	struct keys keys = { .control_fd = control_fd, .proxy_fd = -1 };
	struct err err = { 0 };

	return start(&keys, &err) < 0 ? say_failed(&keys, &err) : serve(&keys);
}
