/*
 * ioctl_pidfd(2), Linux 6.13: facts of a task that would else be read and parsed
 * from a text; since 6.15 also how it ended, once its parent has waited for it.
 * The C library's headers here are older than that.
 */
#pragma once

#include <stdint.h>
#include <sys/ioctl.h>

struct task_info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid, exit_code;
};

#define TASK_INFO _IOWR(0xff, 11, struct task_info)
/* What is asked for in mask, and what was answered. */
#define TASK_INFO_PID UINT64_C(1)
#define TASK_INFO_CREDS UINT64_C(2)
#define TASK_INFO_EXIT UINT64_C(8)
