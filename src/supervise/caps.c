#include "supervise/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(capability) (UINT32_C(1) << (capability))

#define TRACE_BIT BIT(CAP_SYS_PTRACE)
/* To become the caller, and what he may have: a task is traced by who has as much (ptrace(2)). */
#define USERS_BITS                                                                                 \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_KILL) |                \
	 BIT(CAP_SETGID) | BIT(CAP_SETUID))

static uint32_t permitted = TRACE_BIT;
/* Of this thread, outside caps_raise and caps_lower. */
static _Thread_local uint32_t base;

static int set(uint32_t effective)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = effective, .permitted = permitted },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int caps_drop(bool has_many_users)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* Linux 4.3 */
	if (has_many_users) {
		/* What is effective is what is set here, whoever a thread becomes. */
		if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED,
			  0, 0, 0) < 0)
			return -errno;
		permitted |= USERS_BITS;
	}
	return set(0);
}

void caps_raise(void)
{
	(void)set(base | TRACE_BIT); /* where it fails, what follows fails: closed */
}

void caps_lower(void)
{
	if (set(base) < 0)
		abort(); /* never go on with more power than intended */
}

int caps_become(uid_t uid, gid_t gid, size_t n_groups, const gid_t *groups, uint64_t effective)
{
	int r = 0;

	base = 0;
	if (set(BIT(CAP_SETUID) | BIT(CAP_SETGID)) < 0)
		return -errno;
	/* By the system calls themselves, which are of this thread alone. */
	if (syscall(SYS_setgroups, n_groups, groups) < 0 ||
	    syscall(SYS_setresgid, gid, gid, -1) < 0 || syscall(SYS_setresuid, uid, uid, -1) < 0)
		r = -errno;
	if (r >= 0)
		base = (uint32_t)effective & USERS_BITS;
	caps_lower();
	return r;
}
