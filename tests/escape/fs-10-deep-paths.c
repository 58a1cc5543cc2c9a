/*
 * FS-10: names longer than any buffer. Below DENIED_DIR and ALLOWED_DIR stand, made from outside
 * with MAKE=1, a tree of 200 levels, one of components of 255 bytes, and a path of more than 4096
 * bytes; at the end of each lies a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_EXEC;

static const struct shape {
	const char *name;
	int component_len, n_levels;
} shapes[] = {
	{ "260 bytes", 60, 5 },		  { "1100 bytes", 100, 11 }, { "200 levels", 9, 200 },
	{ "components of 255", 255, 14 }, { "4000 bytes", 190, 20 }, { "past PATH_MAX", 200, 24 },
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static const char *component(const struct shape *s)
{
	static __thread char name[256];

	memset(name, 'a' + (int)(s - shapes), (size_t)s->component_len);
	name[s->component_len] = 0;
	return name;
}

/* A descriptor of the last directory, reached one component at a time. */
static int descend(const char *top, const struct shape *s, bool make)
{
	int next, fd = open(top, O_PATH | O_DIRECTORY);

	for (int i = 0; i < s->n_levels && fd >= 0; i++) {
		if (make && mkdirat(fd, component(s), 0755) < 0 && errno != EEXIST)
			give_up("mkdir");
		next = openat(fd, component(s), O_PATH | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	return fd;
}

static const char *whole(const char *top, const struct shape *s)
{
	static __thread char path[16384];
	int len = snprintf(path, sizeof(path), "%s", top);

	for (int i = 0; i < s->n_levels; i++)
		len += snprintf(path + len, sizeof(path) - (size_t)len, "/%s", component(s));
	snprintf(path + len, sizeof(path) - (size_t)len, "/file");
	return path;
}

static void make(const char *top, const char *content)
{
	for (size_t i = 0; i < N_SHAPES; i++) {
		int fd, directory = descend(top, &shapes[i], true);

		fd = openat(directory, "file", O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0 || write(fd, content, strlen(content)) < 0)
			give_up("making %s", shapes[i].name);
		close(fd);
		close(directory);
	}
}

static int read_relative(const char *top, const struct shape *s, const char *want)
{
	int result, directory = descend(top, s, false);

	if (directory < 0)
		return -errno;
	result = has_content(openat(directory, "file", O_RDONLY), want);
	close(directory);
	return result;
}

static int read_from_inside(const char *top, const struct shape *s, const char *want)
{
	if (chdir(top) < 0)
		return -errno;
	for (int i = 0; i < s->n_levels; i++)
		if (chdir(component(s)) < 0)
			return -errno;
	return has_content(open("file", O_RDONLY), want);
}

static int create_from_inside(const char *top, const struct shape *s)
{
	int result = read_from_inside(top, s, "");

	(void)result;
	return took(open("made", O_WRONLY | O_CREAT, 0644));
}

void technique(void)
{
	const char *denied_dir = need("DENIED_DIR"), *allowed_dir = need("ALLOWED_DIR");

	if (optional("MAKE", NULL)) {
		make(denied_dir, secret);
		make(allowed_dir, "public");
		return;
	}
	for (size_t i = 0; i < N_SHAPES; i++) {
		const struct shape *s = &shapes[i];
		bool is_short = s->component_len * s->n_levels < 4000;

		must_fail(has_content(open(whole(denied_dir, s), O_RDONLY), secret),
			  "whole path, %s", s->name);
		must_fail(read_relative(denied_dir, s, secret), "step by step, %s", s->name);
		must_fail(read_from_inside(denied_dir, s, secret), "from inside, %s", s->name);
		must_fail(create_from_inside(denied_dir, s), "creating from inside, %s", s->name);
		if (!is_short)
			continue;
		must_work(has_content(open(whole(allowed_dir, s), O_RDONLY), "public"),
			  "whole path, %s", s->name);
		must_work(read_relative(allowed_dir, s, "public"), "step by step, %s", s->name);
		must_work(read_from_inside(allowed_dir, s, "public"), "from inside, %s", s->name);
	}
}
