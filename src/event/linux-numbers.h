/*
 * Numbers of Linux's in what was recorded there, for those who read it on other
 * systems, where the same names have other numbers. They are the processor's: who
 * records and who reads have the same.
 */
#pragma once

/* "ENOENT", or NULL. */
const char *linux_error_name(int number);

/* open(2), as 64-bit programs have them. */
#define LINUX_O_ACCMODE 03
#define LINUX_O_RDONLY 00
#define LINUX_O_WRONLY 01
#define LINUX_O_RDWR 02
#define LINUX_O_CREAT 0100
#define LINUX_O_EXCL 0200
#define LINUX_O_NOCTTY 0400
#define LINUX_O_TRUNC 01000
#define LINUX_O_APPEND 02000
#define LINUX_O_NONBLOCK 04000
#define LINUX_O_DSYNC 010000
#define LINUX_O_ASYNC 020000
#if defined(__aarch64__)
#define LINUX_O_DIRECTORY 040000
#define LINUX_O_NOFOLLOW 0100000
#define LINUX_O_DIRECT 0200000
#else
#define LINUX_O_DIRECT 040000
#define LINUX_O_DIRECTORY 0200000
#define LINUX_O_NOFOLLOW 0400000
#endif
#define LINUX_O_NOATIME 01000000
#define LINUX_O_CLOEXEC 02000000
#define LINUX_O_SYNC (04000000 | LINUX_O_DSYNC)
#define LINUX_O_PATH 010000000
#define LINUX_O_TMPFILE (020000000 | LINUX_O_DIRECTORY)
