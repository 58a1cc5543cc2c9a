/*
 * Filters of system calls that are written out: what a process of ours that needs
 * few calls is left with (seccomp(2)). Where many matter, libseccomp makes them; to
 * have it do so takes a third of a millisecond.
 */
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "base/attributes.h"

#if defined(__x86_64__)
#define SECCOMP_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SECCOMP_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the filters do not know this architecture"
#endif

/* Its runtime makes system calls of its own. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER
#endif

#define SECCOMP_LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SECCOMP_RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
/* First of all: calls of another architecture kill; then the call's number is at hand. */
#define SECCOMP_BEGIN                                                                              \
	SECCOMP_LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_ARCHITECTURE, 1, 0),       \
		SECCOMP_RETURN(SECCOMP_RET_KILL_PROCESS), SECCOMP_LOAD(nr)
#define SECCOMP_CALL(name, action)                                                                 \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), SECCOMP_RETURN(action)
#define SECCOMP_ALLOW(name) SECCOMP_CALL(name, SECCOMP_RET_ALLOW)

/* For this thread and those it makes, for ever; privileges must be given up. 0 or negative errno.
 */
int seccomp_install(const struct sock_filter *program, size_t n) _must_check_;
