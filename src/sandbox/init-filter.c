#include "sandbox/init-filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "init's filter does not know this architecture"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW(name)                                                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                     \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* brk and mmap: the messages' buffers. */
static const struct sock_filter program[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	ALLOW(read),
#ifdef SYS_poll
	ALLOW(poll),
#endif
	ALLOW(ppoll),
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW(sendmsg),
	ALLOW(wait4),
	ALLOW(kill),
	ALLOW(close),
	ALLOW(brk),
	ALLOW(mmap),
	ALLOW(munmap),
	ALLOW(rt_sigreturn),
	ALLOW(exit_group),
#ifdef HAS_SANITIZER /* its runtime looks at the stack before every function that does not return  \
		      */
	ALLOW(sigaltstack),
#endif
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

int init_filter_install(struct err *err)
{
	struct sock_fprog p = { .len = ARRAY_SIZE(program),
				.filter = (struct sock_filter *)(uintptr_t)program };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) < 0)
		return err_set(err, -errno, "confine the container's first process");
	return 0;
}
