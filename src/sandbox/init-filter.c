#include "sandbox/init-filter.h"

#include "base/seccomp.h"

/* brk and mmap: the messages' buffers. */
static const struct sock_filter program[] = {
	SECCOMP_BEGIN,
	SECCOMP_ALLOW(read),
#ifdef SYS_poll
	SECCOMP_ALLOW(poll),
#endif
	SECCOMP_ALLOW(ppoll),
	/* How the kernel goes on with a poll() that a stop or a suspension broke off. */
	SECCOMP_ALLOW(restart_syscall),
	SECCOMP_ALLOW(recvfrom),
	SECCOMP_ALLOW(recvmsg),
	SECCOMP_ALLOW(sendmsg),
	SECCOMP_ALLOW(wait4),
	SECCOMP_ALLOW(kill),
	SECCOMP_ALLOW(close),
	SECCOMP_ALLOW(brk),
	SECCOMP_ALLOW(mmap),
	SECCOMP_ALLOW(munmap),
	SECCOMP_ALLOW(rt_sigreturn),
	SECCOMP_ALLOW(exit_group),
#ifdef HAS_SANITIZER /* its runtime looks at the stack before every function that does not return  \
		      */
	SECCOMP_ALLOW(sigaltstack),
#endif
	SECCOMP_RETURN(SECCOMP_RET_KILL_PROCESS),
};

int init_filter_install(struct err *err)
{
	int r = seccomp_install(program, ARRAY_SIZE(program));

	return r < 0 ? err_set(err, r, "confine the container's first process") : 0;
}
