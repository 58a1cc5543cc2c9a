#include "base/seccomp.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>

int seccomp_install(const struct sock_filter *program, size_t n)
{
	struct sock_fprog p = { .len = (unsigned short)n,
				.filter = (struct sock_filter *)(uintptr_t)program };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) < 0 ? -errno : 0;
}
