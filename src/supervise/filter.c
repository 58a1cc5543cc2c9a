/*
 * The seccomp program, made from the table of system calls by a small
 * assembler of our own: a binary search over runs of numbers with the same
 * answer, then short programs for calls that are decided by their registers.
 * libseccomp cannot say "hold this call unless its registers are so", and
 * takes milliseconds for a table of this size.
 *
 * Registers are compared in the width that the kernel reads them: a call that
 * takes an int ignores the upper half, so an agent can put anything there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "supervise/ioctls.h"
#include "supervise/supervise.h"
#include "supervise/syscalls.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "no table of system calls for this architecture"
#endif

#define MAX_PROGRAM 4096 /* BPF_MAXINSNS */
#define SNIPPET_BASE                                                                               \
	UINT32_C(0xffff0000) /* actions from here on name a check, not a return value */
#define HOLD SECCOMP_RET_USER_NOTIF
#define FAIL(error) (SECCOMP_RET_ERRNO | ((uint32_t)(error)&SECCOMP_RET_DATA))

struct run {
	uint32_t first; /* number of the first call; the run ends where the next one begins */
	uint32_t action;
};

struct assembler {
	struct sock_filter *code;
	size_t len;
	struct run *runs;
	size_t n_runs;
	size_t snippet_at[CHECK_MAX];
	struct fixup {
		size_t at;
		enum syscall_check check;
	} fixups[64];
	size_t n_fixups;
	bool failed;
};

static void emit(struct assembler *a, struct sock_filter i)
{
	if (a->len < MAX_PROGRAM)
		a->code[a->len++] = i;
	else
		a->failed = true;
}

static void emit_all(struct assembler *a, const struct sock_filter *code, size_t n)
{
	for (size_t i = 0; i < n; i++)
		emit(a, code[i]);
}

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
/* Little-endian both: the lower half of a register comes first. */
#define LOAD_ARG(n) LOAD(offsetof(struct seccomp_data, args) + 8 * (n))
#define LOAD_ARG_HIGH(n) LOAD(offsetof(struct seccomp_data, args) + 8 * (n) + 4)
#define IF_EQ(value, then, otherwise)                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), then, otherwise)
#define IF_ANY(bits, then, otherwise)                                                              \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), then, otherwise)
#define KEEP(bits) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)(bits))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (uint32_t)(action))

#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

static const struct sock_filter clone_code[] = {
	LOAD_ARG(0),
	IF_ANY(NEW_NAMESPACES, 0, 1),
	RETURN(HOLD),
	RETURN(SECCOMP_RET_ALLOW),
};

static const struct sock_filter unshare_code[] = {
	LOAD_ARG(0),
	IF_ANY(~(uint32_t)(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_THREAD | CLONE_VM |
			   CLONE_SIGHAND),
	       0, 1),
	RETURN(HOLD),
	RETURN(SECCOMP_RET_ALLOW),
};

static const struct sock_filter personality_code[] = {
	LOAD_ARG(0),
	IF_EQ(PER_LINUX, 3, 0),
	IF_EQ(ADDR_NO_RANDOMIZE, 2, 0),
	IF_EQ(0xffffffff, 1, 0), /* asks for the current one */
	RETURN(HOLD),
	RETURN(SECCOMP_RET_ALLOW),
};

#define TYPE_ALONE (~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))

/* AF_UNIX datagram sockets take an address with every message, out of memory that cannot be held
 * still. */
static const struct sock_filter socket_code[] = {
	/* 0 */ LOAD_ARG(0),
	/* 1 */ IF_EQ(AF_UNIX, 4, 0),
	/* 2 */ IF_EQ(AF_INET, 7, 0),
	/* 3 */ IF_EQ(AF_INET6, 6, 0),
	/* 4 */ IF_EQ(AF_NETLINK, 15, 0),
	/* 5 */ RETURN(HOLD),
	/* 6 */ LOAD_ARG(1),
	/* 7 */ KEEP(TYPE_ALONE),
	/* 8 */ IF_EQ(SOCK_STREAM, 14, 0),
	/* 9 */ IF_EQ(SOCK_SEQPACKET, 13, 12),
	/* 10 */ LOAD_ARG(1),
	/* 11 */ KEEP(TYPE_ALONE),
	/* 12 */ IF_EQ(SOCK_STREAM, 1, 0),
	/* 13 */ IF_EQ(SOCK_DGRAM, 3, 8),
	/* 14 */ LOAD_ARG(2),
	/* 15 */ IF_EQ(0, 7, 0),
	/* 16 */ IF_EQ(IPPROTO_TCP, 6, 5),
	/* 17 */ LOAD_ARG(2),
	/* 18 */ IF_EQ(0, 4, 0),
	/* 19 */ IF_EQ(IPPROTO_UDP, 3, 2),
	/* 20 */ LOAD_ARG(2), /* netlink: NETLINK_ROUTE alone */
	/* 21 */ IF_EQ(0, 1, 0),
	/* 22 */ RETURN(HOLD),
	/* 23 */ RETURN(SECCOMP_RET_ALLOW),
};

static const struct sock_filter socketpair_code[] = {
	LOAD_ARG(0),	  IF_EQ(AF_UNIX, 0, 4),	     LOAD_ARG(1),
	KEEP(TYPE_ALONE), IF_EQ(SOCK_STREAM, 2, 0),  IF_EQ(SOCK_SEQPACKET, 1, 0),
	RETURN(HOLD),	  RETURN(SECCOMP_RET_ALLOW),
};

/* With an address, that is: both halves of the pointer. */
static const struct sock_filter sendto_code[] = {
	LOAD_ARG(4), IF_EQ(0, 0, 2), LOAD_ARG_HIGH(4), IF_EQ(0, 1, 0), RETURN(HOLD), RETURN(SECCOMP_RET_ALLOW),
};

/*
 * Attributes can be changed through a descriptor that was opened for reading
 * alone, so those commands are held. btrfs makes and removes whole trees so:
 * only its cloning commands, which need a descriptor to write to, pass.
 */
static const struct sock_filter ioctl_code[] = {
	/* 0 */ LOAD_ARG(1),
	/* 1 */ IF_EQ(IOCTL_TIOCSTI, 16, 0),
	/* 2 */ IF_EQ(IOCTL_TIOCLINUX, 15, 0),
	/* 3 */ IF_EQ(FS_IOC_SETFLAGS, 14, 0),
	/* 4 */ IF_EQ(FS_IOC32_SETFLAGS, 13, 0),
	/* 5 */ IF_EQ(FS_IOC_FSSETXATTR, 12, 0),
	/* 6 */ IF_EQ(FS_IOC_SETVERSION, 11, 0),
	/* 7 */ IF_EQ(FS_IOC32_SETVERSION, 10, 0),
	/* 8 */ IF_EQ(IOCTL_FAT_SET_ATTRIBUTES, 9, 0),
	/* 9 */ IF_EQ(IOCTL_ENABLE_VERITY, 8, 0),
	/* 10 */ IF_EQ(IOCTL_SET_ENCRYPTION_POLICY, 7, 0),
	/* 11 */ IF_EQ(FICLONE, 5, 0),
	/* 12 */ IF_EQ(FICLONERANGE, 4, 0),
	/* 13 */ IF_EQ(FIDEDUPERANGE, 3, 0),
	/* 14 */ KEEP(0xff00),
	/* 15 */ IF_EQ(IOCTL_TYPE_BTRFS << 8, 0, 1),
	/* 16 */ RETURN(FAIL(ENOTTY)),
	/* 17 */ RETURN(SECCOMP_RET_ALLOW),
	/* 18 */ RETURN(HOLD),
};

/* A lease makes every open of the file by another process, the supervisor too, wait for its holder.
 */
static const struct sock_filter fcntl_code[] = {
	LOAD_ARG(1),
	IF_EQ(F_SETLEASE, 2, 0),
	IF_EQ(IOCTL_F_SETDELEG, 1, 0),
	RETURN(SECCOMP_RET_ALLOW),
	RETURN(FAIL(EINVAL)),
};

static const struct {
	const struct sock_filter *code;
	size_t len;
} checks[CHECK_MAX] = {
	[CHECK_CLONE] = { clone_code, ARRAY_SIZE(clone_code) },
	[CHECK_UNSHARE] = { unshare_code, ARRAY_SIZE(unshare_code) },
	[CHECK_PERSONALITY] = { personality_code, ARRAY_SIZE(personality_code) },
	[CHECK_SOCKET] = { socket_code, ARRAY_SIZE(socket_code) },
	[CHECK_SENDTO] = { sendto_code, ARRAY_SIZE(sendto_code) },
	[CHECK_SOCKETPAIR] = { socketpair_code, ARRAY_SIZE(socketpair_code) },
	[CHECK_IOCTL] = { ioctl_code, ARRAY_SIZE(ioctl_code) },
	[CHECK_FCNTL] = { fcntl_code, ARRAY_SIZE(fcntl_code) },
};

static uint32_t row_action(const struct syscall_row *row)
{
	switch (row->class) {
	case SYSCALL_ALLOWED:
		return SECCOMP_RET_ALLOW;
	case SYSCALL_GOVERNED:
	case SYSCALL_REPORTED:
		return HOLD;
	case SYSCALL_CHECKED:
		return SNIPPET_BASE + row->check;
	case SYSCALL_REFUSED:
		break;
	}
	return FAIL(row->error);
}

static void add_run(struct assembler *a, uint32_t first, uint32_t action)
{
	if (a->n_runs && a->runs[a->n_runs - 1].action == action)
		return;
	a->runs[a->n_runs++] = (struct run){ first, action };
}

static void collect_runs(struct assembler *a)
{
	size_t n;
	const struct syscall_row *rows = syscall_table(&n);
	uint32_t next = 0;

	a->runs = xnew_array(struct run, 2 * n + 2);
	for (size_t i = 0; i < n; i++) {
		uint32_t number = (uint32_t)rows[i].number;

		if (number > next)
			add_run(a, next, FAIL(ENOSYS));
		add_run(a, number, row_action(&rows[i]));
		next = number + 1;
	}
	add_run(a, next, FAIL(ENOSYS)); /* x32's numbers are among these */
}

static void emit_leaf(struct assembler *a, uint32_t action)
{
	if (action < SNIPPET_BASE) {
		emit(a, (struct sock_filter)RETURN(action));
		return;
	}
	if (a->n_fixups == ARRAY_SIZE(a->fixups)) {
		a->failed = true;
		return;
	}
	a->fixups[a->n_fixups++] =
		(struct fixup){ a->len, (enum syscall_check)(action - SNIPPET_BASE) };
	emit(a, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
}

/* Searches runs [low, high). Conditional jumps reach 255 instructions only, so the far side gets a
 * jump of its own. */
static void emit_search(struct assembler *a, size_t low, size_t high)
{
	size_t middle = low + (high - low) / 2;
	size_t far;

	if (high - low == 1) {
		emit_leaf(a, a->runs[low].action);
		return;
	}
	emit(a,
	     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, a->runs[middle].first, 0, 1));
	far = a->len;
	emit(a, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	emit_search(a, low, middle);
	if (!a->failed)
		a->code[far].k = (uint32_t)(a->len - far - 1);
	emit_search(a, middle, high);
}

static void assemble(struct assembler *a)
{
	static const struct sock_filter prologue[] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		IF_EQ(NATIVE_ARCH, 1, 0),
		RETURN(FAIL(ENOSYS)), /* i386 by int 0x80 too, 32-bit arm */
		LOAD(offsetof(struct seccomp_data, nr)),
	};

	emit_all(a, prologue, ARRAY_SIZE(prologue));
	emit_search(a, 0, a->n_runs);
	for (size_t i = 1; i < CHECK_MAX; i++) {
		a->snippet_at[i] = a->len;
		emit_all(a, checks[i].code, checks[i].len);
	}
	for (size_t i = 0; i < a->n_fixups; i++)
		a->code[a->fixups[i].at].k =
			(uint32_t)(a->snippet_at[a->fixups[i].check] - a->fixups[i].at - 1);
}

static unsigned int flags(void)
{
	unsigned int with =
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

	/* A program at no address: EFAULT says that the flags are known, EINVAL that they are not.
	 */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, with, NULL) < 0 && errno == EFAULT)
		return with;
	return SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

int supervise_filter(struct sock_fprog *ret, unsigned int *ret_flags, struct err *err)
{
	struct assembler a = { .code = xnew_array(struct sock_filter, MAX_PROGRAM) };

	collect_runs(&a);
	assemble(&a);
	xfree(a.runs);
	if (a.failed) {
		xfree(a.code);
		return err_say(err, -E2BIG, "the system call filter is too long");
	}
	ret->filter = a.code;
	ret->len = (unsigned short)a.len;
	*ret_flags = flags();
	return 0;
}
