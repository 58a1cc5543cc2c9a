/*
 * Reading the caller's memory. It is hostile and changes while it is read:
 * everything is copied once, bounded, and only the copy is used.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

/* Writes len bytes into the caller's memory. 0 or -EFAULT. */
int memory_write(pid_t tid, uint64_t address, const void *bytes, size_t len) _must_check_;
/* Copies exactly len bytes. -EFAULT as the kernel would say. */
int memory_read(pid_t tid, uint64_t address, void *out, size_t len) _must_check_;
/*
 * Copies a NUL-terminated string into out (size bytes with the NUL). Returns
 * its length, -EFAULT, or -ENAMETOOLONG if there is no NUL within size bytes.
 */
ssize_t memory_read_string(pid_t tid, uint64_t address, char *out, size_t size) _must_check_;
/*
 * Appends the strings of a NULL-terminated array of pointers, each with its
 * NUL, as far as out's limit allows; *ret_cut tells whether some did not fit.
 */
int memory_read_strings(pid_t tid, uint64_t address, size_t max, struct buf *out,
			bool *ret_cut) _must_check_;
