#include "sandbox/mount-api.h"

int mount_new(const char *type, const struct mount_option *options, uint64_t attributes)
{
	_cleanup_close_ int fs_fd = mount_result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));

	if (fs_fd < 0)
		return fs_fd;
	for (; options && options->key; options++)
		if (syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, options->key, options->value,
			    0) < 0)
			return -errno;
	if (syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	return mount_result(syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, (unsigned int)attributes));
}
