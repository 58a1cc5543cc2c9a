#include "sandbox/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* uid 0 means nothing, and none of this can be changed back. */
#define SECURE_BITS                                                                                \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |   \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int drop_bounding_set(void)
{
	for (unsigned long capability = 0; capability < 64; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return errno == EINVAL
				       ? 0
				       : -errno; /* past the last one that this kernel knows */
	return 0;
}

static int set_capabilities(uint64_t permitted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .permitted = (uint32_t)permitted },
						  { .permitted = (uint32_t)(permitted >> 32) } };

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int drop(uint64_t kept)
{
	int r = drop_bounding_set();

	if (r < 0)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0) < 0)
		return -errno;
	r = set_capabilities(kept);
	if (r < 0)
		return r;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int privileges_drop_all(struct err *err)
{
	int r = drop(0);

	return r < 0 ? err_set(err, r, "drop the command's privileges") : 0;
}

int privileges_drop_for_init(struct err *err)
{
	int r = drop(UINT64_C(1) << CAP_WAKE_ALARM);

	return r < 0 ? err_set(err, r, "drop init's privileges") : 0;
}
