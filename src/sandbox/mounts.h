/*
 * The container's file tree: the host's own, read-only but for what a policy
 * lets be written, with private temporary directories, devices and /proc.
 * Nothing here walks a tree; every step is a mount.
 */
#pragma once

#include "sandbox/sandbox.h"

/* In the new user, mount and pid namespaces, as pid 1. On return "/" is the container's root. */
int mounts_set_up(const struct sandbox_options *o, struct err *err) _must_check_;
