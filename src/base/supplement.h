/*
 * What leash uses of a C library beyond C17 and POSIX.1-2008. glibc has all of it;
 * where a system does not, meson includes this header before each file of the rooms
 * that are built there, and supplement.c has the functions. They do what glibc's
 * manual pages say.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>
#include <time.h>

extern char **environ;

void *memmem(const void *text, size_t len, const void *part, size_t part_len);
void *memrchr(const void *text, int byte, size_t len);
char *strchrnul(const char *text, int byte);
char *strcasestr(const char *text, const char *part);
void explicit_bzero(void *p, size_t len);
void *reallocarray(void *p, size_t n, size_t size);
int vasprintf(char **ret, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* NULL, too, in a program that has more rights than its caller. */
char *secure_getenv(const char *name);
time_t timegm(struct tm *tm);
/* Not at once: no other thread may start a program meanwhile. */
int pipe2(int fds[2], int flags);
/* Every one from that on that can be open. */
void closefrom(int first);
void cfmakeraw(struct termios *t);
