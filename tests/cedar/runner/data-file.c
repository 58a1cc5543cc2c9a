#include "data-file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/vec.h"

extern char **environ;

/* Reads what `xz -dc PATH` writes. */
static int read_xz(const char *path, struct buf *out, struct err *err)
{
	char *argv[] = { (char[]){ "xz" }, (char[]){ "-dcq" }, (char[]){ "--" }, xstrdup(path),
			 NULL };
	_cleanup_close_ int read_fd = -1;
	_cleanup_close_ int write_fd = -1;
	posix_spawn_file_actions_t actions;
	int fds[2], status, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, write_fd, STDOUT_FILENO);
	r = posix_spawnp(&pid, "xz", &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	xfree(argv[3]);
	if (r != 0)
		return err_set(err, -r, "run xz to read %s", path);
	cleanup_close(&write_fd);
	write_fd = -1;
	r = fd_read_all(read_fd, out);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return err_say(err, -EINVAL, "xz cannot read %s", path);
	return r < 0 ? err_set(err, r, "read %s", path) : 0;
}

int data_file_read(const char *path, struct buf *out, struct err *err)
{
	int r;

	if (span_ends_with(span_of(path), SPAN(".xz")))
		return read_xz(path, out, err);
	r = file_read_at(AT_FDCWD, path, out);
	return r < 0 ? err_set(err, r, "read %s", path) : 0;
}

bool data_next_line(struct span *rest, struct span *ret_line)
{
	while (rest->len) {
		const char *end = memchr(rest->p, '\n', rest->len);
		size_t len = end ? (size_t)(end - rest->p) : rest->len;

		*ret_line = (struct span){ rest->p, len };
		*rest = span_from(*rest, len + 1);
		if (len)
			return true;
	}
	return false;
}

/* ---- Trees ------------------------------------------------------------------- */

static bool is_wanted(struct span name)
{
	return span_ends_with(name, SPAN(".json")) || span_ends_with(name, SPAN(".cedar")) ||
	       span_ends_with(name, SPAN(".cedarschema")) || span_ends_with(name, SPAN(".snap"));
}

/* Takes the content over. */
static void add_file(struct data_tree *t, struct span name, struct buf *content)
{
	struct buf *kept = xnew(struct buf);
	struct buf *old;

	*kept = *content;
	*content = (struct buf)BUF_INIT(0);
	old = map_put(&t->files, name, kept);
	if (old) {
		buf_done(old);
		xfree(old);
		return;
	}
	if (t->n_names == t->cap_names) {
		t->cap_names = t->cap_names ? 2 * t->cap_names : 64;
		t->names = xrealloc_array(t->names, t->cap_names, sizeof(*t->names));
	}
	t->names[t->n_names++] = xmemdup0(name.p, name.len);
}

/* A field of a tar header: octal digits. */
static size_t octal(const char *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && p[i] >= '0' && p[i] <= '7'; i++)
		n = n << 3 | (size_t)(p[i] - '0');
	return n;
}

/* The path in a pax header: lines of "LENGTH key=value". */
static struct span pax_path(struct span records)
{
	const char *at = records.len ? memmem(records.p, records.len, " path=", 6) : NULL;
	const char *end = at ? memchr(at, '\n', (size_t)(records.p + records.len - at)) : NULL;

	return end ? (struct span){ at + 6, (size_t)(end - at) - 6 } : (struct span){ 0 };
}

/* The header of a member: name at 0, size at 124, type at 156, prefix at 345. */
static void member_name(const char *header, struct span long_name, struct buf *out)
{
	size_t prefix_len = strnlen(header + 345, 155);

	if (long_name.len) {
		(void)buf_append(out, long_name.p, strnlen(long_name.p, long_name.len));
	} else {
		(void)buf_append(out, header + 345, prefix_len);
		if (prefix_len)
			(void)buf_append_char(out, '/');
		(void)buf_append(out, header, strnlen(header, 100));
	}
	if (span_starts_with(buf_span(out), SPAN("./")))
		buf_consume(out, 2);
}

static int read_tar(struct span archive, struct data_tree *t, struct err *err)
{
	struct span long_name = { 0 };

	for (size_t at = 0; at + 512 <= archive.len && archive.p[at];) {
		const char *header = archive.p + at;
		_cleanup_buf_ struct buf content = BUF_INIT(0);
		_cleanup_buf_ struct buf name = BUF_INIT(0);
		size_t size = octal(header + 124, 12);
		char type = header[156];

		at += 512;
		if (size > archive.len - at)
			return err_say(err, -EINVAL, "the archive is cut short");
		member_name(header, long_name, &name);
		long_name = type == 'L'	  ? (struct span){ archive.p + at, size }
			    : type == 'x' ? pax_path((struct span){ archive.p + at, size })
					  : (struct span){ 0 };
		if ((type == '0' || type == 0) && is_wanted(buf_span(&name))) {
			(void)buf_append(&content, archive.p + at, size);
			add_file(t, buf_span(&name), &content);
		}
		at += (size + 511) / 512 * 512;
	}
	return 0;
}

/* nftw has no argument for its callback. */
static struct {
	struct data_tree *tree;
	size_t root_len;
	int result;
	struct err *err;
} folder;

static int on_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	_cleanup_buf_ struct buf content = BUF_INIT(0);
	struct span name = span_of(path + folder.root_len + 1);

	(void)st;
	(void)ftw;
	if (type != FTW_F || !is_wanted(name))
		return 0;
	folder.result = data_file_read(path, &content, folder.err);
	if (folder.result == 0)
		add_file(folder.tree, name, &content);
	return folder.result;
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int data_tree_read(const char *path, struct data_tree *ret, struct err *err)
{
	_cleanup_buf_ struct buf archive = BUF_INIT(0);
	struct data_tree t = { 0 };
	int r;

	if (strstr(path, ".tar")) {
		r = data_file_read(path, &archive, err);
		if (r == 0)
			r = read_tar(buf_span(&archive), &t, err);
	} else {
		folder.tree = &t;
		folder.root_len = strlen(path);
		folder.err = err;
		folder.result = 0;
		r = nftw(path, on_entry, 32, FTW_PHYS);
		r = folder.result < 0 ? folder.result
		    : r < 0	      ? err_set(err, -errno, "read %s", path)
				      : 0;
	}
	if (r < 0) {
		data_tree_done(&t);
		return r;
	}
	qsort(t.names, t.n_names, sizeof(*t.names), cmp_names);
	*ret = t;
	return 0;
}

static void free_buf(void *value)
{
	buf_done(value);
	xfree(value);
}

void data_tree_done(struct data_tree *t)
{
	for (size_t i = 0; i < t->n_names; i++)
		xfree(t->names[i]);
	xfree(t->names);
	map_done(&t->files, free_buf);
	*t = (struct data_tree){ 0 };
}

struct span data_tree_get(const struct data_tree *t, struct span name)
{
	const struct buf *content = map_get(&t->files, name);

	return content ? (struct span){ content->data ? content->data : "", content->len }
		       : (struct span){ 0 };
}
