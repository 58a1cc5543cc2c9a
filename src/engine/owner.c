#include "engine/owner.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAP_BITS                                                                                   \
	((UINT32_C(1) << CAP_SETUID) | (UINT32_C(1) << CAP_SETGID) | (UINT32_C(1) << (CAP_SETFCAP)))

#define NOBODY 65534 /* how the kernel shows an id that this namespace does not have */

static int set_capabilities(uint32_t bits)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .permitted = bits, .effective = bits } };

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* Then no execve gives any, not even root's. */
static int empty_bounding_set(void)
{
	for (unsigned long capability = 0; capability < 64; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -errno;
	return 0;
}

static int become(uid_t uid, gid_t gid)
{
	int r = empty_bounding_set();

	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	r = set_capabilities(MAP_BITS);
	/* The child writes into its own child's /proc directory. */
	return r >= 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? -errno : r;
}

int owner_become(const char *directory, struct err *err)
{
	struct stat st;
	int r;

	if (stat(directory, &st) < 0)
		return err_set(err, -errno, "look at %s", directory);
	if (st.st_uid == NOBODY)
		return err_say(
			err, -EPERM,
			"the engine's containers don't have the user that leash runs as (its "
			"user namespaces leave him out); start it without userns-remap");
	r = become(st.st_uid, st.st_gid == NOBODY ? st.st_uid : st.st_gid);
	return r < 0 ? err_set(err, r, "become the session's user") : 0;
}

int owner_drop(struct err *err)
{
	int r = set_capabilities(0);

	return r < 0 ? err_set(err, r, "drop privileges") : 0;
}
