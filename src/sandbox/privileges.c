#include "sandbox/privileges.h"

#include <errno.h>
#include <grp.h>
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

/* Root's are as usual, but that what another keeps on purpose does not outlast an execve. */
#define ROOT_SECURE_BITS (SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* Of the container's root: it is what package managers, su and servers' starters need. */
#define ROOT_CAPABILITIES                                                                          \
	((UINT64_C(1) << CAP_CHOWN) | (UINT64_C(1) << CAP_DAC_OVERRIDE) |                          \
	 (UINT64_C(1) << CAP_FOWNER) | (UINT64_C(1) << CAP_KILL) | (UINT64_C(1) << CAP_SETGID) |   \
	 (UINT64_C(1) << CAP_SETUID))

static int drop_bounding_set(uint64_t kept)
{
	for (unsigned long capability = 0; capability < 64; capability++)
		if (!(kept >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return errno == EINVAL
				       ? 0
				       : -errno; /* past the last one that this kernel knows */
	return 0;
}

static int set_capabilities(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .permitted = (uint32_t)permitted, .effective = (uint32_t)effective },
		{ .permitted = (uint32_t)(permitted >> 32),
		  .effective = (uint32_t)(effective >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int drop(uint64_t kept, uint64_t effective)
{
	int r = drop_bounding_set(0);

	if (r < 0)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0) < 0)
		return -errno;
	r = set_capabilities(kept, effective);
	if (r < 0)
		return r;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int privileges_drop_all(struct err *err)
{
	int r = drop(0, 0);

	return r < 0 ? err_set(err, r, "drop the command's privileges") : 0;
}

static int change_ids(const struct sandbox_user *u)
{
	return setgroups(u->n_groups, u->groups) < 0 || setresgid(u->gid, u->gid, u->gid) < 0 ||
			       setresuid(u->uid, u->uid, u->uid) < 0
		       ? -errno
		       : 0;
}

/*
 * What root keeps it keeps over execve, and loses by becoming somebody else. The
 * others have nothing; the ids are changed last, by a power that goes with the rest.
 */
static int become(const struct sandbox_user *u)
{
	bool is_root = u->uid == 0;
	uint64_t kept = is_root ? ROOT_CAPABILITIES : 0;
	int r = drop_bounding_set(kept);

	if (r >= 0 &&
	    (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	     prctl(PR_SET_SECUREBITS, is_root ? ROOT_SECURE_BITS : SECURE_BITS, 0, 0, 0) < 0))
		r = -errno;
	if (r >= 0)
		r = change_ids(u);
	if (r >= 0)
		r = set_capabilities(kept, kept);
	return r >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : r;
}

int privileges_become(const struct sandbox_user *u, struct err *err)
{
	int r = become(u);

	return r < 0 ? err_set(err, r, "become user %u", u->uid) : 0;
}

int privileges_drop_for_init(bool has_many_users, struct err *err)
{
	uint64_t kill = has_many_users ? UINT64_C(1) << CAP_KILL : 0;
	int r = drop((UINT64_C(1) << CAP_WAKE_ALARM) | kill, kill);

	return r < 0 ? err_set(err, r, "drop init's privileges") : 0;
}
