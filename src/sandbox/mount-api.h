/*
 * The mount system calls of Linux 5.2 and later, for which the C libraries of
 * older distributions have no wrappers. All return a descriptor or 0, or a
 * negative errno.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attributes.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static inline int mount_result(long r)
{
	return r < 0 ? -errno : (int)r;
}

/* A detached copy of the tree of mounts at path, with everything mounted below it. */
static inline int mount_clone(int dir_fd, const char *path)
{
	return mount_result(syscall(SYS_open_tree, dir_fd, path,
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
}

/* Puts a detached mount onto path, following a symbolic link there. */
static inline int mount_attach(int mount_fd, const char *path)
{
	return mount_result(syscall(SYS_move_mount, mount_fd, "", AT_FDCWD, path,
				    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS));
}

/* Sets MOUNT_ATTR_* flags on the mount that the descriptor names; flags: 0 or AT_RECURSIVE. */
static inline int mount_protect(int mount_fd, uint64_t attributes, unsigned int flags)
{
	struct mount_attr attr = { .attr_set = attributes };

	return mount_result(syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | flags, &attr,
				    sizeof(attr)));
}

struct mount_option {
	const char *key, *value;
};

/* A new, detached file system of the type; options end with a NULL key. */
int mount_new(const char *type, const struct mount_option *options,
	      uint64_t attributes) _must_check_;
