/*
 * What the proxy gives up before it reads the first byte from the network:
 * after this it can talk to sockets, open two files, and little else.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxy/proxy-private.h"

/* Landlock's constants of the kernels after Debian 12's headers (include/uapi/linux/landlock.h). */
enum {
	LANDLOCK_CREATE_RULESET_VERSION_ = 1,
	LANDLOCK_RULE_PATH_BENEATH_ = 1,
	LANDLOCK_FS_READ_FILE = 1 << 2,
	LANDLOCK_FS_ABI_1 = (1 << 13) - 1,
	LANDLOCK_FS_REFER = 1 << 13,	       /* ABI 2 */
	LANDLOCK_FS_TRUNCATE = 1 << 14,	       /* ABI 3 */
	LANDLOCK_FS_IOCTL_DEV = 1 << 15,       /* ABI 5 */
	LANDLOCK_NET_BIND_TCP = 1 << 0,	       /* ABI 4 */
	LANDLOCK_SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
	LANDLOCK_SCOPE_SIGNAL = 1 << 1,
};

struct landlock_ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

struct landlock_path {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

static int allow_file(int ruleset_fd, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path rule = { LANDLOCK_FS_READ_FILE, fd };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH_, &rule, 0) < 0
		       ? -errno
		       : 0;
}

/* No file but the resolver's two, read-only; no listening; no signals and abstract sockets of
 * others. */
static int restrict_files(struct err *err)
{
	struct landlock_ruleset rules = { .handled_fs = LANDLOCK_FS_ABI_1 };
	_cleanup_close_ int fd = -1;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION_);
	size_t size = abi >= 6 ? sizeof(rules) : abi >= 4 ? 16 : 8;
	int r;

	if (abi < 1)
		return 0; /* the system call filter stands alone; `leash doctor` says so */
	if (abi >= 2)
		rules.handled_fs |= LANDLOCK_FS_REFER;
	if (abi >= 3)
		rules.handled_fs |= LANDLOCK_FS_TRUNCATE;
	if (abi >= 4)
		rules.handled_net = LANDLOCK_NET_BIND_TCP;
	if (abi >= 5)
		rules.handled_fs |= LANDLOCK_FS_IOCTL_DEV;
	if (abi >= 6)
		rules.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX | LANDLOCK_SCOPE_SIGNAL;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return err_set(err, -errno, "confine the proxy: landlock_create_ruleset");
	r = allow_file(fd, "/etc/resolv.conf");
	if (r == 0)
		r = allow_file(fd, "/etc/hosts");
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "confine the proxy: Landlock") : 0;
}

/* Needed whatever their arguments. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(accept4),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(stat),
	SCMP_SYS(lseek),
	SCMP_SYS(munmap),
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(mlock),
	SCMP_SYS(mremap),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(uname),
	SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Nothing of ours ever calls these: who does is somebody else in our process. */
static const int deadly[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(kill),
	SCMP_SYS(tkill),
	SCMP_SYS(mount),
	SCMP_SYS(setns),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(bpf),
	SCMP_SYS(keyctl),
	SCMP_SYS(userfaultfd),
};

static int add_plain_rules(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(allowed) && r == 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(deadly) && r == 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	return r;
}

/* Sockets of the internet only; no file opened for writing; no memory made executable; abort(3)
 * works. */
static int add_checked_rules(scmp_filter_ctx ctx)
{
	const uint64_t writing =
		O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
	int r = 0;

	for (int family = 0; family < 2 && r == 0; family++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (uint64_t)(family ? AF_INET6 : AF_INET)));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, FIONBIO));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				     SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid()));
	return r;
}

static int filter_calls(struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int r = ctx ? 0 : -ENOMEM;

	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A binary tree: the calls of the busy loop are found in a few steps. */
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_plain_rules(ctx);
	if (r == 0)
		r = add_checked_rules(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r < 0 ? err_set(err, r, "confine the proxy: seccomp") : 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/* What was given up must be gone. */
static int test_confinement(struct err *err)
{
	int fd;

	if (syscall(SYS_unshare, CLONE_NEWNS) == 0 || errno != ENOSYS)
		return err_say(err, -EPERM,
			       "confine the proxy: the system call filter does not hold");
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 || errno != ENOSYS)
		return err_say(err, -EPERM,
			       "confine the proxy: a file could be opened for writing");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		return err_say(err, -EPERM, "confine the proxy: a local socket could be made");
	return 0;
}

static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int drop_privileges(struct err *err)
{
	const struct rlimit no_core = { 0, 0 };
	int r;

	raise_fd_limit();
	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "confine the proxy");
	r = drop_capabilities();
	if (r < 0)
		return err_set(err, r, "confine the proxy: drop capabilities");
	r = restrict_files(err);
	if (r < 0)
		return r;
	r = filter_calls(err);
	if (r < 0)
		return r;
	return test_confinement(err);
}
