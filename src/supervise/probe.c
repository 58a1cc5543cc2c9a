#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervise/notify.h"
#include "supervise/supervise.h"

static bool has_action(uint32_t action)
{
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool has_flags(unsigned int flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}

static bool has_openat2(void)
{
	return syscall(SYS_openat2, AT_FDCWD, "", NULL, 0) < 0 && errno != ENOSYS;
}

static bool has_pidfd_getfd(void)
{
	return syscall(SYS_pidfd_getfd, -1, -1, 0) < 0 && errno != ENOSYS;
}

static size_t add(struct supervise_probe *rows, size_t max, size_t n,
		  const struct supervise_probe *row)
{
	if (n >= max)
		return n;
	rows[n] = *row;
	if (row->is_present)
		rows[n].detail[0] = 0;
	return n + 1;
}

size_t supervise_probe(struct supervise_probe *rows, size_t max)
{
	const struct supervise_probe all[] = {
		{ "seccomp user notification", has_action(SECCOMP_RET_USER_NOTIF), true,
		  "needs Linux 5.14 or newer, and no filter around leash that takes it away" },
		{ "signals while a call is decided",
		  has_flags(SECCOMP_FILTER_FLAG_NEW_LISTENER |
			    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
		  false, "Linux before 5.19: programs with many signals repeat calls" },
		{ "openat2", has_openat2(), true, "needs Linux 5.6 or newer" },
		{ "pidfd_getfd", has_pidfd_getfd(), true, "needs Linux 5.6 or newer" },
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		n = add(rows, max, n, &all[i]);
	return n;
}
