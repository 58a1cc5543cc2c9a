/*
 * The one table of system calls: every call of x86-64 and arm64 that leash
 * knows, and what becomes of it. The seccomp program and the supervisor's
 * dispatch are both made from it. A number that is not in the table is
 * answered ENOSYS, so that a call of a newer kernel cannot slip through.
 */
#pragma once

#include "base/attributes.h"

struct worker;

/* Returns the value that the call yields, a negative errno, or CALL_IS_ANSWERED. */
typedef int64_t (*syscall_fn)(struct worker *w, const uint64_t args[6]);
#define CALL_IS_ANSWERED INT64_MIN

enum syscall_class {
	SYSCALL_REFUSED = 0, /* fails with `error`, decided by the kernel alone */
	SYSCALL_ALLOWED,
	SYSCALL_GOVERNED, /* held; `handler` answers */
	SYSCALL_REPORTED, /* held, refused with `error`, and recorded: rare and dangerous ones */
	SYSCALL_CHECKED,  /* allowed or one of the others, by what its registers say (`check`) */
};

/* Programs over registers; nothing that lies in memory can be checked here. */
enum syscall_check {
	CHECK_NONE,
	CHECK_CLONE,
	CHECK_UNSHARE,
	CHECK_PERSONALITY,
	CHECK_SOCKET,
	CHECK_SOCKETPAIR,
	CHECK_SENDTO,
	CHECK_IOCTL,
	CHECK_FCNTL,
	CHECK_MAX,
};

struct syscall_row {
	const char *name;
	int number;
	enum syscall_class class;
	int error; /* positive errno of refused and reported calls */
	enum syscall_check check;
	syscall_fn handler; /* governed calls, and checked ones that are not allowed */
};

/* The table, ordered by number. */
const struct syscall_row *syscall_table(size_t *ret_n);
/* The row of a number, or NULL. */
const struct syscall_row *syscall_find(int number);
