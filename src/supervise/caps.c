#include "supervise/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set(uint32_t permitted, uint32_t effective)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = effective, .permitted = permitted },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

#define TRACE_BIT (UINT32_C(1) << CAP_SYS_PTRACE)

int caps_drop(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* Linux 4.3 */
	return set(TRACE_BIT, 0);
}

void caps_raise(void)
{
	(void)set(TRACE_BIT, TRACE_BIT); /* where it fails, what follows fails: closed */
}

void caps_lower(void)
{
	if (set(TRACE_BIT, 0) < 0)
		abort(); /* never go on with more power than intended */
}
