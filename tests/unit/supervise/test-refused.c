/*
 * Calls that the filter does not let pass, whatever a policy says, and those
 * beside them that it must let pass.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"

static const char policy[] = "permit (principal, action, resource);";

static int never(void)
{
	static const struct {
		long number;
		int error;
	} calls[] = {
		{ SYS_mount, EPERM },
		{ SYS_umount2, EPERM },
		{ SYS_pivot_root, EPERM },
		{ SYS_chroot, EPERM },
		{ SYS_setns, EPERM },
		{ SYS_bpf, EPERM },
		{ SYS_perf_event_open, EPERM },
		{ SYS_userfaultfd, EPERM },
		{ SYS_keyctl, EPERM },
		{ SYS_add_key, EPERM },
		{ SYS_request_key, EPERM },
		{ SYS_open_by_handle_at, EPERM },
		{ SYS_name_to_handle_at, EOPNOTSUPP },
		{ SYS_kexec_load, EPERM },
		{ SYS_init_module, EPERM },
		{ SYS_finit_module, EPERM },
		{ SYS_quotactl, EPERM },
		{ SYS_swapon, EPERM },
		{ SYS_reboot, EPERM },
		{ SYS_acct, EPERM },
		{ SYS_fanotify_init, EPERM },
		{ SYS_fsopen, EPERM },
		{ SYS_open_tree, EPERM },
		{ SYS_move_mount, EPERM },
		{ SYS_mount_setattr, EPERM },
		{ SYS_io_uring_setup, ENOSYS },
		{ SYS_clone3, ENOSYS },
		{ 467, EPERM },
		{ 469, ENOSYS },
		{ 463, ENOSYS },
		{ 1000, ENOSYS },
		{ 480, ENOSYS },
#ifdef __x86_64__
		{ SYS_modify_ldt, EPERM },
		{ SYS_ioperm, EPERM },
		{ SYS_uselib, ENOSYS },
		{ 0x40000000 + SYS_getpid, ENOSYS }, /* x32 */
		{ 0x40000000 + SYS_open, ENOSYS },
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		errno = 0;
		if (syscall(calls[i].number, 0, 0, 0, 0, 0, 0) != -1 || errno != calls[i].error) {
			dprintf(2, "# call %ld\n", calls[i].number);
			return inside_failed(__LINE__, "refused");
		}
	}
	return 0;
}

static void test_never(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(never);
	assert_true(harness_has_event(EVENT_REFUSED, EVENT_DENY, NULL));
}

static int namespaces(void)
{
	static const int flags[] = { CLONE_NEWNS,  CLONE_NEWUSER, CLONE_NEWPID,	   CLONE_NEWNET,
				     CLONE_NEWIPC, CLONE_NEWUTS,  CLONE_NEWCGROUP, 0x80 };
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		CHECK_FAILS(unshare(flags[i]), EPERM);
		CHECK_FAILS(unshare(flags[i] | CLONE_FS), EPERM);
		if (flags[i] != 0x80) /* a signal number in clone's flags */
			CHECK_FAILS(syscall(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0, 0), EPERM);
	}
	CHECK(unshare(CLONE_FS | CLONE_FILES) == 0);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	CHECK(personality(0xffffffff) != -1 && personality(ADDR_NO_RANDOMIZE) != -1 &&
	      personality(0) != -1);
	CHECK_FAILS(personality(READ_IMPLIES_EXEC), EPERM);
	CHECK_FAILS(personality(PER_LINUX32), EPERM);
	return 0;
}

static void test_namespaces(void **state)
{
	(void)state;
	assert_inside(namespaces);
}

static int sockets(void)
{
	static const struct {
		int domain, type, protocol, error; /* 0: must work */
	} kinds[] = {
		{ AF_UNIX, SOCK_STREAM, 0, 0 },
		{ AF_UNIX, SOCK_SEQPACKET, 0, 0 },
		{ AF_UNIX, SOCK_DGRAM, 0, EPROTONOSUPPORT },
		{ AF_UNIX, SOCK_RAW, 0, EPROTONOSUPPORT },
		{ AF_INET, SOCK_STREAM, 0, 0 },
		{ AF_INET, SOCK_STREAM, IPPROTO_TCP, 0 },
		{ AF_INET6, SOCK_STREAM, 0, 0 },
		{ AF_INET, SOCK_DGRAM, 0, 0 },
		{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 0 },
		{ AF_INET, SOCK_STREAM, 262, EPROTONOSUPPORT },
		{ AF_INET, SOCK_STREAM, IPPROTO_SCTP, EPROTONOSUPPORT },
		{ AF_INET, SOCK_DGRAM, IPPROTO_ICMP, EPROTONOSUPPORT },
		{ AF_INET, SOCK_RAW, IPPROTO_ICMP, EPERM },
		{ AF_INET, SOCK_DCCP, 0, EPROTONOSUPPORT },
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, EPROTONOSUPPORT },
		{ AF_PACKET, SOCK_RAW, 0, EAFNOSUPPORT },
		{ AF_VSOCK, SOCK_STREAM, 0, EAFNOSUPPORT },
		{ AF_ALG, SOCK_SEQPACKET, 0, EAFNOSUPPORT },
		{ AF_NETLINK, SOCK_RAW, 0, 0 },
		{ AF_NETLINK, SOCK_RAW, 12, EPROTONOSUPPORT },
		{ AF_NETLINK, SOCK_DGRAM, 15, EPROTONOSUPPORT },
		{ AF_BLUETOOTH, SOCK_STREAM, 0, EAFNOSUPPORT },
		{ AF_XDP, SOCK_RAW, 0, EAFNOSUPPORT },
	};
	int pair[2];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int fd = socket(kinds[i].domain, kinds[i].type | SOCK_CLOEXEC | SOCK_NONBLOCK,
				kinds[i].protocol);

		if (kinds[i].error ? fd != -1 || errno != kinds[i].error : fd < 0) {
			dprintf(2, "# socket %zu\n", i);
			return inside_failed(__LINE__, "socket");
		}
		if (fd >= 0)
			close(fd);
	}
	/* the upper half of a register is not part of an int */
	CHECK_FAILS(syscall(SYS_socket, (1L << 32) | AF_PACKET, SOCK_RAW, 0), EAFNOSUPPORT);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
	      socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	return 0;
}

/* A pair that was asked for as datagram sockets keeps messages whole, and keeps them to itself. */
static int datagram_pair(void)
{
	struct sockaddr_un elsewhere = { .sun_family = AF_UNIX, .sun_path = "/no/such/socket" };
	char text[16];
	int pair[2], type = 0;
	socklen_t len = sizeof(type);

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(fcntl(pair[0], F_GETFD) == FD_CLOEXEC && fcntl(pair[1], F_GETFD) == FD_CLOEXEC);
	CHECK(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET);
	CHECK(send(pair[0], "one", 3, 0) == 3 && send(pair[0], "two", 3, 0) == 3);
	CHECK(recv(pair[1], text, sizeof(text), 0) == 3 && memcmp(text, "one", 3) == 0);
	CHECK(sendto(pair[0], "six", 3, 0, (struct sockaddr *)&elsewhere, sizeof(elsewhere)) == 3);
	CHECK(recv(pair[1], text, sizeof(text), 0) == 3 && memcmp(text, "two", 3) == 0);
	CHECK(recv(pair[1], text, sizeof(text), 0) == 3 && memcmp(text, "six", 3) == 0);
	return 0;
}

static void test_datagram_pair(void **state)
{
	(void)state;
	assert_inside(datagram_pair);
}

static void test_sockets(void **state)
{
	(void)state;
	assert_inside(sockets);
}

static int commands_of_ioctl(void)
{
	int fd = open("/dev/null", O_RDONLY), n = 0;
	char c = 'x';

	CHECK(fd >= 0);
	CHECK_FAILS(ioctl(fd, TIOCSTI, &c), EPERM);
	CHECK_FAILS(syscall(SYS_ioctl, fd, (1L << 32) | TIOCSTI, &c), EPERM);
	CHECK_FAILS(ioctl(fd, 0x541c, &c), EPERM);
	CHECK_FAILS(ioctl(fd, _IOW('f', 133, char[128]), &c), EPERM);
	CHECK_FAILS(ioctl(fd, _IOR('f', 19, char[12]), &c), EPERM);
	CHECK_FAILS(ioctl(fd, _IOW('r', 0x11, uint32_t), &n), EPERM);
	CHECK_FAILS(ioctl(fd, FS_IOC_SETVERSION, &n), ENOTTY);
	CHECK_FAILS(ioctl(fd, _IOW(0x94, 14, char[4096]), &c),
		    ENOTTY); /* BTRFS_IOC_SUBVOL_CREATE */
	CHECK_FAILS(ioctl(fd, TCGETS, &c), ENOTTY);
	CHECK_FAILS(fcntl(fd, F_SETLEASE, F_RDLCK), EINVAL);
	CHECK(fcntl(fd, F_GETFL) >= 0);
	return 0;
}

static void test_ioctls(void **state)
{
	(void)state;
	assert_inside(commands_of_ioctl);
}

#ifdef __x86_64__
/* getpid by the 32-bit door */
static int old_door(void)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
	CHECK(result == -ENOSYS);
	/* open, with a path below 4 GiB or not: it must not even look */
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(5), "b"(0), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	CHECK(result == -ENOSYS);
	return 0;
}

static void test_old_door(void **state)
{
	(void)state;
	assert_inside(old_door);
}
#endif

/* Filters of the agent's own may take away, never give. */
static int nested(void)
{
	struct sock_filter allow[] = { { 0x06, 0, 0, SECCOMP_RET_ALLOW } };
	struct sock_filter hold[] = { { 0x06, 0, 0, SECCOMP_RET_ALLOW } };
	struct sock_fprog p = { 1, allow }, q = { 1, hold };

	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p) == 0);
	CHECK_FAILS(syscall(SYS_chroot, "/"), EPERM);
	CHECK_FAILS(
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &q),
		EBUSY);
	return 0;
}

static void test_nested(void **state)
{
	(void)state;
	assert_inside(nested);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never),	 cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_datagram_pair),	 cmocka_unit_test(test_ioctls),
#ifdef __x86_64__
		cmocka_unit_test(test_old_door),
#endif
		cmocka_unit_test(test_nested),
	};
	int r;

	harness_start(policy);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	harness_stop();
	return r;
}
