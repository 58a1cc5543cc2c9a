/*
 * IPC-06: parts of the kernel that no agent needs. Where it can be told, the arguments are such
 * that the call itself would fail in another way (EINVAL, EFAULT, EBADF): "reached" is everything
 * that the filter has not refused with EPERM, EACCES, ENOSYS or EOPNOTSUPP.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts =
	CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

static int refused(long result)
{
	if (result < 0 &&
	    (errno == EPERM || errno == EACCES || errno == ENOSYS || errno == EOPNOTSUPP))
		return -errno;
	return 0;
}

static const struct {
	const char *name;
	long number, args[5];
} calls[] = {
	{ "io_uring_setup", SYS_io_uring_setup, { 1, 0 } },
	{ "io_uring_enter", SYS_io_uring_enter, { -1, 0, 0, 0, 0 } },
	{ "io_uring_register", SYS_io_uring_register, { -1, 0, 0, 0 } },
	{ "bpf", SYS_bpf, { 9999, 0, 0 } },
	{ "perf_event_open", SYS_perf_event_open, { 0, 0, -1, -1, 0 } },
	{ "keyctl", SYS_keyctl, { 9999, 0, 0, 0, 0 } },
	{ "add_key", SYS_add_key, { 0, 0, 0, 0, 0 } },
	{ "request_key", SYS_request_key, { 0, 0, 0, 0 } },
	{ "userfaultfd", SYS_userfaultfd, { -1 } },
#ifdef SYS_modify_ldt
	{ "modify_ldt", SYS_modify_ldt, { 9999, 0, 0 } },
#endif
	{ "kexec_load", SYS_kexec_load, { 0, 0, 0, 0 } },
#ifdef SYS_kexec_file_load
	{ "kexec_file_load", SYS_kexec_file_load, { -1, -1, 0, 0, 0 } },
#endif
	{ "init_module", SYS_init_module, { 0, 0, 0 } },
	{ "finit_module", SYS_finit_module, { -1, 0, 0 } },
	{ "delete_module", SYS_delete_module, { 0, 0 } },
	{ "fanotify_init", SYS_fanotify_init, { 0xffff, 0 } },
	{ "quotactl", SYS_quotactl, { -1, 0, 0, 0 } },
	{ "swapon", SYS_swapon, { 0, 0 } },
	{ "swapoff", SYS_swapoff, { 0 } },
	{ "reboot", SYS_reboot, { 0, 0, 0, 0 } },
	{ "acct", SYS_acct, { 1 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -1, 0, 0 } },
	{ "name_to_handle_at", SYS_name_to_handle_at, { -1, 0, 0, 0, 0 } },
	{ "mount", SYS_mount, { 1, 1, 1, 0, 0 } },
	{ "umount2", SYS_umount2, { 0, 0 } },
	{ "pivot_root", SYS_pivot_root, { 0, 0 } },
	{ "chroot", SYS_chroot, { 0 } },
	{ "setns", SYS_setns, { -1, 0 } },
	{ "unshare", SYS_unshare, { 0x10000000 } },
	{ "open_tree", SYS_open_tree, { -1, 0, 0 } },
	{ "move_mount", SYS_move_mount, { -1, 0, -1, 0, 0 } },
	{ "fsopen", SYS_fsopen, { 0, 0 } },
	{ "fspick", SYS_fspick, { -1, 0, 0 } },
	{ "fsconfig", SYS_fsconfig, { -1, 0, 0, 0, 0 } },
	{ "fsmount", SYS_fsmount, { -1, 0, 0 } },
	{ "mount_setattr", 442, { -1, 0, 0, 0, 0 } },
	{ "lookup_dcookie", 212, { 0, 0, 0 } },
	{ "a number newer than the table", 1000, { 0 } },
	{ "the largest number", 0x3fffffff, { 0 } },
};

static const struct {
	const char *name;
	int family, type, protocol;
} sockets[] = {
	{ "AF_PACKET", AF_PACKET, SOCK_RAW, 0 },
	{ "AF_PACKET, datagram", AF_PACKET, SOCK_DGRAM, 0 },
	{ "AF_VSOCK", AF_VSOCK, SOCK_STREAM, 0 },
	{ "AF_ALG", AF_ALG, SOCK_SEQPACKET, 0 },
	{ "AF_NETLINK, netfilter", AF_NETLINK, SOCK_RAW, 12 },
	{ "AF_NETLINK, audit", AF_NETLINK, SOCK_RAW, 9 },
	{ "AF_NETLINK, uevent", AF_NETLINK, SOCK_RAW, 15 },
	{ "AF_NETLINK, generic", AF_NETLINK, SOCK_RAW, 16 },
	{ "AF_NETLINK, diagnostics", AF_NETLINK, SOCK_RAW, 4 },
	{ "AF_XDP", 44, SOCK_RAW, 0 },
	{ "AF_BLUETOOTH", 31, SOCK_RAW, 1 },
	{ "AF_TIPC", 30, SOCK_SEQPACKET, 0 },
	{ "AF_RDS", 21, SOCK_SEQPACKET, 0 },
	{ "AF_KEY", 15, SOCK_RAW, 2 },
	{ "AF_CAN", 29, SOCK_RAW, 1 },
};

/* With one's own registers, as glibc has no call for the other ABIs. Runs in a child: it may be
 * killed. */
#ifdef __x86_64__
static int open_by_int80(void *unused)
{
	/* Addresses must fit in 32 bits. */
	char *path = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long result;
	size_t i = 0;

	(void)unused;
	if (path == MAP_FAILED)
		give_up("mmap");
	do {
		path[i] = denied[i];
	} while (denied[i++]);
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(5L), "b"(path), "c"(0L), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return result < 0 ? (int)result : has_content((int)result, secret);
}

static int getpid_by_int80(void *unused)
{
	long result;

	(void)unused;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L)
			 : "memory", "r8", "r9", "r10", "r11");
	return result > 0 ? 0 : (int)result;
}

static int open_by_x32(void *unused)
{
	long fd = syscall(0x40000000L + SYS_open, denied, O_RDONLY, 0);

	(void)unused;
	return fd < 0 ? -errno : has_content((int)fd, secret);
}

static int getpid_by_x32(void *unused)
{
	(void)unused;
	return outcome(syscall(0x40000000L + SYS_getpid));
}

/* A number with the upper half set is the same call for the kernel. */
static int open_with_high_number(void *unused)
{
	long result;
	register long r10 __asm__("r10") = 0;

	(void)unused;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(0xdeadbeef00000000UL | SYS_openat), "D"((long)AT_FDCWD), "S"(denied),
			   "d"(0L), "r"(r10)
			 : "rcx", "r11", "memory");
	return result < 0 ? (int)result : has_content((int)result, secret);
}
#endif

void technique(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const long *a = calls[i].args;

		errno = 0;
		must_fail(refused(syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4])), "%s",
			  calls[i].name);
	}
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
		must_fail(took(socket(sockets[i].family, sockets[i].type, sockets[i].protocol)),
			  "%s", sockets[i].name);
	must_fail(outcome(syscall(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */ |
							   0x8 /* PER_LINUX32 */ |
							   0x0400000 /* READ_IMPLIES_EXEC */)),
		  "personality");
#ifdef __x86_64__
	must_fail(in_child(getpid_by_int80, NULL), "getpid by int 0x80");
	must_fail(in_child(open_by_int80, NULL), "open by int 0x80");
	must_fail(in_child(getpid_by_x32, NULL), "getpid of x32");
	must_fail(in_child(open_by_x32, NULL), "open of x32");
	must_fail(in_child(open_with_high_number, NULL),
		  "openat with the upper half of the number set");
#endif
	must_work(has_content(open(allowed, O_RDONLY), "public"), "an ordinary open");
	must_work(took(socket(AF_NETLINK, SOCK_RAW, 0)), "a routing socket");
}
