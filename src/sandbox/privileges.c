#include "sandbox/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* <linux/landlock.h> of Debian 12 stops at ABI 2; these are the kernel's numbers. */
struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

#define ACCESS_FS_WRITE_FILE (UINT64_C(1) << 1)
#define ACCESS_FS_REMOVE_TO_MAKE_SYM (UINT64_C(0x1ff) << 4) /* remove_dir ... make_sym */
#define ACCESS_FS_REFER (UINT64_C(1) << 13)    /* ABI 2 */
#define ACCESS_FS_TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */
#define ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define ACCESS_NET_TCP UINT64_C(3)		/* ABI 4: bind, connect */
#define SCOPE_ALL UINT64_C(3)			/* ABI 6: abstract sockets, signals */
#define CREATE_RULESET_VERSION 1u

int privileges_drop(struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
				   SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
				   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0)
			return err_set(err, -errno, "drop capability %d", cap);
	if (prctl(PR_SET_SECUREBITS, bits) < 0)
		return err_set(err, -errno, "lock the secure bits");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_set(err, -errno, "clear ambient capabilities");
	if (syscall(SYS_capset, &header, none) < 0)
		return err_set(err, -errno, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "set no_new_privs");
	return 0;
}

int privileges_landlock_abi(void)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : abi;
}

int privileges_confine(struct err *err)
{
	struct ruleset_attr attr = { .handled_access_fs = ACCESS_FS_WRITE_FILE | ACCESS_FS_REMOVE_TO_MAKE_SYM };
	size_t size = sizeof(attr.handled_access_fs);
	int abi = privileges_landlock_abi();
	_cleanup_close_ int fd = -1;

	if (abi < 1)
		return 0;
	if (abi >= 2)
		attr.handled_access_fs |= ACCESS_FS_REFER;
	if (abi >= 3)
		attr.handled_access_fs |= ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		attr.handled_access_fs |= ACCESS_FS_IOCTL_DEV;
	if (abi >= 4) {
		attr.handled_access_net = ACCESS_NET_TCP;
		size += sizeof(attr.handled_access_net);
	}
	if (abi >= 6) {
		attr.scoped = SCOPE_ALL;
		size += sizeof(attr.scoped);
	}
	/* No rule is added: everything handled is denied. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_set(err, -errno, "confine the command (Landlock)");
	return 0;
}
