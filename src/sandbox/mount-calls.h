/*
 * The kernel's mount calls as this room uses them; see mount_setattr(2),
 * open_tree(2) and move_mount(2). All return a negative errno on failure.
 */
#pragma once

#include <sys/mount.h>

#include "base/span.h"

/* A detached copy of the mount at path; a descriptor. */
int mount_clone(const char *path, bool recursive) _must_check_;
/* Sets and clears attributes (MOUNT_ATTR_*) of a detached mount. */
int mount_change(int fd, uint64_t set, uint64_t clear, bool recursive) _must_check_;
/* Puts a detached mount at path. */
int mount_place(int fd, const char *path) _must_check_;
int mount_new(const char *type, const char *path, unsigned long flags, const char *options) _must_check_;
int mount_bind(const char *source, const char *path) _must_check_;
/* Makes a file with this content. */
int file_create(const char *path, struct span content) _must_check_;
