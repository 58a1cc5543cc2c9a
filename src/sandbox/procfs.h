/*
 * /proc and /sys of the container, without what shows or changes the host.
 */
#pragma once

#include "sandbox/scratch.h"

/* Mounts the /proc of the caller's pid namespace, which must be the container's. */
int procfs_mount(const struct scratch *s, struct err *err) _must_check_;
/* Mounts /sys of the caller's network namespace, read-only, with the container's cgroup. */
int sysfs_mount(const struct scratch *s, struct err *err) _must_check_;
