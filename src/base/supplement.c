#include "base/supplement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

/* Where a process may have as many descriptors as it likes. */
#define MANY_DESCRIPTORS 65536

/* ---- Text ---------------------------------------------------------------------- */

void *memmem(const void *text, size_t len, const void *part, size_t part_len)
{
	const unsigned char *p = text;

	for (; len >= part_len; p++, len--)
		if (memcmp(p, part, part_len) == 0)
			return (void *)(uintptr_t)p;
	return NULL;
}

void *memrchr(const void *text, int byte, size_t len)
{
	const unsigned char *p = text;

	while (len)
		if (p[--len] == (unsigned char)byte)
			return (void *)(uintptr_t)(p + len);
	return NULL;
}

char *strchrnul(const char *text, int byte)
{
	while (*text && *text != (char)byte)
		text++;
	return (char *)(uintptr_t)text;
}

char *strcasestr(const char *text, const char *part)
{
	size_t n = strlen(part);

	do
		if (strncasecmp(text, part, n) == 0)
			return (char *)(uintptr_t)text;
	while (*text++);
	return NULL;
}

int vasprintf(char **ret, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return -1;
	*ret = malloc((size_t)len + 1);
	return *ret ? vsnprintf(*ret, (size_t)len + 1, format, args) : -1;
}

/* ---- Memory -------------------------------------------------------------------- */

/* Through a pointer that the compiler cannot see through, or it would leave it out. */
void explicit_bzero(void *p, size_t len)
{
	static void *(*const volatile set)(void *, int, size_t) = memset;

	(void)set(p, 0, len);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, n * size);
}

/* ---- The process --------------------------------------------------------------- */

char *secure_getenv(const char *name)
{
	size_t n = strlen(name);

	if (getuid() != geteuid() || getgid() != getegid())
		return NULL;
	for (char **e = environ; e && *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

int pipe2(int fds[2], int flags)
{
	int made[2], error;
	bool has_failed = false;

	if (pipe(made) < 0)
		return -1;
	for (int i = 0; i < 2 && !has_failed; i++) {
		if (flags & O_CLOEXEC)
			has_failed = fcntl(made[i], F_SETFD, FD_CLOEXEC) < 0;
		if (flags & O_NONBLOCK)
			has_failed = has_failed || fcntl(made[i], F_SETFL, O_NONBLOCK) < 0;
	}
	if (has_failed) {
		error = errno;
		(void)close(made[0]);
		(void)close(made[1]);
		errno = error;
		return -1;
	}
	fds[0] = made[0];
	fds[1] = made[1];
	return 0;
}

void closefrom(int first)
{
	struct rlimit limit;
	int end = MANY_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < MANY_DESCRIPTORS)
		end = (int)limit.rlim_cur;
	for (int fd = first; fd < end; fd++)
		(void)close(fd);
}

/* ---- The terminal -------------------------------------------------------------- */

void cfmakeraw(struct termios *t)
{
	t->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t->c_oflag &= ~(tcflag_t)OPOST;
	t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	t->c_cflag |= CS8;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

/* ---- Time ---------------------------------------------------------------------- */

/* Days from 1970-01-01 to the first day of that year, which is at least 1. */
static long long days_before(long long year)
{
	long long y = year - 1;

	return 365 * (year - 1970) + (y / 4 - 1969 / 4) - (y / 100 - 1969 / 100) +
	       (y / 400 - 1969 / 400);
}

time_t timegm(struct tm *tm)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	long long months = (1900LL + tm->tm_year) * 12 + tm->tm_mon;
	long long year = months / 12;
	int month = (int)(months % 12);
	long long days;
	time_t seconds;

	/* Years before our era would want another rounding; no log has them. */
	if (months < 12) {
		errno = EOVERFLOW;
		return -1;
	}
	days = days_before(year) + before[month] + tm->tm_mday - 1;
	if (month > 1 && (year % 4 == 0) && (year % 100 != 0 || year % 400 == 0))
		days++;
	seconds = (time_t)(((days * 24 + tm->tm_hour) * 60 + tm->tm_min) * 60 + tm->tm_sec);
	/* As mktime does: the fields as they are in the end. */
	return gmtime_r(&seconds, tm) ? seconds : -1;
}
