#include "proxy/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* Landlock's constants of the kernels after Debian 12's headers (include/uapi/linux/landlock.h). */
enum {
	LANDLOCK_CREATE_RULESET_VERSION_ = 1,
	LANDLOCK_RULE_PATH_BENEATH_ = 1,
	LANDLOCK_FS_READ_FILE = 1 << 2,
	LANDLOCK_FS_ABI_1 = (1 << 13) - 1,
	LANDLOCK_FS_REFER = 1 << 13,	       /* ABI 2 */
	LANDLOCK_FS_TRUNCATE = 1 << 14,	       /* ABI 3 */
	LANDLOCK_FS_IOCTL_DEV = 1 << 15,       /* ABI 5 */
	LANDLOCK_NET_BIND_TCP = 1 << 0,	       /* ABI 4 */
	LANDLOCK_SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
	LANDLOCK_SCOPE_SIGNAL = 1 << 1,
};

struct landlock_ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

struct landlock_path {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int confine_process(struct err *err)
{
	const struct rlimit no_core = { 0, 0 };
	int r;

	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "give up privileges");
	r = drop_capabilities();
	return r < 0 ? err_set(err, r, "drop capabilities") : 0;
}

static int allow_file(int ruleset_fd, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path rule = { LANDLOCK_FS_READ_FILE, fd };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH_, &rule, 0) < 0
		       ? -errno
		       : 0;
}

int confine_files(const char *const *readable, struct err *err)
{
	struct landlock_ruleset rules = { .handled_fs = LANDLOCK_FS_ABI_1 };
	_cleanup_close_ int fd = -1;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION_);
	size_t size = abi >= 6 ? sizeof(rules) : abi >= 4 ? 16 : 8;
	int r = 0;

	if (abi < 1)
		return 0; /* the system call filter stands alone; `leash doctor` says so */
	if (abi >= 2)
		rules.handled_fs |= LANDLOCK_FS_REFER;
	if (abi >= 3)
		rules.handled_fs |= LANDLOCK_FS_TRUNCATE;
	if (abi >= 4)
		rules.handled_net = LANDLOCK_NET_BIND_TCP;
	if (abi >= 5)
		rules.handled_fs |= LANDLOCK_FS_IOCTL_DEV;
	if (abi >= 6)
		rules.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX | LANDLOCK_SCOPE_SIGNAL;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return err_set(err, -errno, "landlock_create_ruleset");
	for (; *readable && r == 0; readable++)
		r = allow_file(fd, *readable);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "Landlock") : 0;
}
