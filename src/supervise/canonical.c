#include "supervise/canonical.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "supervise/supervisor.h"

#define DELETED " (deleted)"

/*
 * The kernel marks a name that is gone by a suffix that a file may also have
 * by itself; which of the two it is only the object that has the name can tell.
 */
static void check_deleted(const struct supervisor *s, const struct stat *st, char *out,
			  struct canonical *c)
{
	struct stat named;

	if (!span_ends_with(c->path, SPAN(DELETED)))
		return;
	if (fstatat(AT_FDCWD, out, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    named.st_dev == st->st_dev && named.st_ino == st->st_ino)
		return;
	c->path.len -= sizeof(DELETED) - 1;
	out[c->path.len] = 0;
	c->is_deleted = true;
	if (st->st_dev == s->memory_dev)
		c->is_nameless = true;
}

int canonical_of(const struct supervisor *s, int fd, const struct stat *st, char *out, size_t size,
		 struct canonical *ret)
{
	struct canonical c = { 0 };
	char number[16];
	ssize_t n;

	(void)snprintf(number, sizeof(number), "%d", fd);
	n = readlink(number, out, size - 1);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size - 1)
		return -ENAMETOOLONG;
	out[n] = 0;
	c.path = span_make(out, (size_t)n);
	if (n == 0 || out[0] != '/') {
		c.is_nameless = true;
		c.path.len = 0;
	} else {
		check_deleted(s, st, out, &c);
	}
	*ret = c;
	return 0;
}

int canonical_append(struct span *path, char *out, size_t size, struct span name)
{
	size_t at = path->len == 1 ? 0 : path->len; /* "/" has its slash already */

	if (at + 1 + name.len + 1 > size)
		return -ENAMETOOLONG;
	out[at] = '/';
	memcpy(out + at + 1, name.p, name.len);
	out[at + 1 + name.len] = 0;
	*path = span_make(out, at + 1 + name.len);
	return 0;
}
